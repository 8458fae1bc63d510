import type { Clock, Timer } from '../../src/clock.ts'

interface Pending {
  at: number
  /** Milliseconds until it is due again, for timers that repeat. */
  every: number | undefined
  call: () => void
}

/** A clock that stands still until a test moves it. */
export class TestClock implements Clock {
  #now: number
  readonly #pending = new Set<Pending>()

  /** Starts at this time, in Unix milliseconds. */
  constructor(now = Date.UTC(2026, 0, 1)) {
    this.#now = now
  }

  now(): number {
    return this.#now
  }

  after(ms: number, call: () => void): Timer {
    return this.#add({ at: this.#now + ms, every: undefined, call })
  }

  every(ms: number, call: () => void): Timer {
    return this.#add({ at: this.#now + ms, every: ms, call })
  }

  /** Lets time pass; timers that fall due are called in their order, each at its own time. */
  advance(ms: number): void {
    const end = this.#now + ms
    for (let next = this.#nextUntil(end); next; next = this.#nextUntil(end)) {
      this.#now = next.at
      if (next.every === undefined) this.#pending.delete(next)
      else next.at += next.every
      next.call()
    }
    this.#now = end
  }

  #add(pending: Pending): Timer {
    this.#pending.add(pending)
    return { cancel: () => this.#pending.delete(pending) }
  }

  #nextUntil(end: number): Pending | undefined {
    let next: Pending | undefined
    for (const pending of this.#pending) if (pending.at <= end && (!next || pending.at < next.at)) next = pending
    return next
  }
}
