/** Lets each user have at most so many things done at once; what is more waits for its turn. */
export class Turns {
  readonly #atOnce: number
  /** How many are being done for a user, and what wakes those that wait. */
  readonly #busy = new Map<number, { running: number; waiting: (() => void)[] }>()

  constructor(atOnce: number) {
    this.#atOnce = atOnce
  }

  async take<T>(userId: number, work: () => Promise<T>): Promise<T> {
    const mine = this.#busy.get(userId) ?? { running: 0, waiting: [] }
    this.#busy.set(userId, mine)
    if (mine.running < this.#atOnce) mine.running++
    else await new Promise<void>((wake) => mine.waiting.push(wake))
    try {
      return await work()
    } finally {
      const next = mine.waiting.shift()
      // Whoever waits takes over this place.
      if (next) next()
      else if (--mine.running === 0) this.#busy.delete(userId)
    }
  }
}
