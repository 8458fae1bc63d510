import type { DataOf, GatewayEvent } from '@vox/protocol'
import { type EncodedEvent, encodeEvent } from './frames.ts'

/**
 * An event that one session alone receives. It is sent once, and hardly ever again for a resume, so the text is kept
 * only until it has been sent; then the data stay, which take less memory, and it is written anew when asked for.
 */
export class OwnEvent<E extends GatewayEvent = GatewayEvent> {
  readonly size: number
  /** When it was published; Unix milliseconds. */
  readonly at: number
  readonly #event: E
  readonly #data: DataOf<E>
  #encoded: EncodedEvent | undefined

  constructor(event: E, data: DataOf<E>, at: number) {
    this.#event = event
    this.#data = data
    this.at = at
    this.#encoded = this.#encode()
    this.size = this.#encoded.size
  }

  get count(): number {
    return 1
  }

  event(index: number): EncodedEvent | undefined {
    return index === 0 ? (this.#encoded ?? this.#encode()) : undefined
  }

  /** The whole frame. */
  frames(seq: number, compressed: boolean): string {
    const encoded = this.#encoded ?? this.#encode()
    this.#encoded = undefined
    return encoded.frames(seq, compressed)
  }

  #encode(): EncodedEvent {
    return encodeEvent(this.#event, this.#data, this.at)
  }
}
