import { isMessage, type Receiver } from './receiver.ts'

/**
 * Posts messages and measures, at each of some receivers, how long the nth message took from its request. What is asked
 * for is what has been measured since the last time somebody asked.
 */
export class Latencies {
  readonly #url: string
  readonly #isOurs: (payload: Buffer) => boolean
  readonly #sentAt: number[] = []
  #measured: number[] = []

  /** Messages in this feed, with bodies of this size in bytes or of an ordinary one. */
  constructor(port: number, feedId: number, size?: number) {
    this.#url = `http://127.0.0.1:${port}/send?feed=${feedId}${size === undefined ? '' : `&size=${size}`}`
    const mark = Buffer.from(`"feed_id":${feedId}`)
    this.#isOurs = (payload) => isMessage(payload) && payload.includes(mark)
  }

  /** The receiver is told of all messages from now on. */
  watch(receiver: Receiver): void {
    let received = 0
    receiver.onMessage = (payload) => {
      if (this.#isOurs(payload)) this.#measured.push(performance.now() - (this.#sentAt[received++] ?? 0))
    }
  }

  get sent(): number {
    return this.#sentAt.length
  }

  async post(): Promise<void> {
    this.#sentAt.push(performance.now())
    await fetch(this.#url, { method: 'POST' })
  }

  /** Posts one message after the other, every so many milliseconds for so long, or as long as `isGoing` says. */
  async postEvery(ms: number, isGoing: number | (() => boolean)): Promise<void> {
    const end = typeof isGoing === 'number' ? performance.now() + isGoing : 0
    const goesOn = typeof isGoing === 'number' ? () => performance.now() < end : isGoing
    while (goesOn()) {
      const next = performance.now() + ms
      await this.post()
      await new Promise((resolve) => setTimeout(resolve, Math.max(0, next - performance.now())))
    }
  }

  /** What was measured, and how much of it; milliseconds. */
  take(): { 'p50 ms': number; 'p99 ms': number; 'most ms': number; deliveries: number } {
    const sorted = this.#measured.sort((a, b) => a - b)
    this.#measured = []
    const at = (share: number) =>
      Number((sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? Number.NaN).toFixed(1))
    return { 'p50 ms': at(0.5), 'p99 ms': at(0.99), 'most ms': at(1), deliveries: sorted.length }
  }
}
