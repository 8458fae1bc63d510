import type { Socket } from 'node:net'
import { CloseCode, type CloseReason, type Limits } from '@vox/protocol'
import type { Clock } from '../clock.ts'
import type { Place } from './admission.ts'
import { type Message, parseMessage } from './envelope.ts'
import { CommandError, GatewayClose } from './failures.ts'
import { ControlFrame } from './frames.ts'
import { type FlushQueues, Outbox } from './outbox.ts'
import type { Session } from './session.ts'
import { SlidingWindow } from './sliding-window.ts'
import type { GatewayWebSocket } from './web-socket.ts'

/** Longest message before authentication, and longest one ever that is parsed whatever the limits are; bytes. */
const SMALL_MESSAGE = 65_536

/**
 * Bytes that may come in before authentication without a whole message among them. Twice the longest message leaves
 * room for the headers of fragments; what `ws` collects is bounded by it long before its own limit of 16 MiB.
 */
const MAX_UNFINISHED = 2 * SMALL_MESSAGE

/** What a connection begins with. */
export interface Arrival {
  ws: GatewayWebSocket
  socket: Socket
  /** Whether the client wants Zstandard frames. */
  compressed: boolean
  place: Place
}

/** What connections have in common. */
export interface ConnectionHost {
  readonly clock: Clock
  readonly queues: FlushQueues
  limits(): Limits
  /** Handles a message. Those that come meanwhile wait until the promise, if there is one, has settled. */
  handle(connection: Connection, message: Message): void | Promise<void>
  /** We are closing a connection, for this reason. */
  closes(reason: CloseReason): void
  /** The connection is being closed, for this reason if it was us, and serves its session no longer. */
  leaves(session: Session, reason: CloseReason | undefined): void
  /** Its TCP connection is gone. */
  gone(connection: Connection): void
  /** Handling a message failed for no reason the protocol knows. */
  report(error: unknown): void
}

/**
 * One socket's life: messages come in, are counted, measured, read and handled one after the other, until one side
 * closes. Without a session it is a stranger that may identify or resume; with one it passes commands on.
 */
export class Connection {
  readonly place: Place
  readonly outbox: Outbox
  readonly openedAt: number
  session: Session | undefined
  readonly #ws: GatewayWebSocket
  readonly #socket: Socket
  readonly #host: ConnectionHost
  readonly #rate = new SlidingWindow()
  readonly #inbox: Message[] = []
  /** Bytes that had come in with the last whole message. */
  #bytesRead: number
  readonly #watcher = () => this.#watch()
  #hasSpoken = false
  #isBusy = false
  #isClosing = false
  #isClosed = false

  constructor({ ws, socket, compressed, place }: Arrival, host: ConnectionHost) {
    this.place = place
    this.openedAt = host.clock.now()
    this.#ws = ws
    this.#socket = socket
    this.#bytesRead = socket.bytesRead
    this.#host = host
    this.outbox = new Outbox(socket, compressed, host, this)
    ws.on('message', (data, isBinary) => this.#receive(data as Buffer, isBinary))
    ws.on('closing', () => this.#leave(undefined))
    ws.on('close', () => this.#gone())
    // `ws` closes the connection by itself; the listener only keeps the error from being thrown.
    ws.on('error', () => {})
    socket.on('data', this.#watcher)
  }

  /** Whether messages are still exchanged. */
  get isOpen(): boolean {
    return !this.#isClosed
  }

  /** Whether anything has been heard of the client. */
  get hasSpoken(): boolean {
    return this.#hasSpoken
  }

  /** Closes the connection once what its session was told has been sent. */
  close(reason: CloseReason): void {
    if (this.#isClosed || this.#isClosing) return
    // The flush below may find the peer too far behind, and ask for what is already being done.
    this.#isClosing = true
    this.#host.closes(reason)
    if (this.session?.connection === this) this.outbox.flush()
    this.#leave(reason)
    this.#ws.close(CloseCode[reason], reason)
  }

  #gone(): void {
    this.#leave(undefined)
    this.place.moveTo(undefined)
    this.#host.gone(this)
  }

  #leave(reason: CloseReason | undefined): void {
    if (this.#isClosed) return
    this.#isClosed = true
    this.#inbox.length = 0
    this.outbox.stop()
    if (this.session?.connection === this) this.#host.leaves(this.session, reason)
  }

  #receive(data: Buffer, isBinary: boolean): void {
    if (this.#isClosed) return
    this.#bytesRead = this.#socket.bytesRead
    try {
      this.#inbox.push(this.#read(data, isBinary))
      this.#work()
    } catch (error) {
      this.fail(error)
    }
  }

  /** Counts, measures and parses a message. */
  #read(data: Buffer, isBinary: boolean): Message {
    const { gateway_messages_per_minute: allowed, relay_payload_max: relayMax } = this.#host.limits()
    if (this.#hasSpoken) this.#rate.add(this.#host.clock.now())
    this.#hasSpoken = true
    if (this.#rate.count(this.#host.clock.now()) > allowed) throw new GatewayClose('RATE_LIMITED')
    if (isBinary) throw new GatewayClose('DECODE_ERROR')
    if (!this.session && data.length > SMALL_MESSAGE) throw new GatewayClose('DECODE_ERROR')
    if (data.length > Math.max(SMALL_MESSAGE, 4 * relayMax))
      throw new CommandError('PAYLOAD_TOO_LARGE', 'The message is too large.')
    return parseMessage(data)
  }

  #work(): void {
    while (!this.#isBusy) {
      const message = this.#inbox.shift()
      if (!message) return
      try {
        const work = this.#host.handle(this, message)
        if (work) this.#await(work)
      } catch (error) {
        this.fail(error)
      }
    }
  }

  async #await(work: Promise<void>): Promise<void> {
    this.#isBusy = true
    try {
      await work
    } catch (error) {
      this.fail(error)
    }
    this.#isBusy = false
    this.#work()
  }

  /** Answers an error as the protocol wants it: in-band, or by closing. */
  fail(error: unknown): void {
    if (error instanceof CommandError)
      this.outbox.send(new ControlFrame({ type: 'error', d: { code: error.code, message: error.message } }))
    else if (error instanceof GatewayClose) this.close(error.reason)
    else {
      this.#host.report(error)
      this.close('UNKNOWN_ERROR')
    }
  }

  /** Closes a stranger that sends more than any first message takes; called for all that comes in until it is known. */
  #watch(): void {
    if (this.session) this.#socket.off('data', this.#watcher)
    else if (this.#socket.bytesRead - this.#bytesRead > MAX_UNFINISHED) this.close('DECODE_ERROR')
  }
}
