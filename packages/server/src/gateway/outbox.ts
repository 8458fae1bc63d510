import type { Socket } from 'node:net'
import type { CloseReason } from '@vox/protocol'
import type { Clock } from '../clock.ts'
import { type FlushQueues, URGENCIES, type Urgency } from './flush-queues.ts'
import { ControlFrame } from './frames.ts'
import type { Session } from './session.ts'

/** Bytes handed to the socket at once; below its high-water mark, so that it refuses more only when the peer is slow. */
const CHUNK = 32 * 1024

/** What may wait for a slow peer, and how long (spec 06, section 12.5). */
const MAX_WAITING_BYTES = 4 * 1024 * 1024
const MAX_WAITING_MS = 30_000

/** What outboxes have in common. */
interface Shared {
  readonly clock: Clock
  readonly queues: FlushQueues
}

/** Whose outbox it is. */
interface Owner {
  close(reason: CloseReason): void
  fail(error: unknown): void
}

/**
 * The writing side of one socket.
 *
 * Events do not queue here: the outbox reads the replay buffer of its session from a position of its own, as far as the
 * socket takes bytes, and goes on when the socket has drained. So a slow peer costs no memory beyond its buffer, a
 * replay after `resume` is nothing but an earlier position, and a peer that falls behind the buffer is noticed when an
 * unsent event would have to leave it. What a replay or the presence snapshot brings is paced by the socket and is not
 * counted as waiting; all other events are, from when they were published (sections 5.3, 10.3 and 12.5 of spec 06).
 *
 * Frames go to the socket itself, in one write per turn; pings, close frames and everything incoming stay with `ws`.
 */
export class Outbox {
  readonly #socket: Socket
  readonly #compressed: boolean
  readonly #shared: Shared
  readonly #owner: Owner
  #session: Session | undefined
  #isStopped = false
  #awaitsDrain = false
  /** The most urgent queue it is in. */
  #queued: Urgency | undefined
  /** The last event handed to the socket, and where the next one is in the buffer. */
  #sent = 0
  #next = 0
  #skipped = 0
  /** The first event of the last write. */
  #written = 0
  /** The event after which `resumed` is due. */
  #resumedAfter: number | undefined
  /** The last event that a replay or snapshot brought, and when it was handed over. */
  #pacedUntil = 0
  #pacedEnd = 0
  /** How much of what the buffer ever held does not wait. */
  #settledBytes = 0

  /** `compressed`: whether messages are Zstandard frames (spec 06, section 2.3). */
  constructor(socket: Socket, compressed: boolean, shared: Shared, owner: Owner) {
    this.#socket = socket
    this.#compressed = compressed
    this.#shared = shared
    this.#owner = owner
  }

  /** Sends the events of a new session from the first one on. */
  start(session: Session): void {
    this.#follow(session, 0)
  }

  /** Sends the events after this one, `resumed` after those of now, and goes on. */
  resume(session: Session, lastSeq: number): void {
    this.#resumedAfter = session.log.top
    this.#follow(session, lastSeq)
  }

  #follow(session: Session, lastSeq: number): void {
    this.#session = session
    this.#sent = lastSeq
    const { entry, skipped } = session.log.find(lastSeq + 1)
    this.#next = entry
    this.#skipped = skipped
    this.#pace(session)
    this.flush()
  }

  /** Sends nothing any more. */
  stop(): void {
    this.#isStopped = true
    this.#session = undefined
  }

  /** Sends a message that belongs to no session, ahead of events that wait. */
  send(frame: ControlFrame): void {
    if (!this.#isStopped) this.#socket.write(frame.bytes(this.#compressed), 'latin1')
  }

  /** There are new events to send. */
  wake(urgency: Urgency): void {
    if (this.#queued && URGENCIES.indexOf(this.#queued) >= URGENCIES.indexOf(urgency)) return
    this.#queued = urgency
    this.#shared.queues[urgency].add(this)
  }

  /** Sends what the socket takes. */
  flush(): void {
    this.#queued = undefined
    if (!this.#session) return
    try {
      const isAllSent = this.#pump(this.#session)
      if (!isAllSent && this.isBehind()) this.#owner.close('SESSION_TIMEOUT')
    } catch (error) {
      this.#owner.fail(error)
    }
  }

  /** Whether this event still has to be sent to a peer that listens. */
  owes(seq: number): boolean {
    return this.#session !== undefined && this.#sent < seq
  }

  /** Whether too much waits for the peer, or has waited for too long. */
  isBehind(): boolean {
    const socket = this.#socket
    const log = this.#session?.log
    if (!log || !socket.writableNeedDrain) return false
    if (socket.writableLength + log.appendedBytes - this.#settledBytes > MAX_WAITING_BYTES) return true
    const oldest = Math.max(this.#written, this.#pacedUntil + 1, log.oldest)
    if (this.#sent < this.#pacedUntil || oldest > log.top) return false
    return this.#shared.clock.now() - Math.max(log.at(oldest).at, this.#pacedEnd) > MAX_WAITING_MS
  }

  /** Hands frames over until all are or the socket takes no more; whether all are. */
  #pump(session: Session): boolean {
    if (!session.snapshot) return this.#write(session)
    // The pages of a snapshot are small: as many as the socket takes now leave in one write.
    this.#socket.cork()
    try {
      return this.#write(session)
    } finally {
      this.#socket.uncork()
    }
  }

  #write(session: Session): boolean {
    const { log } = session
    const socket = this.#socket
    while (!socket.writableNeedDrain) {
      this.#written = this.#sent + 1
      const chunk = this.#take(session)
      if (chunk !== '') socket.write(chunk, 'latin1')
      if (this.#sent < log.top) continue
      if (!session.refill()) return true
      this.#pace(session)
    }
    this.#awaitDrain()
    return false
  }

  #awaitDrain(): void {
    if (this.#awaitsDrain) return
    this.#awaitsDrain = true
    this.#socket.once('drain', () => {
      this.#awaitsDrain = false
      this.flush()
    })
  }

  /** The next frames, joined; empty when everything is sent. */
  #take(session: Session): string {
    const { log } = session
    let chunk = this.#sent === this.#resumedAfter ? this.#resumed(session) : ''
    while (this.#sent < log.top && chunk.length < CHUNK) {
      const entry = log.entry(this.#next++)
      chunk += entry.frames(this.#sent + 1, this.#compressed, this.#skipped)
      this.#sent += entry.count - this.#skipped
      this.#skipped = 0
      // A replay or snapshot ends with the end of an entry, and so does what came before `resumed`.
      if (this.#sent > this.#pacedUntil) this.#settledBytes += entry.size
      else if (this.#sent === this.#pacedUntil) this.#pacedEnd = this.#shared.clock.now()
      if (this.#sent === this.#resumedAfter) chunk += this.#resumed(session)
    }
    return chunk
  }

  #resumed(session: Session): string {
    const frame = new ControlFrame({ type: 'resumed', d: { seq: this.#sent } })
    this.#resumedAfter = undefined
    session.heartbeatAt = this.#shared.clock.now()
    return frame.bytes(this.#compressed)
  }

  /** What the buffer holds now is paced by the socket. */
  #pace({ log }: Session): void {
    this.#pacedUntil = log.top
    this.#settledBytes = log.appendedBytes
  }
}
