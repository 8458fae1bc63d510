/** Where the type of a message begins, and the first letter of the one that comes by the million. */
const TYPE_AT = '{"type":"'.length
const PRESENCE = 'p'.charCodeAt(0)

/** Takes the messages out of what comes from a server's WebSocket: unmasked, unfragmented frames. */
export class FrameReader {
  readonly #skipsPresences: boolean
  #rest: Buffer | undefined

  constructor(skipsPresences: boolean) {
    this.#skipsPresences = skipsPresences
  }

  /** Calls for each message that is complete now; the bytes are valid during the call. */
  push(chunk: Buffer, onMessage: (payload: Buffer) => void): void {
    const bytes = this.#rest ? Buffer.concat([this.#rest, chunk]) : chunk
    let at = 0
    while (bytes.length >= at + 2) {
      const length = bytes[at + 1] ?? 0
      const begin = at + (length < 126 ? 2 : length === 126 ? 4 : 10)
      if (bytes.length < begin) break
      const end =
        begin +
        (length < 126 ? length : length === 126 ? bytes.readUIntBE(begin - 2, 2) : bytes.readUIntBE(begin - 6, 6))
      if (bytes.length < end) break
      if (!this.#skipsPresences || bytes[begin + TYPE_AT] !== PRESENCE) onMessage(bytes.subarray(begin, end))
      at = end
    }
    this.#rest = at < bytes.length ? Buffer.from(bytes.subarray(at)) : undefined
  }
}
