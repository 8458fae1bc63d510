import { type DataOf, type GatewayEvent, stringifyJson } from '@vox/protocol'
import type { Kysely } from 'kysely'
import type { Community } from '../community/community.ts'
import type { Database, Tx } from '../db/database.ts'
import type { Schema } from '../db/schema.ts'
import type { SnowflakeSource } from '../ids.ts'
import { serializerOf } from '../serialize.ts'
import type { Audience } from './audience.ts'
import type { EventBus, Published } from './bus.ts'
import { SightNotices } from './sight-notices.ts'
import { demandDeliverable } from './size.ts'

/** An entry of the audit log (spec 01, section 14). */
export interface AuditEntry {
  type: string
  /** Null for the system or a remote server. */
  actor: number | null
  target?: number
  metadata?: Readonly<Record<string, unknown>>
}

/**
 * One change of the server's state, from its first query to its last event.
 *
 * A job queries and writes through `db`, says with `change` what becomes different in the community picture and with
 * `emit` what happened and for whom. Nothing of that is done before the transaction has committed; then it is done in
 * the order in which the job said it. So an event emitted before a change goes to those who could see it until then (a
 * deletion), one emitted after it to those who can see it from now on (a creation). What sync and the audit log keep
 * is written in the same transaction.
 */
export class Work {
  readonly db: Kysely<Schema>
  readonly #tx: Tx
  readonly #ids: SnowflakeSource
  readonly #bus: EventBus
  readonly #community: Community
  readonly #sightNotices: SightNotices
  readonly #kept: Published[] = []
  readonly #audited: AuditEntry[] = []

  constructor(tx: Tx, { ids, bus, community }: Surroundings, sightNotices: SightNotices) {
    this.db = tx.db
    this.#tx = tx
    this.#ids = ids
    this.#bus = bus
    this.#community = community
    this.#sightNotices = sightNotices
  }

  /** A fresh snowflake; ids rise in commit order. */
  nextId(): bigint {
    return this.#ids.next()
  }

  /** Users with a gateway session: nobody else hears of an event. */
  listeners(): Iterable<number> {
    return this.#bus.listeners()
  }

  /** Changes the community picture once the transaction has committed. */
  change(effect: (community: Community) => void): void {
    this.#tx.seal()
    this.#tx.afterCommit(() => effect(this.#community))
  }

  /**
   * Publishes an event once the transaction has committed.
   *
   * @throws ApiError `PAYLOAD_TOO_LARGE` if it is larger than clients take, so that what it is about is not stored.
   */
  emit<E extends GatewayEvent>(event: E, data: DataOf<E>, audience: Audience): void {
    const published: Published = { event, data, audience }
    demandDeliverable(published)
    this.#keep(published)
    this.#tx.afterCommit(() => this.#bus.publish(published))
  }

  /**
   * Changes roles, assignments or overrides in the picture once the transaction has committed, and publishes the event
   * of it: of the space it is about, also to those who saw that space until then. Whoever loses or gains sight of a
   * space by it is told afterwards. `affected` are the users whom it can concern; all of them if left out.
   */
  changePermissions<E extends GatewayEvent>(
    effect: (community: Community) => void,
    own: Published<E>,
    affected?: readonly number[],
  ): void {
    this.#tx.seal()
    this.#keep(own)
    this.#tx.afterCommit(() => this.#sightNotices.publish(effect, own, affected))
  }

  /** Runs once the transaction has committed: closing connections, dropping cache entries. */
  afterCommit(effect: () => void): void {
    this.#tx.afterCommit(effect)
  }

  /** Writes an audit entry in the transaction. */
  audit(entry: AuditEntry): void {
    this.#audited.push(entry)
  }

  /** Writes what the job wants kept. */
  async finish(): Promise<void> {
    if (this.#kept.length > 0)
      await this.db
        .insertInto('event_log')
        .values(this.#kept.map((p) => this.#row(p)))
        .execute()
    if (this.#audited.length > 0) {
      await this.db
        .insertInto('audit_log')
        .values(
          this.#audited.map(({ type, actor, target, metadata }) => ({
            entry_id: this.#ids.next(),
            event_type: type,
            actor_id: actor,
            target_id: target ?? null,
            metadata: metadata && Object.keys(metadata).length > 0 ? stringifyJson(metadata) : null,
          })),
        )
        .execute()
    }
  }

  #keep(published: Published): void {
    if (published.event.sync.length > 0) this.#kept.push(published)
  }

  #row({ event, data, audience }: Published) {
    const space = audience.to === 'viewers' ? audience.space : undefined
    return {
      event_id: this.#ids.next(),
      type: event.type,
      payload: serializerOf(event.data)(data),
      feed_id: space?.type === 'feed' ? space.id : null,
      room_id: space?.type === 'room' ? space.id : null,
      permission: audience.to === 'holders' ? audience.permission : null,
    }
  }
}

interface Surroundings {
  ids: SnowflakeSource
  bus: EventBus
  community: Community
}

/** Runs jobs that change state: each in the writer's lane, with its events and audit entries. */
export class UnitOfWork {
  readonly #db: Database
  readonly #surroundings: Surroundings
  readonly #sightNotices: SightNotices

  constructor(db: Database, surroundings: Surroundings) {
    this.#db = db
    this.#surroundings = surroundings
    this.#sightNotices = new SightNotices(surroundings)
  }

  /**
   * Runs a job and resolves with its result after the commit, when its events have been assigned to every session
   * concerned. A job that throws leaves nothing behind.
   */
  run<T>(job: (work: Work) => Promise<T>): Promise<T> {
    return this.#db.write(async (tx) => {
      const work = new Work(tx, this.#surroundings, this.#sightNotices)
      const result = await job(work)
      await work.finish()
      return result
    })
  }
}
