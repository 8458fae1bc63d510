import type { EncodedEvent } from './frames.ts'

/** JSON bytes that one buffer may hold (spec 06, section 5.2). */
const MAX_BYTES = 8 * 1024 * 1024

/**
 * The numbered events of one session: the last ones, from `oldest` to `top`. They are references to events that all
 * sessions share. A ring whose size is a power of two, grown as needed, so that an idle session takes next to nothing.
 */
export class ReplayBuffer {
  #ring: (EncodedEvent | undefined)[] = [undefined]
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

  /** Gives the event the next number. */
  append(event: EncodedEvent): void {
    if (this.#top - this.#oldest + 1 === this.#ring.length) this.#grow()
    this.#top++
    this.#ring[this.#top & (this.#ring.length - 1)] = event
    this.#bytes += event.size
    this.#appendedBytes += event.size
  }

  /** The event with a number between `oldest` and `top`. */
  at(seq: number): EncodedEvent {
    const event = seq >= this.#oldest && seq <= this.#top ? this.#ring[seq & (this.#ring.length - 1)] : undefined
    if (!event) throw new RangeError(`event ${seq} is not between ${this.#oldest} and ${this.#top}`)
    return event
  }

  /** Whether the oldest event has to go, with room for so many. */
  overflows(capacity: number): boolean {
    const count = this.#top - this.#oldest + 1
    return count > capacity || (this.#bytes > MAX_BYTES && count > 1)
  }

  dropOldest(): void {
    this.#bytes -= this.at(this.#oldest).size
    this.#ring[this.#oldest & (this.#ring.length - 1)] = undefined
    this.#oldest++
  }

  #grow(): void {
    const before = this.#ring
    const ring = new Array<EncodedEvent | undefined>(before.length * 2).fill(undefined)
    for (let seq = this.#oldest; seq <= this.#top; seq++)
      ring[seq & (ring.length - 1)] = before[seq & (before.length - 1)]
    this.#ring = ring
  }
}
