import { type DataOf, presenceUpdate } from '@vox/protocol'
import type { Clock } from '../clock.ts'
import type { Community } from '../community/community.ts'
import type { EventBus } from '../events/bus.ts'
import type { Announcements } from './announcements.ts'
import { type Entry, entriesOf } from './event-batch.ts'
import { type EncodedEvent, encodeEvent } from './frames.ts'
import { type PresencePage, PresencePages } from './presence-pages.ts'

/** What a user says of themselves. */
export interface Presence {
  status: 'online' | 'idle' | 'dnd' | 'invisible'
  customStatus?: string
  /** When the custom status ends by itself; Unix milliseconds. */
  customStatusEnds?: number
  activity?: Record<string, unknown>
}

/** What users are who have said nothing yet. */
const ONLINE: Presence = { status: 'online' }

/** A presence as somebody is told of it. */
export type PresenceData = DataOf<typeof presenceUpdate>

/** Who is online and how (spec 06, section 10). Users come and go by their live sessions, not by each single one. */
export interface Presences {
  /** The user's first live session has begun, by `identify` (which starts afresh) or by `resume`. */
  connected(userId: number, fresh: boolean): void
  /** The user's last live session has ended. */
  disconnected(userId: number): void
  /** None of the user's sessions can be resumed any more. */
  forget(userId: number): void
  /** Replaces what the user says of themselves. */
  choose(userId: number, presence: Presence): void
  /** What the viewer sees of the user. */
  shownTo(viewerId: number, userId: number): PresenceData
  /** The two have begun or ceased to see each other: a block was set or lifted. */
  sightChanged(userId: number, otherId: number): void
  /** How many changes of visible presences there have been. */
  readonly changes: number
  /**
   * What the viewer is told after `ready`, in batches or one by one, and with the own presence first if asked for. Each
   * part is read when it is taken, so it tells of all changes there have been so far.
   */
  snapshot(viewerId: number, inBatches: boolean, includeOwn: boolean): Generator<Entry, void>
  /** Ends custom statuses whose time has come. */
  sweep(now: number): void
}

interface PresenceContext {
  community: Community
  bus: EventBus
  clock: Clock
}

/** The presences of a single process. */
export class LocalPresences implements Presences {
  readonly #context: PresenceContext
  /** What users with a live or resumable session have chosen, if anything. */
  readonly #chosen = new Map<number, Presence>()
  readonly #connected = new Set<number>()
  /** What others see of the users who do not look offline. */
  readonly #visible = new PresencePages()
  readonly #announcements: Announcements

  constructor(context: PresenceContext, announcements: Announcements) {
    this.#context = context
    this.#announcements = announcements
  }

  get changes(): number {
    return this.#announcements.count
  }

  connected(userId: number, fresh: boolean): void {
    this.#connected.add(userId)
    if (fresh) this.#chosen.delete(userId)
    this.#announce(userId)
  }

  disconnected(userId: number): void {
    this.#connected.delete(userId)
    this.#announce(userId)
  }

  forget(userId: number): void {
    this.#chosen.delete(userId)
  }

  choose(userId: number, presence: Presence): void {
    this.#chosen.set(userId, presence)
    this.#context.bus.publish({
      event: presenceUpdate,
      data: this.#own(userId),
      audience: { to: 'users', users: [userId] },
    })
    this.#announce(userId)
  }

  shownTo(viewerId: number, userId: number): PresenceData {
    if (viewerId === userId) return this.#own(userId)
    this.#announcements.seen(userId)
    return this.#sees(viewerId, userId) ? this.#shown(userId) : offline(userId)
  }

  *snapshot(viewerId: number, inBatches: boolean, includeOwn: boolean): Generator<Entry, void> {
    const { community } = this.#context
    if (includeOwn) yield this.#encode(this.#own(viewerId))
    for (const page of this.#visible) {
      if (!community.isMember(viewerId)) return
      if (!inBatches) yield* this.#oneByOne(viewerId, page)
      else {
        const unseen = [viewerId, ...community.blocks.apartFrom(viewerId)]
        if (page.hasAny(unseen)) yield* entriesOf(page.without(unseen))
        else yield page.batch()
      }
    }
  }

  *#oneByOne(viewerId: number, { users }: PresencePage): Generator<Entry, void> {
    for (const userId of [...users.keys()]) {
      const event = users.get(userId)
      if (event && this.#sees(viewerId, userId)) yield event
    }
  }

  sweep(now: number): void {
    for (const [userId, presence] of this.#chosen)
      if (presence.customStatusEnds !== undefined && presence.customStatusEnds <= now)
        this.#endCustomStatus(userId, presence)
  }

  #endCustomStatus(userId: number, { customStatus: _, customStatusEnds: __, ...rest }: Presence): void {
    if (this.#connected.has(userId)) this.choose(userId, rest)
    else this.#chosen.set(userId, rest)
  }

  sightChanged(userId: number, otherId: number): void {
    this.#retell(userId, otherId)
    this.#retell(otherId, userId)
  }

  /** Tells the viewer what the user looks like now; nothing if that is offline in either case, as all know. */
  #retell(viewerId: number, userId: number): void {
    if (!this.#visible.get(userId) && !this.#announcements.isWaiting(userId)) return
    const data = this.shownTo(viewerId, userId)
    this.#context.bus.publish({ event: presenceUpdate, data, audience: { to: 'users', users: [viewerId] } })
  }

  #sees(viewerId: number, userId: number): boolean {
    const { community } = this.#context
    return viewerId !== userId && community.isMember(viewerId) && !community.blocks.areApart(viewerId, userId)
  }

  /** What the users themselves are told, `invisible` included. */
  #own(userId: number): PresenceData {
    return this.#connected.has(userId) ? told(userId, this.#chosen.get(userId) ?? ONLINE) : offline(userId)
  }

  /** What others see of the user. */
  #shown(userId: number): PresenceData {
    const own = this.#own(userId)
    return own.status === 'invisible' ? offline(userId) : own
  }

  /** The others are to be told what they now see, if that has changed. */
  #announce(userId: number): void {
    const data = this.#shown(userId)
    const event = this.#encode(data)
    const before = this.#visible.get(userId) ?? this.#encode(offline(userId))
    if (event.head === before.head) return
    if (data.status === 'offline') this.#visible.delete(userId)
    else this.#visible.set(userId, event)
    this.#announcements.add(userId, before, event, data.status === 'offline')
  }

  #encode(data: PresenceData): EncodedEvent {
    return encodeEvent(presenceUpdate, data, this.#context.clock.now())
  }
}

const offline = (userId: number): PresenceData => ({ user_id: userId, status: 'offline' })

function told(userId: number, { status, customStatus, activity }: Presence): PresenceData {
  return {
    user_id: userId,
    status,
    ...(customStatus !== undefined && { custom_status: customStatus }),
    ...(activity !== undefined && { activity }),
  }
}
