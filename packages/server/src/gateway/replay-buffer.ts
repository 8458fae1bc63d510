import type { Entry } from './event-batch.ts'
import type { EncodedEvent } from './frames.ts'

/** JSON bytes that one buffer may hold (spec 06, section 5.2). */
const MAX_BYTES = 8 * 1024 * 1024

/** Where a reader of a buffer goes on: at which entry, and how many of its events are behind. */
export interface Position {
  entry: number
  skipped: number
}

/**
 * The numbered events of one session: the last ones, from `oldest` to `top`. They are references to events, and to
 * batches of events, that all sessions share. A ring that grows by little, as there is one per session, and most are
 * idle: one without events takes next to nothing. A buffer whose oldest entry is a batch may keep only the last events of it.
 */
export class ReplayBuffer {
  #ring: (Entry | undefined)[] = [undefined]
  /** The entries, counted from the first one ever: the oldest that is kept, and the one to come. */
  #first = 0
  #end = 0
  /** Events of the oldest entry that are kept no longer. */
  #dropped = 0
  #oldest = 1
  #top = 0
  #bytes = 0
  #appendedBytes = 0

  /** Number of the oldest event that is kept. */
  get oldest(): number {
    return this.#oldest
  }

  /** The last number given to an event. */
  get top(): number {
    return this.#top
  }

  /** Size of all events ever appended. */
  get appendedBytes(): number {
    return this.#appendedBytes
  }

  /** Gives the event, or each of the batch, the next number. */
  append(entry: Entry): void {
    if (this.#end - this.#first === this.#ring.length) this.#grow()
    this.#ring[this.#end++ % this.#ring.length] = entry
    this.#top += entry.count
    this.#bytes += entry.size
    this.#appendedBytes += entry.size
  }

  /** The event with a number between `oldest` and `top`. */
  at(seq: number): EncodedEvent {
    const { entry, skipped } = this.find(seq)
    const event = seq < this.#oldest ? undefined : this.entry(entry).event(skipped)
    if (!event) throw new RangeError(`event ${seq} is not between ${this.#oldest} and ${this.#top}`)
    return event
  }

  /** Where the event with this number is, or will be if it is the next one. */
  find(seq: number): Position {
    let skipped = seq - this.#oldest + this.#dropped
    let entry = this.#first
    while (entry < this.#end && skipped >= this.entry(entry).count) skipped -= this.entry(entry++).count
    return { entry, skipped }
  }

  /** The entry with this number, counted from the first one ever. */
  entry(index: number): Entry {
    const entry = index >= this.#first && index < this.#end ? this.#ring[index % this.#ring.length] : undefined
    if (!entry) throw new RangeError(`entry ${index} is not between ${this.#first} and ${this.#end - 1}`)
    return entry
  }

  /** Whether the oldest event has to go, with room for so many. */
  overflows(capacity: number): boolean {
    const count = this.#top - this.#oldest + 1
    return count > capacity || (this.#bytes > MAX_BYTES && count > 1)
  }

  dropOldest(): void {
    const entry = this.entry(this.#first)
    this.#bytes -= entry.event(this.#dropped)?.size ?? 0
    this.#oldest++
    if (++this.#dropped < entry.count) return
    this.#ring[this.#first++ % this.#ring.length] = undefined
    this.#dropped = 0
  }

  #grow(): void {
    const before = this.#ring
    const ring = new Array<Entry | undefined>(before.length + (before.length >> 3) + 1).fill(undefined)
    for (let i = this.#first; i < this.#end; i++) ring[i % ring.length] = before[i % before.length]
    this.#ring = ring
  }
}
