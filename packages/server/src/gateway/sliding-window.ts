const WINDOW_MS = 60_000

/** Counts what happened within the last 60 s, exactly; takes memory only for what lies in the window. */
export class SlidingWindow {
  readonly #times: number[] = []

  add(now: number): void {
    this.#times.push(now)
  }

  count(now: number): number {
    while ((this.#times[0] ?? now) <= now - WINDOW_MS) this.#times.shift()
    return this.#times.length
  }
}
