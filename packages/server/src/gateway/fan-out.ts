import { MAX_SERVER_MESSAGE, typingStart } from '@vox/protocol'
import type { Community } from '../community/community.ts'
import type { Audience } from '../events/audience.ts'
import type { Published } from '../events/bus.ts'
import { type Change, partsOf } from './announcements.ts'
import type { GatewayContext } from './context.ts'
import { type EncodedEvent, encodeEvent } from './frames.ts'
import type { Session } from './session.ts'
import type { SessionTable } from './session-table.ts'

/** So few receivers do not wait for the many of another event. */
const FEW = 100

/** Bytes that the sequence number adds to an event at most. */
const NUMBER = 32

/** How long an audience is kept without being used; it holds on to sessions that may be over. */
const KEPT_MS = 60_000

type FanOutContext = Pick<GatewayContext, 'community' | 'clock' | 'log'>

/** The sessions of an audience, and up to which changes they have been worked out. */
interface Kept {
  sessions: readonly Session[]
  community: number
  table: number
  usedAt: number
}

/**
 * Puts each published event into the sequences of its audience. Who that is, is worked out per user while `deliver`
 * runs. Most events go to the same few audiences, so these are kept; before one is used again, it catches up with the
 * users whose sessions or roles have changed meanwhile. Only a change that may concern everybody makes it start afresh.
 */
export class FanOut {
  readonly #sessions: SessionTable
  readonly #community: Community
  readonly #context: FanOutContext
  readonly #kept = new Map<string, Kept>()
  /** Events that somebody received, and how often they were received in all. */
  events = 0
  deliveries = 0

  constructor(sessions: SessionTable, context: FanOutContext) {
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
    const urgency = isTyping ? 'later' : reached.length <= FEW ? 'first' : 'soon'
    for (const session of reached) session.append(encoded, urgency)
    this.events++
    this.deliveries += reached.length
  }

  /** Tells each member what is news to them of these presences, but for their own and those of users they are apart from. */
  announce(changes: readonly Change[]): void {
    const unseen = this.#unseen(changes)
    const parts = partsOf(changes)
    for (const { usual } of parts) this.events += usual?.count ?? 0
    for (const session of this.#belonging({ to: 'members' })) {
      const hidden = unseen.get(session.userId)
      for (const part of parts) {
        const entry = part.newsFor(session.knows, hidden)
        if (!entry) continue
        session.append(entry)
        this.deliveries += entry.count
      }
    }
  }

  /** Of which of these users others must not be told, by those others. */
  #unseen(changes: readonly Change[]): Map<number, Set<number>> {
    const unseen = new Map<number, Set<number>>()
    for (const { userId } of changes)
      for (const viewerId of [userId, ...this.#community.blocks.apartFrom(userId)]) {
        const users = unseen.get(viewerId)
        if (users) users.add(userId)
        else unseen.set(viewerId, new Set([userId]))
      }
    return unseen
  }

  /** Forgets audiences for which there are no events any more. */
  sweep(now: number): void {
    for (const [key, { usedAt }] of this.#kept) if (now - usedAt > KEPT_MS) this.#kept.delete(key)
  }

  /** The event as bytes; one that cannot be written is a defect of its publisher and must not harm anybody else. */
  #encode({ event, data }: Published): EncodedEvent | undefined {
    try {
      const encoded = encodeEvent(event, data, this.#context.clock.now())
      if (encoded.size + NUMBER <= MAX_SERVER_MESSAGE) return encoded
      this.#context.log.error({ event: event.type }, 'an event is larger than clients take')
      return undefined
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
    const key = keyOf(audience)
    const kept = this.#kept.get(key)
    const changed = kept && this.#changedSince(kept)
    const isIn = (userId: number) => this.#community.includes(audience, userId)
    const sessions = changed
      ? this.#caughtUp(kept.sessions, changed, isIn)
      : this.#ofUsers([...this.#sessions.userIds()].filter(isIn))
    this.#kept.set(key, {
      sessions,
      community: this.#community.changed.position,
      table: this.#sessions.changed.position,
      usedAt: this.#context.clock.now(),
    })
    return sessions
  }

  /** Who may have come into a kept audience or left it; undefined if that may be anybody. */
  #changedSince({ community, table }: Kept): Set<number> | undefined {
    const members = this.#community.changed.since(community)
    const connected = this.#sessions.changed.since(table)
    return members && connected && new Set([...members, ...connected])
  }

  #caughtUp(
    sessions: readonly Session[],
    changed: ReadonlySet<number>,
    isIn: (userId: number) => boolean,
  ): readonly Session[] {
    if (changed.size === 0) return sessions
    const others = sessions.filter(({ userId }) => !changed.has(userId))
    return [...others, ...this.#ofUsers([...changed].filter(isIn))]
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
