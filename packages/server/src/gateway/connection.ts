import type { Socket } from 'node:net'
import { CloseCode, type CloseReason, heartbeat, type Limits } from '@vox/protocol'
import type { Clock } from '../clock.ts'
import type { Place } from './admission.ts'
import { type Message, parseMessage } from './envelope.ts'
import { CommandError, GatewayClose } from './failures.ts'
import type { FlushQueues } from './flush-queues.ts'
import { ControlFrame } from './frames.ts'
import { Outbox } from './outbox.ts'
import type { Session } from './session.ts'
import { SlidingWindow } from './sliding-window.ts'
import type { GatewayWebSocket, SocketOwner } from './web-socket.ts'

/** Longest message before authentication, and longest one ever that is parsed whatever the limits are; bytes. */
const SMALL_MESSAGE = 65_536

/**
 * Bytes that may come in before authentication without a message that is handled: parts of the first one, and what waits
 * while it is looked at. Twice the longest message leaves room for the headers of fragments; what `ws` collects is
 * bounded by it long before its own limit of 16 MiB.
 */
const MAX_UNHANDLED = 2 * SMALL_MESSAGE

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
 * closes; only the heartbeats of a session wait for nothing. Without a session it is a stranger that may identify or
 * resume; with one it passes commands on.
 */
export class Connection implements SocketOwner {
  readonly place: Place
  readonly outbox: Outbox
  /** When it was opened, until something is heard of the client. */
  silentSince: number | undefined
  session: Session | undefined
  readonly #ws: GatewayWebSocket
  readonly #socket: Socket
  readonly #host: ConnectionHost
  readonly #rate = new SlidingWindow()
  /** Messages that wait for the one being handled. */
  #inbox: Message[] | undefined
  /** Bytes that had come in with the last message that was handled when it came. */
  #bytesRead: number
  #watcher: (() => void) | undefined
  #isBusy = false
  #isClosing = false
  #isClosed = false

  constructor({ ws, socket, compressed, place }: Arrival, host: ConnectionHost) {
    this.place = place
    this.silentSince = host.clock.now()
    this.#ws = ws
    this.#socket = socket
    this.#bytesRead = socket.bytesRead
    this.#host = host
    this.outbox = new Outbox(socket, compressed, host, this)
    ws.belongTo(this)
    this.#watcher = () => this.#watch()
    socket.on('data', this.#watcher)
  }

  /** Whether messages are still exchanged. */
  get isOpen(): boolean {
    return !this.#isClosed
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

  closed(): void {
    this.#leave(undefined)
    this.place.moveTo(undefined)
    this.#host.gone(this)
  }

  closing(): void {
    this.#leave(undefined)
  }

  #leave(reason: CloseReason | undefined): void {
    if (this.#isClosed) return
    this.#isClosed = true
    this.#inbox = undefined
    this.outbox.stop()
    if (this.session?.connection === this) this.#host.leaves(this.session, reason)
  }

  received(data: Buffer, isBinary: boolean): void {
    if (this.#isClosed) return
    if (!this.#isBusy) this.#bytesRead = this.#socket.bytesRead
    try {
      const message = this.#read(data, isBinary)
      const isUrgent = this.session !== undefined && message.type === heartbeat.type
      if (!this.#isBusy || isUrgent) this.#handle(message)
      else if (this.#inbox) this.#inbox.push(message)
      else this.#inbox = [message]
    } catch (error) {
      this.fail(error)
    }
  }

  /** Counts, measures and parses a message. */
  #read(data: Buffer, isBinary: boolean): Message {
    const { gateway_messages_per_minute: allowed, relay_payload_max: relayMax } = this.#host.limits()
    if (this.silentSince === undefined) this.#rate.add(this.#host.clock.now())
    this.silentSince = undefined
    if (this.#rate.count(this.#host.clock.now()) > allowed) throw new GatewayClose('RATE_LIMITED')
    if (isBinary) throw new GatewayClose('DECODE_ERROR')
    if (!this.session && data.length > SMALL_MESSAGE) throw new GatewayClose('DECODE_ERROR')
    if (data.length > Math.max(SMALL_MESSAGE, 4 * relayMax))
      throw new CommandError('PAYLOAD_TOO_LARGE', 'The message is too large.')
    return parseMessage(data)
  }

  #handle(message: Message): void {
    try {
      const work = this.#host.handle(this, message)
      if (work) this.#await(work)
    } catch (error) {
      this.fail(error)
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
    if (this.session) this.#endWatch()
    this.#handleWaiting()
  }

  #handleWaiting(): void {
    while (!this.#isBusy) {
      const message = this.#inbox?.shift()
      if (!message) break
      this.#handle(message)
    }
    if (this.#inbox?.length === 0) this.#inbox = undefined
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
    if (this.#socket.bytesRead - this.#bytesRead > MAX_UNHANDLED) this.close('DECODE_ERROR')
  }

  #endWatch(): void {
    if (this.#watcher) this.#socket.off('data', this.#watcher)
    this.#watcher = undefined
  }
}
