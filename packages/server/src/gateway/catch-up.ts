import type { Clock } from '../clock.ts'
import type { Happening } from '../events/spaces.ts'
import type { Backlog } from './backlog.ts'
import type { Entry } from './event-batch.ts'
import { type EncodedEvent, encodeEvent } from './frames.ts'

/** Events of a backlog that are in memory at once. */
const PAGE = 20

/** JSON bytes that may be held back. */
const MAX_HELD_BYTES = 8 * 1024 * 1024

/**
 * The beginning of a session whose user is owed something. That comes before anything that happens after `ready`, so
 * such events are held back meanwhile; they are references to what all sessions share. Pages of the backlog are fetched
 * when the client has taken the one before. A client that is too slow for what is held back goes on without the rest of
 * the backlog, which then stays owed.
 */
export class CatchUp {
  readonly held: Entry[] = []
  readonly #backlog: Backlog
  readonly #clock: Clock
  #heldEvents = 0
  #heldBytes = 0
  #page: EncodedEvent[] | undefined
  #isFetching = false
  #isOver = false

  constructor(backlog: Backlog, clock: Clock) {
    this.#backlog = backlog
    this.#clock = clock
  }

  /** Whether nothing is owed any more. */
  get isOver(): boolean {
    return this.#isOver
  }

  /** Holds events back; false when there is no room for more. */
  hold(entry: Entry, capacity: number): boolean {
    this.held.push(entry)
    this.#heldEvents += entry.count
    this.#heldBytes += entry.size
    return this.#heldEvents <= capacity && this.#heldBytes <= MAX_HELD_BYTES
  }

  /** What comes next of the backlog, if it is there; else it is fetched, and `arrived` is called, or `failed`. */
  take(capacity: number, arrived: () => void, failed: (error: unknown) => void): EncodedEvent[] {
    const page = this.#page
    if (page) this.#page = undefined
    else if (!this.#isFetching && !this.#isOver) this.#fetch(Math.min(PAGE, capacity)).then(arrived, failed)
    return page ?? []
  }

  async #fetch(count: number): Promise<void> {
    this.#isFetching = true
    try {
      const happenings = await this.#backlog.next(count)
      this.#page = happenings.map((happening) => this.#encode(happening))
      this.#isOver = happenings.length === 0
    } finally {
      this.#isFetching = false
    }
  }

  #encode({ event, data }: Happening): EncodedEvent {
    return encodeEvent(event, data, this.#clock.now())
  }
}
