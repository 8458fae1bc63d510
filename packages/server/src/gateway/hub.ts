import { type CloseReason, PROTOCOL_VERSION, ready } from '@vox/protocol'
import { seconds } from '../clock.ts'
import type { Backlog } from './backlog.ts'
import { CatchUp } from './catch-up.ts'
import type { Connection } from './connection.ts'
import type { GatewayContext, Identity, Timings } from './context.ts'
import { BATCH, type Entry } from './event-batch.ts'
import { OwnEvent } from './own-event.ts'
import type { Presences } from './presence.ts'
import { Session } from './session.ts'
import type { SessionTable } from './session-table.ts'

/** Resumable sessions that are kept per user (spec 06, section 5.2). */
const MAX_RESUMABLE = 5

/** What the server offers, the same for every client. */
const CAPABILITIES = ['voice', 'e2ee', 'federation', 'bots', 'webhooks']

/**
 * The life of sessions: opened by `identify`, lost with their connection, resumed or given up. Each step is one
 * synchronous piece of work, so no event can fall between a session's place in the table and its first number.
 */
export class Hub {
  readonly #context: GatewayContext
  readonly #sessions: SessionTable
  readonly #presences: Presences
  readonly #heartbeatTimeout: number
  readonly #caughtUpListeners: ((userId: number) => void)[] = []
  #revocations = 0
  /** How often a session was opened and resumed. */
  opened = 0
  resumed = 0

  constructor(context: GatewayContext, timings: Timings, sessions: SessionTable, presences: Presences) {
    this.#context = context
    this.#sessions = sessions
    this.#presences = presences
    this.#heartbeatTimeout = 1.5 * timings.heartbeatInterval
  }

  /** Rises when sessions are ended from outside, so that a login under way knows that its answer may be outdated. */
  get revocations(): number {
    return this.#revocations
  }

  liveSessionsOf(userId: number): readonly Session[] {
    return this.#sessions.of(userId).filter(({ isLive }) => isLive)
  }

  /** Whether the user has a session that is live or can be resumed. */
  hasSession(userId: number): boolean {
    return this.#sessions.of(userId).some((session) => !this.#isOutlived(session))
  }

  /** The session with this id, unless its time is over. */
  find(id: string): Session | undefined {
    const session = this.#sessions.find(id)
    return session && !this.#isOutlived(session) ? session : undefined
  }

  /** Opens a session: from `ready` on, the client is told everything, what the user is owed first. */
  open(identity: Identity, connection: Connection, backlog?: Backlog): void {
    const { userId } = identity
    const isFirst = this.liveSessionsOf(userId).length === 0
    const session = new Session(userId, this.#context.limits)
    this.opened++
    this.#sessions.add(session)
    this.#connect(session, identity, connection)
    session.append(this.#ready(session, identity))
    if (backlog) session.catchUp = new CatchUp(backlog, this.#context.clock)
    session.knows = { of: this.#presences.changes, maybeOf: Number.POSITIVE_INFINITY }
    session.snapshot = this.#snapshot(session, !isFirst)
    if (isFirst) this.#presences.connected(userId, true)
    connection.outbox.start(session)
  }

  /** Goes on with a session on this connection; one that still had another takes leave of it. */
  resume(session: Session, lastSeq: number, identity: Identity, connection: Connection): void {
    const isFirst = this.liveSessionsOf(session.userId).length === 0
    const old = session.connection
    this.resumed++
    this.#connect(session, identity, connection)
    old?.close('SESSION_EXPIRED')
    if (isFirst) this.#presences.connected(session.userId, false)
    connection.outbox.resume(session, lastSeq)
  }

  /** The session's connection is gone: it can be resumed from now on, or is over when the reason says so. */
  disconnected(session: Session, reason: CloseReason | undefined): void {
    session.connection = undefined
    session.lostAt = this.#context.clock.now()
    if (reason === 'AUTH_FAILED' || reason === 'REPLAY_EXHAUSTED') this.#forget(session)
    const resumable = this.#sessions.of(session.userId).filter(({ isLive }) => !isLive)
    resumable.sort((a, b) => a.lostAt - b.lostAt)
    for (const oldest of resumable.slice(0, -MAX_RESUMABLE)) this.#forget(oldest)
    if (this.liveSessionsOf(session.userId).length === 0) this.#presences.disconnected(session.userId)
  }

  /** Ends the session for good; it has been told why. */
  end(session: Session, reason: 'AUTH_FAILED' | 'REPLAY_EXHAUSTED'): void {
    session.endCatchUp()
    if (session.connection) session.connection.close(reason)
    else this.#forget(session)
  }

  /** Ends the sessions that were opened with this token. */
  endAuthSession(authSessionId: number): void {
    this.#revoke([...this.#sessions.all()].filter((session) => session.authSessionId === authSessionId))
  }

  /** Ends all sessions of the user. */
  endUser(userId: number): void {
    this.#revoke(this.#sessions.of(userId))
  }

  /** Calls with the user of each new session whose presence snapshot is complete. */
  onCaughtUp(listener: (userId: number) => void): void {
    this.#caughtUpListeners.push(listener)
  }

  /** A heartbeat: the session lives on, and so does its token. */
  beat(session: Session): void {
    session.heartbeatAt = this.#context.clock.now()
    this.#useToken(session)
  }

  /** Closes and forgets what is over. */
  sweep(now: number): void {
    for (const session of this.#sessions.all()) {
      const { connection } = session
      if (!connection) {
        if (this.#isOutlived(session) || session.authExpiresAt <= now) this.#forget(session)
      } else if (session.authExpiresAt <= now) this.#revoke([session])
      else if (now - session.heartbeatAt >= this.#heartbeatTimeout || connection.outbox.isBehind())
        connection.close('SESSION_TIMEOUT')
    }
  }

  #connect(session: Session, { authSessionId, expiresAt }: Identity, connection: Connection): void {
    session.connection = connection
    connection.session = session
    session.authSessionId = authSessionId
    session.authExpiresAt = expiresAt
    this.beat(session)
  }

  /** The presence snapshot of a new session; when the client has been told all of it, whoever listens learns so. */
  *#snapshot(session: Session, includeOwn: boolean): Generator<Entry, void> {
    const { userId, knows } = session
    const hasRoomForBatches = this.#context.limits().replay_buffer_events >= BATCH
    yield* this.#presences.snapshot(userId, hasRoomForBatches, includeOwn)
    session.knows = { of: knows.of, maybeOf: this.#presences.changes }
    for (const listener of this.#caughtUpListeners) listener(userId)
  }

  #useToken(session: Session): void {
    const { authSessionId } = session
    this.#context.use(authSessionId).then(
      (expiresAt) => {
        if (session.authSessionId !== authSessionId) return
        if (expiresAt === undefined) this.#revoke([session])
        else session.authExpiresAt = expiresAt
      },
      (err) => this.#context.log.error({ err }, 'the expiry of a token could not be moved'),
    )
  }

  #revoke(sessions: readonly Session[]): void {
    this.#revocations++
    for (const session of sessions) this.end(session, 'AUTH_FAILED')
  }

  #forget(session: Session): void {
    this.#sessions.remove(session)
    if (this.#sessions.of(session.userId).length === 0) this.#presences.forget(session.userId)
  }

  #isOutlived({ isLive, lostAt }: Session): boolean {
    return !isLive && this.#context.clock.now() - lostAt > this.#context.limits().resume_window_seconds * 1000
  }

  #ready(session: Session, identity: Identity) {
    const now = this.#context.clock.now()
    const { name, icon } = this.#context.serverInfo()
    const data = {
      session_id: session.id,
      user_id: session.userId,
      display_name: identity.displayName,
      server_name: name,
      ...(icon !== undefined && { server_icon: icon }),
      server_time: seconds(now),
      protocol_version: PROTOCOL_VERSION,
      capabilities: CAPABILITIES,
      ...(identity.isBot && { is_bot: true }),
    }
    return new OwnEvent(ready, data, now)
  }
}
