import type { Kysely } from 'kysely'
import type { LaneStats } from './lane.ts'
import type { Schema } from './schema.ts'

/** One job's view of the transaction it runs in. */
export interface Tx {
  /** Queries inside the transaction. One that fails fails the job, even if the job catches the error. */
  readonly db: Kysely<Schema>
  /**
   * Runs after the commit, in the order of the calls, before the promise of `write` resolves and before any later job
   * begins. Must neither throw nor wait. Never runs if the job or the commit fails.
   */
  afterCommit(effect: () => void): void
  /**
   * The job changes state that later jobs look at outside the database (the community picture). The batch then ends
   * with this job, so that its effects have run before the next job begins.
   */
  seal(): void
}

/** What the database has to do, for the metrics. */
export interface DatabaseStats extends LaneStats {
  /** Connections that read, and queries that wait for one; undefined on SQLite, which has a single one. */
  pool: PoolStats | undefined
}

export interface PoolStats {
  connections: number
  idle: number
  waiting: number
}

/** The database, whichever engine is behind it. */
export interface Database {
  readonly engine: 'sqlite' | 'postgres'
  /** Committed data only, and no writing; a read begun after `write` resolved sees what it wrote. */
  readonly read: Kysely<Schema>
  /** The same for queries that may look at many rows: however long they take, they hold up nobody else. */
  readonly readAside: Kysely<Schema>
  /**
   * Runs a job in the one writer's lane: jobs run one after another, in the order of the calls, and behave as if each
   * had a transaction of its own. Jobs that are waiting share one commit. Resolves after the commit; a job that throws
   * leaves nothing behind and rejects with what it threw. A job must not wait for another `write`, which would wait for
   * the job.
   *
   * @throws DatabaseUnavailable when the database cannot be reached or the commit fails.
   */
  write<T>(job: (tx: Tx) => Promise<T>): Promise<T>
  /** One trivial query; rejects when the database does not answer within 2 s. */
  ping(): Promise<void>
  readonly stats: DatabaseStats
  /** Finishes waiting jobs, then closes. */
  close(): Promise<void>
}

/** The database cannot be reached at the moment; the request may be repeated later. */
export class DatabaseUnavailable extends Error {
  constructor(cause: unknown) {
    super('the database is unavailable', { cause })
    this.name = 'DatabaseUnavailable'
  }
}
