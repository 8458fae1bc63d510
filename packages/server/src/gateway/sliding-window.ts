const WINDOW_MS = 60_000

/** So few times are kept in an array without room for more: most windows never hold more. */
const FEW = 8

/** Never written to. */
const NOTHING: number[] = []

/** Counts what happened within the last 60 s, exactly; takes memory only for what lies in the window. */
export class SlidingWindow {
  #times = NOTHING

  add(now: number): void {
    if (this.#times.length < FEW) this.#times = this.#times.concat(now)
    else this.#times.push(now)
  }

  count(now: number): number {
    while ((this.#times[0] ?? now) <= now - WINDOW_MS) this.#times.shift()
    return this.#times.length
  }
}
