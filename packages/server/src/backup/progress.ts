import { readableSize } from '../readable-size.ts'

/** How often a long copy says how far it is. */
const INTERVAL_MS = 2_000

/** Tells whoever waits what is being done, and of many files how many are. */
export class Progress {
  readonly #say: (line: string) => void
  #files = 0
  #bytes = 0
  #saidAt = Date.now()

  constructor(say: (line: string) => void) {
    this.#say = say
  }

  step(line: string): void {
    this.#say(line)
  }

  /** One more file has been copied. */
  count(bytes: number): void {
    this.#files++
    this.#bytes += bytes
    if (Date.now() - this.#saidAt < INTERVAL_MS) return
    this.#saidAt = Date.now()
    this.#say(`  ${this.files}`)
  }

  /** How many files there have been until now. */
  get files(): string {
    return `${this.#files} uploaded file${this.#files === 1 ? '' : 's'}, ${readableSize(this.#bytes)}`
  }
}
