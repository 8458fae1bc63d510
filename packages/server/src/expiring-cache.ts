import type { Clock } from './clock.ts'

interface Entry<T> {
  value: Promise<T>
  until: number
}

/** Keeps what was expensive to get for some time. Whoever asks while it is being got waits for it too. */
export class ExpiringCache<T> {
  readonly #entries = new Map<string, Entry<T>>()
  readonly #clock: Clock
  readonly #ttlMs: number
  readonly #max: number

  constructor(clock: Clock, { ttlMs, max }: { ttlMs: number; max: number }) {
    this.#clock = clock
    this.#ttlMs = ttlMs
    this.#max = max
  }

  /** What is kept under the key, or else comes of `produce`; a failure is not kept. */
  get(key: string, produce: () => Promise<T>): Promise<T> {
    const known = this.#entries.get(key)
    if (known && known.until > this.#clock.now()) return known.value
    const entry = { value: produce(), until: this.#clock.now() + this.#ttlMs }
    this.#entries.delete(key)
    this.#entries.set(key, entry)
    entry.value.catch(() => this.#entries.get(key) === entry && this.#entries.delete(key))
    this.#dropOldest()
    return entry.value
  }

  /** Entries stand in the order in which they expire. */
  #dropOldest(): void {
    for (const [key, { until }] of this.#entries) {
      if (this.#entries.size <= this.#max && until > this.#clock.now()) break
      this.#entries.delete(key)
    }
  }
}
