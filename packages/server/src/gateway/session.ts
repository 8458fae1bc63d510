import { randomBytes } from 'node:crypto'
import type { Limits } from '@vox/protocol'
import { NOTHING } from './announcements.ts'
import type { CatchUp } from './catch-up.ts'
import type { Connection } from './connection.ts'
import type { Entry } from './event-batch.ts'
import type { Urgency } from './flush-queues.ts'
import type { Outbox } from './outbox.ts'
import { ReplayBuffer } from './replay-buffer.ts'

/**
 * What one client is told, in order and numbered, across all the connections it takes. Live while it has a connection;
 * without one it can be resumed for a while, and what it would have received is numbered and kept all the same.
 */
export class Session {
  readonly id = `sess_${randomBytes(12).toString('hex')}`
  readonly userId: number
  readonly log = new ReplayBuffer()
  readonly #limits: () => Limits
  /** The auth session it was opened or last resumed with, and when that expires. */
  authSessionId = 0
  authExpiresAt = 0
  #connection: Connection | undefined
  /** The outbox of the connection, at hand because each event goes there. */
  #outbox: Outbox | undefined
  /** When the last heartbeat came. */
  heartbeatAt = 0
  /** When the connection was lost. */
  lostAt = 0
  /** Of which changes of presences the snapshot has told the client. */
  knows = NOTHING
  /** Presences the client has not been told yet. */
  snapshot: Iterator<Entry> | undefined
  /** What the user is owed comes before anything else. */
  catchUp: CatchUp | undefined

  constructor(userId: number, limits: () => Limits) {
    this.userId = userId
    this.#limits = limits
  }

  get connection(): Connection | undefined {
    return this.#connection
  }

  set connection(connection: Connection | undefined) {
    this.#connection = connection
    this.#outbox = connection?.outbox
  }

  get isLive(): boolean {
    return this.#connection !== undefined
  }

  /** Gives the event, or each of a batch, the next number and sends it as soon as this urgency asks, or on resume. */
  append(entry: Entry, urgency: Urgency = 'soon'): void {
    if (this.catchUp) {
      if (!this.catchUp.hold(entry, this.#limits().replay_buffer_events)) this.endCatchUp()
      return
    }
    this.log.append(entry)
    this.#appended(urgency)
  }

  /** Goes on with what was held back; what the user is still owed stays so. */
  endCatchUp(): void {
    if (!this.catchUp) return
    const { held } = this.catchUp
    this.catchUp = undefined
    this.#appendAll(held)
  }

  /** All are in the buffer before any is sent, because sending brings up what comes next. */
  #appendAll(entries: readonly Entry[]): void {
    for (const entry of entries) this.log.append(entry)
    this.#appended('soon')
  }

  #appended(urgency: Urgency): void {
    const capacity = this.#limits().replay_buffer_events
    while (this.log.overflows(capacity)) this.#dropOldest()
    this.#outbox?.wake(urgency)
  }

  /** Appends the next part of what the user is owed, then of the presence snapshot; false when there is none now. */
  refill(): boolean {
    if (this.catchUp) return this.#catchUpOn(this.catchUp)
    const next = this.snapshot?.next()
    if (next && !next.done) this.append(next.value)
    else this.snapshot = undefined
    return this.snapshot !== undefined
  }

  #catchUpOn(catchUp: CatchUp): boolean {
    const page = catchUp.take(
      this.#limits().replay_buffer_events,
      () => this.#outbox?.wake('soon'),
      (error) => this.#connection?.fail(error),
    )
    if (catchUp.isOver) this.endCatchUp()
    else if (page.length > 0) this.#appendAll(page)
    return catchUp.isOver || page.length > 0
  }

  /** An event that leaves the buffer unsent would be missing in the middle of the sequence (spec 06, section 12.5). */
  #dropOldest(): void {
    const { oldest } = this.log
    if (this.#outbox?.owes(oldest)) this.#outbox.flush()
    if (this.#outbox?.owes(oldest)) this.#connection?.close('REPLAY_EXHAUSTED')
    this.log.dropOldest()
  }
}
