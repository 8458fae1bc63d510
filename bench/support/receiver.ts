import { connect, type Socket } from 'node:net'
import { FrameReader } from './frame-reader.ts'

const HANDSHAKE =
  'GET /gateway HTTP/1.1\r\nHost: localhost\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n' +
  'Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n'

const isOf = (type: string) => {
  const begin = Buffer.from(`{"type":"${type}"`)
  return (payload: Buffer) => payload.subarray(0, begin.length).equals(begin)
}
const isReady = isOf('ready')
const isResumed = isOf('resumed')
export const isMessage = isOf('message_create')
export const isHeartbeatAck = isOf('heartbeat_ack')

/** The number of an event; undefined for a message that has none. */
export function sequenceOf(payload: Buffer): number | undefined {
  const seq = /"seq":(\d+)\}$/.exec(payload.toString('latin1', Math.max(0, payload.length - 24)))?.[1]
  return seq === undefined || isResumed(payload) ? undefined : Number(seq)
}

/** A client that costs little: it hands on the bytes of each message and parses none. */
export class Receiver {
  readonly token: string
  readonly #port: number
  readonly #skipsPresences: boolean
  #socket: Socket | undefined
  /** Gets each message, presences only if they are not skipped, after `ready` or before `resumed`. */
  onMessage: (payload: Buffer) => void = () => {}
  onClose: () => void = () => {}

  constructor(port: number, token: string, { skipsPresences = true } = {}) {
    this.#port = port
    this.#skipsPresences = skipsPresences
    this.token = token
  }

  /** Identifies; resolves with `ready`. */
  identify(): Promise<Buffer> {
    return this.#open({ type: 'identify', d: { token: this.token } }, isReady)
  }

  /** Resumes; resolves with `resumed`, or rejects if the server closes instead. */
  resume(sessionId: string, lastSeq: number): Promise<Buffer> {
    const d = { token: this.token, session_id: sessionId, last_seq: lastSeq }
    return this.#open({ type: 'resume', d }, isResumed)
  }

  #open(first: object, isAnswer: (payload: Buffer) => boolean): Promise<Buffer> {
    return new Promise((resolve, reject) => {
      const socket = connect(this.#port, '127.0.0.1')
      const reader = new FrameReader(this.#skipsPresences)
      let begin: Buffer | undefined = Buffer.alloc(0)
      this.#socket = socket
      socket.setNoDelay()
      socket.write(HANDSHAKE)
      socket.on('error', reject)
      socket.on('close', () => {
        reject(new Error('closed'))
        if (this.#socket === socket) this.onClose()
      })
      const receive = (payload: Buffer) => {
        if (isAnswer(payload)) resolve(Buffer.from(payload))
        else this.onMessage(payload)
      }
      socket.on('data', (chunk) => {
        if (!begin) return reader.push(chunk, receive)
        begin = Buffer.concat([begin, chunk])
        const end = begin.indexOf('\r\n\r\n')
        if (end === -1) return
        const rest = begin.subarray(end + 4)
        begin = undefined
        this.send(first)
        reader.push(rest, receive)
      })
    })
  }

  /** Sends a text frame with a mask of zeros. */
  send(message: object): void {
    const payload = Buffer.from(JSON.stringify(message))
    const length = payload.length < 126 ? [payload.length] : [126, payload.length >> 8, payload.length & 0xff]
    const header = Buffer.from([0x81, 0x80 | (length[0] ?? 0), ...length.slice(1), 0, 0, 0, 0])
    this.#socket?.write(Buffer.concat([header, payload]))
  }

  /** The connection breaks. */
  drop(): void {
    const socket = this.#socket
    this.#socket = undefined
    socket?.destroy()
  }

  /** Stops reading, or reads on. */
  pause(): void {
    this.#socket?.pause()
  }

  readOn(): void {
    this.#socket?.resume()
  }
}

/** Does something for each item, so many at a time. */
export async function inParallel<T>(
  items: readonly T[],
  width: number,
  work: (item: T) => Promise<void>,
): Promise<void> {
  let next = 0
  const worker = async () => {
    for (let item = items[next++]; item !== undefined; item = items[next++]) await work(item)
  }
  await Promise.all(Array.from({ length: width }, worker))
}
