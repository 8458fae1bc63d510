/** Bytes that are not what they should be; nothing else is ever thrown while MLS bytes are read. */
export class MlsRefusal extends Error {
  constructor(problem: string) {
    super(problem)
    this.name = 'MlsRefusal'
  }
}

/**
 * Reads the encoding of RFC 9420 from the front: big-endian integers and vectors that begin with their length (spec 05,
 * section 13.1). Total: any bytes end in values or in an {@link MlsRefusal}, and no more is read than there is.
 */
export class MlsReader {
  readonly #bytes: Uint8Array
  readonly #view: DataView
  #at = 0

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  }

  get isAtEnd(): boolean {
    return this.#at === this.#bytes.length
  }

  u8(): number {
    return this.#view.getUint8(this.#take(1))
  }

  u16(): number {
    return this.#view.getUint16(this.#take(2))
  }

  u32(): number {
    return this.#view.getUint32(this.#take(4))
  }

  u64(): bigint {
    return this.#view.getBigUint64(this.#take(8))
  }

  /** A vector `<V>`: its length takes 1, 2 or 4 bytes, as the first two bits say, and no more than it needs. */
  vector(): Uint8Array {
    const length = this.#length()
    const start = this.#take(length)
    return this.#bytes.subarray(start, start + length)
  }

  /** The elements of a vector `<V>`, each as `read` finds it. */
  list<T>(read: (element: MlsReader) => T): T[] {
    const elements = new MlsReader(this.vector())
    const list: T[] = []
    while (!elements.isAtEnd) list.push(read(elements))
    return list
  }

  /** Passes over a head if the bytes go on with it; whether they did. */
  skip(head: readonly number[]): boolean {
    const found = head.every((byte, index) => this.#bytes[this.#at + index] === byte)
    if (found) this.#at += head.length
    return found
  }

  /** @throws MlsRefusal if there is more. */
  end(): void {
    if (!this.isAtEnd) throw new MlsRefusal('there are bytes behind the end')
  }

  #length(): number {
    const first = this.u8()
    const bits = first & 0x3f
    switch (first >> 6) {
      case 0:
        return bits
      case 1:
        return minimal((bits << 8) | this.u8(), 1 << 6)
      case 2:
        return minimal(((bits << 24) | (this.u8() << 16) | this.u16()) >>> 0, 1 << 14)
      default:
        throw new MlsRefusal('a length begins with 11')
    }
  }

  #take(count: number): number {
    const start = this.#at
    if (count > this.#bytes.length - start) throw new MlsRefusal('the bytes end too early')
    this.#at += count
    return start
  }
}

function minimal(length: number, least: number): number {
  if (length < least) throw new MlsRefusal('a length takes more bytes than it needs')
  return length
}

/** What precedes a vector `<V>` of so many bytes, fewer than 2^30. */
export function vectorHead(length: number): Uint8Array {
  if (length < 1 << 6) return Uint8Array.of(length)
  if (length < 1 << 14) return Uint8Array.of(0x40 | (length >> 8), length & 0xff)
  return Uint8Array.of(0x80 | (length >> 24), (length >> 16) & 0xff, (length >> 8) & 0xff, length & 0xff)
}
