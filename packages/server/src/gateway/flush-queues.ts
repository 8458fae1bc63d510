import type { Clock } from '../clock.ts'

/** For how long one queue may keep the event loop; milliseconds. */
const SLICE_MS = 2

/** How many outboxes write between two looks at the time. */
const LOOK_EVERY = 16

/** How soon events want to be sent. */
export type Urgency = 'later' | 'soon' | 'first'

/** From the least to the most urgent. */
export const URGENCIES: readonly Urgency[] = ['later', 'soon', 'first']

/** What waits for its turn to write. */
interface Flushable {
  flush(): void
}

/** Outboxes that have something to write, one after the other. If that takes long, others get a turn in between. */
class FlushQueue {
  #waiting: Flushable[] = []
  #isScheduled = false

  add(outbox: Flushable): void {
    this.#waiting.push(outbox)
    this.#schedule()
  }

  #schedule(): void {
    if (this.#isScheduled) return
    this.#isScheduled = true
    setImmediate(() => this.#flush())
  }

  #flush(): void {
    const end = performance.now() + SLICE_MS
    let flushed = 0
    do this.#waiting[flushed++]?.flush()
    while (flushed < this.#waiting.length && (flushed % LOOK_EVERY > 0 || performance.now() < end))
    this.#waiting.splice(0, flushed)
    this.#isScheduled = false
    if (this.#waiting.length > 0) this.#schedule()
  }
}

/** Outboxes that wait a moment for more to write before they join the queue. */
class Patience {
  readonly #clock: Clock
  readonly #ms: number
  readonly #queue: FlushQueue
  #waiting: Flushable[] = []

  constructor(clock: Clock, ms: number, queue: FlushQueue) {
    this.#clock = clock
    this.#ms = ms
    this.#queue = queue
  }

  add(outbox: Flushable): void {
    if (this.#waiting.push(outbox) === 1) this.#clock.after(this.#ms, () => this.#end())
  }

  #end(): void {
    const waiting = this.#waiting
    this.#waiting = []
    for (const outbox of waiting) this.#queue.add(outbox)
  }
}

/**
 * When outboxes write: at the end of the turn of the event loop in which they got something, or, if that can wait, a
 * moment later together with whatever came until then. What a thousand receive is written in slices, and what few
 * receive does not wait for the end of it: a busy feed does not slow the others down.
 */
export class FlushQueues {
  readonly first = new FlushQueue()
  readonly soon = new FlushQueue()
  readonly later: FlushQueue | Patience

  constructor(clock: Clock, patience: number) {
    this.later = patience > 0 ? new Patience(clock, patience, this.soon) : this.soon
  }
}
