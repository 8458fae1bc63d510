import type { EncodedEvent } from './frames.ts'
import type { OwnEvent } from './own-event.ts'

/** What goes into a session's sequence at once: an event, or several that many sessions are told in a row. */
export type Entry = EncodedEvent | EventBatch | OwnEvent

/** How many events one batch holds at most (spec 06, section 10.3). */
export const BATCH = 50

/**
 * Events that many sessions are told in a row: a replay buffer needs one reference for all of them. Sessions that have
 * come to the same number, as those have that connected one after the other, share the frames as well. They are kept
 * from the second time on that somebody asks for them, so that a batch of a single session keeps none.
 */
export class EventBatch {
  readonly events: readonly EncodedEvent[]
  /** Size of their JSON in bytes, without the sequence numbers. */
  readonly size: number
  /** Which frames were asked for last, and those if it was not the first time. */
  #asked = 0
  #frames: string | undefined

  constructor(events: readonly EncodedEvent[]) {
    this.events = events
    this.size = events.reduce((sum, event) => sum + event.size, 0)
  }

  get count(): number {
    return this.events.length
  }

  event(index: number): EncodedEvent | undefined {
    return this.events[index]
  }

  /** The frames of all events but the first few; `first` is the number of the first that is not skipped. */
  frames(first: number, compressed: boolean, skipped: number): string {
    if (skipped > 0) return this.#joined(first, compressed, skipped)
    // Numbers begin with 1, so the two forms of frames can be told apart by the sign.
    const asked = compressed ? -first : first
    if (asked !== this.#asked) {
      this.#asked = asked
      this.#frames = undefined
      return this.#joined(first, compressed, 0)
    }
    this.#frames ??= this.#joined(first, compressed, 0)
    return this.#frames
  }

  #joined(first: number, compressed: boolean, skipped: number): string {
    const frames: string[] = []
    for (let i = skipped; i < this.events.length; i++)
      frames.push(this.events[i]?.frames(first + i - skipped, compressed) ?? '')
    return frames.join('')
  }
}

/** The events as entries. */
export function entriesOf(events: readonly EncodedEvent[]): Entry[] {
  const [only] = events
  if (events.length === 1 && only) return [only]
  const batches: Entry[] = []
  for (let i = 0; i < events.length; i += BATCH) batches.push(new EventBatch(events.slice(i, i + BATCH)))
  return batches
}
