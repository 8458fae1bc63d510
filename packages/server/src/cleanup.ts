import type { Logger } from 'pino'
import type { Clock, Timer } from './clock.ts'

const HOUR_MS = 3_600_000

interface Step {
  /** What is removed, for the log. */
  name: string
  run: () => Promise<unknown>
}

/**
 * Removes what has expired, once an hour (spec 01, section 13.4). That frees space and nothing else: whatever expires
 * counts as gone from that moment on. Each step stands for itself; one that fails is logged and tried again in an hour.
 */
export class Cleanup {
  readonly #steps: Step[] = []
  readonly #log: Logger
  readonly #timer: Timer
  #round: Promise<void> | undefined

  constructor({ clock, log }: { clock: Clock; log: Logger }) {
    this.#log = log
    this.#timer = clock.every(HOUR_MS, () => {
      this.#round ??= this.#runAll()
    })
  }

  add(name: string, run: Step['run']): void {
    this.#steps.push({ name, run })
  }

  /** Begins no further round; resolves when a running one is done. */
  async stop(): Promise<void> {
    this.#timer.cancel()
    await this.#round
  }

  async #runAll(): Promise<void> {
    for (const { name, run } of this.#steps)
      try {
        await run()
      } catch (err) {
        this.#log.error({ err }, `removing ${name} failed`)
      }
    this.#round = undefined
  }
}
