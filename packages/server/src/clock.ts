/** A pending call of {@link Clock.after} or {@link Clock.every}. */
export interface Timer {
  cancel(): void
}

/** Time, injected everywhere so that tests move it instead of waiting for it. */
export interface Clock {
  /** Unix milliseconds. */
  now(): number
  /** Calls once, `ms` from now. Pending timers do not keep the process alive. */
  after(ms: number, call: () => void): Timer
  /** Calls again and again, every `ms`. */
  every(ms: number, call: () => void): Timer
}

/** The real time. */
export const systemClock: Clock = {
  now: Date.now,
  after(ms, call) {
    const timer = setTimeout(call, ms).unref()
    return { cancel: () => clearTimeout(timer) }
  },
  every(ms, call) {
    const timer = setInterval(call, ms).unref()
    return { cancel: () => clearInterval(timer) }
  },
}

/** Unix seconds, rounded down. */
export const seconds = (ms: number): number => Math.floor(ms / 1000)
