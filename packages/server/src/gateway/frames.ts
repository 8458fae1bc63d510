/**
 * The bytes of server messages.
 *
 * Everything on its way to a socket is kept as a string with one character per byte, written with the encoding
 * `latin1`. Node hands such a string to the socket without an intermediate buffer, joining strings copies nothing until
 * then, and a kept one costs one byte of memory per byte. Frames of a server are not masked, so they are a header and
 * the payload, and most of both is the same for all receivers.
 */
import { type ControlMessage, type DataOf, type GatewayEvent, stringifyJson } from '@vox/protocol'
import { serializerOf } from '../serialize.ts'
import { frameHeader, lastBlockHeader, sharedBlocks, zstdFrame } from './zstd.ts'

const TEXT = 0x81
const BINARY = 0x82

const bytesOf = (buffer: Buffer): string => buffer.toString('latin1')

/** The UTF-8 bytes of a text. */
const encodeText = (text: string): string =>
  Buffer.byteLength(text) === text.length ? text : bytesOf(Buffer.from(text))

/** Messages shorter than this have a header of two bytes. */
const SHORT = 126

const SHORT_TEXT_HEADERS: readonly string[] = Array.from({ length: SHORT }, (_, length) =>
  String.fromCharCode(TEXT, length),
)

/** Header of an unfragmented, unmasked WebSocket message (RFC 6455, section 5.2). */
function messageHeader(opcode: number, length: number): string {
  if (length < SHORT) return String.fromCharCode(opcode, length)
  if (length < 65_536) return String.fromCharCode(opcode, 126, length >> 8, length & 0xff)
  const long = Buffer.alloc(8)
  long.writeBigUInt64BE(BigInt(length))
  return String.fromCharCode(opcode, 127) + bytesOf(long)
}

/** A control message with its frames in both forms, each made when it is first wanted. */
export class ControlFrame {
  readonly #text: string
  #plain: string | undefined
  #compressed: string | undefined

  constructor(message: ControlMessage) {
    this.#text = stringifyJson(message)
  }

  bytes(compressed: boolean): string {
    if (compressed) {
      this.#compressed ??= framed(BINARY, bytesOf(zstdFrame(Buffer.from(this.#text))))
      return this.#compressed
    }
    this.#plain ??= framed(TEXT, encodeText(this.#text))
    return this.#plain
  }
}

const framed = (opcode: number, payload: string): string => messageHeader(opcode, payload.length) + payload

/**
 * A sequenced event, serialised once for all its receivers. What precedes the sequence number in a frame depends on the
 * number only by its count of digits, so it is made once per count and form and shared from then on; a receiver adds
 * `,"seq":N}`.
 */
export class EncodedEvent {
  /** When it was published; Unix milliseconds. */
  readonly at: number
  /** `{"type":…,"d":…`: the message without its end. */
  readonly head: string
  /** What precedes the tail, the last one made and the length of its tail; all of them, where they are costly. */
  #plainLead = ''
  #plainTail = 0
  #compressedLeads: string[] | undefined
  #blocks: string | undefined

  constructor(type: string, data: string, at: number) {
    this.head = encodeText(`{"type":"${type}","d":${data}`)
    this.at = at
  }

  /** Size of its JSON in bytes, without the sequence number. */
  get size(): number {
    return this.head.length
  }

  get count(): number {
    return 1
  }

  event(index: number): EncodedEvent | undefined {
    return index === 0 ? this : undefined
  }

  /** The whole frame for a session in which it has this number. */
  frames(seq: number, compressed: boolean): string {
    const tail = `,"seq":${seq}}`
    return (compressed ? this.#compressedLeadOf(tail.length) : this.#plainLeadOf(tail.length)) + tail
  }

  #plainLeadOf(tail: number): string {
    // Cheaper to join than to keep: there is one presence of everybody online.
    const header = SHORT_TEXT_HEADERS[this.size + tail]
    if (header !== undefined) return header + this.head
    if (tail !== this.#plainTail) {
      this.#plainTail = tail
      this.#plainLead = messageHeader(TEXT, this.size + tail) + this.head
    }
    return this.#plainLead
  }

  #compressedLeadOf(tail: number): string {
    this.#compressedLeads ??= []
    let lead = this.#compressedLeads[tail]
    if (lead === undefined) {
      lead = this.#compress(tail)
      this.#compressedLeads[tail] = lead
    }
    return lead
  }

  #compress(tail: number): string {
    this.#blocks ??= bytesOf(sharedBlocks(Buffer.from(this.head, 'latin1')))
    const lead = bytesOf(frameHeader(this.size + tail)) + this.#blocks + bytesOf(lastBlockHeader(tail))
    return messageHeader(BINARY, lead.length + tail) + lead
  }
}

/** Serialises an event. */
export function encodeEvent<E extends GatewayEvent>(event: E, data: DataOf<E>, at: number): EncodedEvent {
  return new EncodedEvent(event.type, serializerOf(event.data)(data), at)
}
