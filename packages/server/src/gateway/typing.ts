import { Permission, sendTyping, typingStart } from '@vox/protocol'
import type { Audience } from '../events/audience.ts'
import type { Commands } from './commands.ts'
import type { GatewayContext } from './context.ts'
import type { Session } from './session.ts'

/** A client that repeats itself sooner is not heard (spec 06, section 8.3). */
const THROTTLE_MS = 5_000

/** When a session last typed where, oldest first. */
type Throttle = Map<string, number>

/** Adds the command by which users show that they are writing in a feed or in a conversation. */
export function addTyping(commands: Commands, { community, bus, clock, log, participantsOf }: GatewayContext): void {
  const throttles = new WeakMap<Session, Throttle>()

  commands.on(sendTyping, (session, { feed_id: feedId, dm_id: dmId }) => {
    if (feedId !== undefined) return typeInFeed(session, feedId)
    if (dmId !== undefined) return typeInConversation(session, dmId)
  })

  function typeInFeed(session: Session, feed_id: number): void {
    const place = `feed${feed_id}`
    if (!mayWrite(session.userId, feed_id) || isTooSoon(session, place)) return
    tell(session, place, { feed_id }, { to: 'viewers', space: { type: 'feed', id: feed_id } })
  }

  async function typeInConversation(session: Session, dm_id: number): Promise<void> {
    const place = `dm${dm_id}`
    if (isTooSoon(session, place)) return
    const users = await participantsIn(dm_id)
    if (users.includes(session.userId)) tell(session, place, { dm_id }, { to: 'users', users })
  }

  /** That somebody is writing is not worth a connection while the database is out of reach. */
  async function participantsIn(dm_id: number): Promise<readonly number[]> {
    try {
      return await participantsOf(dm_id)
    } catch (err) {
      log.debug({ err }, 'who hears of typing could not be looked up')
      return []
    }
  }

  function tell(
    session: Session,
    place: string,
    where: { feed_id: number } | { dm_id: number },
    audience: Audience,
  ): void {
    throttles.get(session)?.set(place, clock.now())
    const except = [...community.blocks.apartFrom(session.userId)]
    bus.publish({ event: typingStart, data: { user_id: session.userId, ...where }, audience: { ...audience, except } })
  }

  function mayWrite(userId: number, feedId: number): boolean {
    const feed = { type: 'feed', id: feedId } as const
    const allowed = community.permissionsIn(userId, feed) & (Permission.SEND_MESSAGES | Permission.SEND_IN_THREADS)
    return allowed !== 0n && community.space(feed) !== undefined
  }

  function isTooSoon(session: Session, place: string): boolean {
    const now = clock.now()
    const throttle: Throttle = throttles.get(session) ?? new Map()
    throttles.set(session, throttle)
    for (const [typedIn, at] of throttle) {
      if (now - at < THROTTLE_MS) break
      throttle.delete(typedIn)
    }
    return throttle.has(place)
  }
}
