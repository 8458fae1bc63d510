import { MAX_SEQUENCE, snowflake, snowflakeParts } from '@vox/protocol'
import type { Clock } from './clock.ts'

/**
 * Draws snowflakes, strictly increasing. Its time never goes back: when the clock does, or when a millisecond's
 * sequence is used up, it goes on from its own last millisecond, a little ahead of the clock.
 */
export class SnowflakeSource {
  readonly #clock: Clock
  readonly #worker: number
  #timestamp = 0
  #sequence = -1

  /** `above` is the largest id given out before; the first one drawn is greater. */
  constructor(clock: Clock, worker: number, above = 0n) {
    this.#clock = clock
    this.#worker = worker
    this.#timestamp = snowflakeParts(above).timestamp
    this.#sequence = MAX_SEQUENCE
  }

  next(): bigint {
    const now = this.#clock.now()
    if (now > this.#timestamp) {
      this.#timestamp = now
      this.#sequence = 0
    } else if (this.#sequence < MAX_SEQUENCE) this.#sequence++
    else {
      this.#timestamp++
      this.#sequence = 0
    }
    return snowflake({ timestamp: this.#timestamp, worker: this.#worker, sequence: this.#sequence })
  }
}
