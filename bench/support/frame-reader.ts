/** Takes the messages out of what comes from a server's WebSocket: unmasked, unfragmented frames. */
export class FrameReader {
  #rest: Buffer | undefined

  /** Calls for each message that is complete now; the bytes are valid during the call. */
  push(chunk: Buffer, onMessage: (payload: Buffer) => void): void {
    const bytes = this.#rest ? Buffer.concat([this.#rest, chunk]) : chunk
    let at = 0
    for (;;) {
      const payload = payloadAt(bytes, at)
      if (!payload || bytes.length < payload.end) break
      onMessage(bytes.subarray(payload.begin, payload.end))
      at = payload.end
    }
    this.#rest = at < bytes.length ? Buffer.from(bytes.subarray(at)) : undefined
  }
}

function payloadAt(bytes: Buffer, at: number): { begin: number; end: number } | undefined {
  if (bytes.length < at + 2) return undefined
  const length = bytes.readUInt8(at + 1)
  if (length < 126) return { begin: at + 2, end: at + 2 + length }
  const [begin, size] = length === 126 ? [at + 4, 2] : [at + 10, 6]
  if (bytes.length < begin) return undefined
  return { begin, end: begin + bytes.readUIntBE(begin - size, size) }
}
