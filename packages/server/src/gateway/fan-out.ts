import { presenceUpdate, typingStart } from '@vox/protocol'
import type { Community } from '../community/community.ts'
import type { Audience } from '../events/audience.ts'
import type { Published } from '../events/bus.ts'
import type { GatewayContext } from './context.ts'
import { type EncodedEvent, encodeEvent } from './frames.ts'
import type { Session } from './session.ts'
import type { SessionTable } from './session-table.ts'

/**
 * Puts each published event into the sequences of its audience. Who that is, is worked out per user while `deliver`
 * runs, and kept until the community or the sessions change: most events go to the same few audiences.
 */
export class FanOut {
  readonly #sessions: SessionTable
  readonly #community: Community
  readonly #context: GatewayContext
  readonly #kept = new Map<string, readonly Session[]>()
  #keptAt = { community: -1, sessions: -1 }
  /** Events that somebody received, and how often they were received in all. */
  events = 0
  deliveries = 0

  constructor(sessions: SessionTable, context: GatewayContext) {
    this.#sessions = sessions
    this.#community = context.community
    this.#context = context
  }

  deliver(published: Published): void {
    const recipients = this.#recipients(published.audience)
    const isTyping = published.event === typingStart
    // A resumed client has no use for the typing of minutes ago (spec 06, section 5.2).
    const reached = isTyping ? recipients.filter(({ isLive }) => isLive) : recipients
    const encoded = reached.length > 0 ? this.#encode(published) : undefined
    if (!encoded) return
    const isPatient = isTyping || published.event === presenceUpdate
    for (const session of reached) session.append(encoded, isPatient)
    this.events++
    this.deliveries += reached.length
  }

  /** The event as bytes; one that cannot be written is a defect of its publisher and must not harm anybody else. */
  #encode({ event, data }: Published): EncodedEvent | undefined {
    try {
      return encodeEvent(event, data, this.#context.clock.now())
    } catch (err) {
      this.#context.log.error({ err, event: event.type }, 'an event cannot be serialised')
      return undefined
    }
  }

  #recipients({ and, except, ...base }: Audience): readonly Session[] {
    let recipients = base.to === 'users' ? this.#ofUsers(base.users) : this.#belonging(base)
    if (and) {
      const others = and.filter((userId) => !this.#community.includes(base, userId))
      recipients = [...recipients, ...this.#ofUsers(others)]
    }
    if (!except) return recipients
    const excepted = new Set(except)
    return recipients.filter(({ userId }) => !excepted.has(userId))
  }

  #ofUsers(userIds: readonly number[]): Session[] {
    return [...new Set(userIds)].flatMap((userId) => this.#sessions.of(userId))
  }

  #belonging(audience: Audience): readonly Session[] {
    if (this.#keptAt.community !== this.#community.version || this.#keptAt.sessions !== this.#sessions.version) {
      this.#kept.clear()
      this.#keptAt = { community: this.#community.version, sessions: this.#sessions.version }
    }
    const key = keyOf(audience)
    let sessions = this.#kept.get(key)
    if (!sessions) {
      sessions = this.#ofUsers([...this.#sessions.userIds()].filter((id) => this.#community.includes(audience, id)))
      this.#kept.set(key, sessions)
    }
    return sessions
  }
}

function keyOf(audience: Audience): string {
  switch (audience.to) {
    case 'viewers':
      return audience.space.type + audience.space.id
    case 'holders':
      return `holders${audience.permission}`
    default:
      return audience.to
  }
}
