import { identify, PROTOCOL_VERSION, resume } from '@vox/protocol'
import type { Admission } from './admission.ts'
import { type Backlog, type BacklogSource, NO_BACKLOG } from './backlog.ts'
import type { Connection } from './connection.ts'
import type { GatewayContext, Identity } from './context.ts'
import type { Message } from './envelope.ts'
import { GatewayClose } from './failures.ts'
import type { Hub } from './hub.ts'
import type { Session } from './session.ts'

/**
 * The first message of a connection: who is it, and may they stay (spec 06, sections 3.3 and 5.3)? Each method is the
 * list of checks in the order in which the protocol wants them; the first that fails closes the connection. What comes
 * after the look-up of the token runs in one piece, so nothing changes between the last check and the session.
 */
export class Handshake {
  readonly #context: GatewayContext
  readonly #admission: Admission
  readonly #hub: Hub
  /** What users are owed when they come. */
  backlogs: BacklogSource = NO_BACKLOG

  constructor(context: GatewayContext, admission: Admission, hub: Hub) {
    this.#context = context
    this.#admission = admission
    this.#hub = hub
  }

  begin(connection: Connection, { type, d }: Message): Promise<void> {
    if (type === identify.type) return this.#identify(connection, d)
    if (type === resume.type) return this.#resume(connection, d)
    throw new GatewayClose('NOT_AUTHENTICATED')
  }

  async #identify(connection: Connection, d: Message['d']): Promise<void> {
    this.#refuseFailing(connection)
    const token = this.#token(connection, d.token)
    checkVersion(d.protocol_version)
    await this.#open(connection, token)
  }

  /** Opens a session; a user who is owed something gets it at the moment at which it is known what that is. */
  async #open(connection: Connection, token: string): Promise<void> {
    const identity = await this.#authenticate(connection, token)
    const { revocations } = this.#hub
    const open = (backlog?: Backlog) => {
      if (!connection.isOpen || revocations !== this.#hub.revocations) return
      this.#admit(connection, this.#hub.liveSessionsOf(identity.userId))
      this.#hub.open(identity, connection, backlog)
    }
    if (!this.backlogs.mayOwe(identity.userId)) return open()
    await this.backlogs.begin(identity.userId, open)
    // Sessions were ended meanwhile; the one of this token may have been among them.
    if (connection.isOpen && !connection.session) await this.#open(connection, token)
  }

  async #resume(connection: Connection, d: Message['d']): Promise<void> {
    this.#refuseFailing(connection)
    const token = this.#token(connection, d.token)
    if (typeof d.session_id !== 'string' || d.session_id === '') throw new GatewayClose('AUTH_FAILED')
    const lastSeq = positionFrom(d.last_seq)
    const identity = await this.#authenticate(connection, token)
    if (!connection.isOpen) return
    const session = this.#hub.find(d.session_id)
    if (!session) throw new GatewayClose('SESSION_EXPIRED')
    if (session.userId !== identity.userId) throw new GatewayClose('AUTH_FAILED')
    this.#checkPosition(session, lastSeq)
    this.#admitAgain(connection, session)
    this.#hub.resume(session, Number(lastSeq), identity, connection)
  }

  #refuseFailing({ place }: Connection): void {
    if (this.#admission.isFailing(place.group, this.#context.clock.now())) throw new GatewayClose('AUTH_RATE_LIMITED')
  }

  #token(connection: Connection, token: unknown): string {
    if (typeof token === 'string' && token !== '') return token
    return this.#fail(connection)
  }

  #fail({ place }: Connection): never {
    this.#admission.failed(place.group, this.#context.clock.now())
    throw new GatewayClose('AUTH_FAILED')
  }

  /** Looks the token up, once more if sessions were ended meanwhile: its own may have been among them. */
  async #authenticate(connection: Connection, token: string): Promise<Identity> {
    const { revocations } = this.#hub
    const identity = await this.#context.authenticate(token)
    if (revocations !== this.#hub.revocations) return this.#authenticate(connection, token)
    if (identity === 'unknown') return this.#fail(connection)
    if (identity === 'inactive') throw new GatewayClose('AUTH_FAILED')
    return identity
  }

  /** Lets the connection in beside these other sessions of its user. */
  #admit({ place }: Connection, others: readonly Session[]): void {
    const refusal = this.#admission.refuseConnection(place.group, others.length)
    if (refusal) throw new GatewayClose(refusal)
    place.moveTo(this.#admission.live)
  }

  /** Lets the connection in on behalf of a session, which may have another one still. */
  #admitAgain(connection: Connection, session: Session): void {
    session.connection?.place.moveTo(undefined)
    try {
      const others = this.#hub.liveSessionsOf(session.userId).filter((other) => other !== session)
      this.#admit(connection, others)
    } catch (error) {
      session.connection?.close('SESSION_EXPIRED')
      throw error
    }
  }

  #checkPosition(session: Session, lastSeq: number | bigint): void {
    const { oldest, top } = session.log
    if (lastSeq > top) throw new GatewayClose('SESSION_EXPIRED')
    if (lastSeq >= oldest - 1) return
    this.#hub.end(session, 'REPLAY_EXHAUSTED')
    throw new GatewayClose('REPLAY_EXHAUSTED')
  }
}

function checkVersion(version: unknown): void {
  const asked = version ?? PROTOCOL_VERSION
  if (!isInteger(asked)) throw new GatewayClose('DECODE_ERROR')
  if (asked !== PROTOCOL_VERSION) throw new GatewayClose('VERSION_MISMATCH')
}

function positionFrom(lastSeq: unknown): number | bigint {
  const position = lastSeq ?? 0
  if (!isInteger(position) || position < 0) throw new GatewayClose('DECODE_ERROR')
  return position
}

const isInteger = (value: unknown): value is number | bigint => typeof value === 'bigint' || Number.isInteger(value)
