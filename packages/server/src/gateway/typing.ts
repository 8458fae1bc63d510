import { Permission, sendTyping, typingStart } from '@vox/protocol'
import type { Commands } from './commands.ts'
import type { GatewayContext } from './context.ts'
import type { Session } from './session.ts'

/** A client that repeats itself sooner is not heard (spec 06, section 8.3). */
const THROTTLE_MS = 5_000

/** When a session last typed where, oldest first. */
type Throttle = Map<number, number>

/** Adds the command by which users show that they are writing in a feed. */
export function addTyping(commands: Commands, { community, bus, clock }: GatewayContext): void {
  const throttles = new WeakMap<Session, Throttle>()

  commands.on(sendTyping, (session, { feed_id: feedId }) => {
    if (feedId === undefined || !mayWrite(session.userId, feedId)) return
    if (isTooSoon(session, feedId)) return
    bus.publish({
      event: typingStart,
      data: { user_id: session.userId, feed_id: feedId },
      audience: {
        to: 'viewers',
        space: { type: 'feed', id: feedId },
        except: [...community.blocks.apartFrom(session.userId)],
      },
    })
  })

  function mayWrite(userId: number, feedId: number): boolean {
    const feed = { type: 'feed', id: feedId } as const
    const allowed = community.permissionsIn(userId, feed) & (Permission.SEND_MESSAGES | Permission.SEND_IN_THREADS)
    return allowed !== 0n && community.space(feed) !== undefined
  }

  function isTooSoon(session: Session, feedId: number): boolean {
    const now = clock.now()
    const throttle = throttles.get(session) ?? new Map<number, number>()
    for (const [id, at] of throttle) {
      if (now - at < THROTTLE_MS) break
      throttle.delete(id)
    }
    if (throttle.has(feedId)) return true
    throttles.set(session, throttle.set(feedId, now))
    return false
  }
}
