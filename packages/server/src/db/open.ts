import { existsSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'
import { type Kysely, sql } from 'kysely'
import { AsideReader } from './aside.ts'
import { type Database, type DatabaseStats, DatabaseUnavailable, type PoolStats, type Tx } from './database.ts'
import { type EngineName, type Execute, queriesOver } from './dialect.ts'
import { WriteLane } from './lane.ts'
import { SqliteLock } from './lock.ts'
import { MemoryFile } from './memory.ts'
import { migrate, pendingIn } from './migrate.ts'
import { MIGRATIONS } from './migrations/index.ts'
import { type PoolOptions, PostgresReader, PostgresWriter, reachable, TIMEOUTS } from './postgres.ts'
import type { Schema } from './schema.ts'
import { SqliteConnection, SqliteWriter } from './sqlite.ts'
import { type PostgresTarget, parseDatabaseUrl, type SqliteTarget } from './url.ts'
import type { Writer } from './writer.ts'

const PING_TIMEOUT_MS = 2000

export interface DatabaseOptions extends PoolOptions {
  /** Hears of each migration of a database that holds data, before it begins. */
  onMigration(name: string): void
  /** Hears of effects that throw. */
  onError(error: unknown): void
  /**
   * Another process took the database while it was out of reach. This one can write no more and knows an outdated
   * state: it has to end.
   */
  onLockLost(): void
}

/**
 * Opens the database, keeps other processes off it, and brings its schema up to date.
 *
 * @throws DatabaseInUse, SchemaRefused, or an error that says why there is no connection.
 */
export async function openDatabase(url: string, options: DatabaseOptions): Promise<Database> {
  await using resources = new AsyncDisposableStack()
  const target = parseDatabaseUrl(url)
  const connections =
    target.engine === 'sqlite'
      ? await openSqlite(target, options, resources)
      : await openPostgres(target, options, resources)
  return new OpenDatabase(connections, options.onError, resources.move())
}

/**
 * Brings the schema up to date, for `vox migrate`. Resolves to the names of the migrations applied; those of a database
 * that holds data are announced as well, each before it begins.
 *
 * @throws as {@link openDatabase} does.
 */
export async function migrateDatabase(
  url: string,
  migrations = MIGRATIONS,
  announce?: (name: string) => void,
): Promise<string[]> {
  await using resources = new AsyncDisposableStack()
  const target = parseDatabaseUrl(url)
  const writer =
    target.engine === 'sqlite'
      ? sqliteWriter(target, resources)
      : resources.use(await PostgresWriter.open(await reachable(target), () => {}))
  return namesOf(await migrate(writer, migrations, announce))
}

/** Names of the migrations that {@link migrateDatabase} would apply. Only reads. */
export async function pendingMigrations(url: string, migrations = MIGRATIONS): Promise<string[]> {
  const pending = await lookInto(url, (engine, read) => pendingIn(engine, read, migrations))
  return namesOf(pending ?? migrations)
}

/** Asks a database something, also while others use it; undefined if there is none. Only reads. */
export async function readDatabase<T>(url: string, ask: (db: Kysely<Schema>) => Promise<T>): Promise<T | undefined> {
  return lookInto(url, (engine, read) => ask(queriesOver(engine, read)))
}

async function lookInto<T>(
  url: string,
  look: (engine: EngineName, read: Execute) => Promise<T>,
): Promise<T | undefined> {
  await using resources = new AsyncDisposableStack()
  const target = parseDatabaseUrl(url)
  if (target.engine === 'postgres') {
    const pool = { poolSize: 1, maxOverflow: 0, poolRecycleSeconds: 0 }
    const reader = resources.use(new PostgresReader(await reachable(target), pool))
    return await look('postgres', reader.execute)
  }
  if (target.path === null || !existsSync(target.path)) return undefined
  const reader = resources.use(new SqliteConnection(target.path, { readOnly: true }))
  return await look('sqlite', reader.execute)
}

/**
 * What a database is to this program. Only reads.
 *
 * @throws SchemaRefused when it is not ours, or of a newer version of this program.
 */
export async function databaseState(url: string): Promise<'missing' | 'outdated' | 'current'> {
  const pending = await pendingMigrations(url)
  if (pending.length === 0) return 'current'
  return pending.length === MIGRATIONS.length ? 'missing' : 'outdated'
}

const namesOf = (migrations: readonly { name: string }[]): string[] => migrations.map(({ name }) => name)

interface Connections {
  writer: Writer
  /** Runs a query on committed data. */
  read: Execute
  /** The same without keeping others waiting. */
  readAside: Execute
  poolStats?: () => PoolStats
}

async function openSqlite(
  target: SqliteTarget,
  { onMigration }: DatabaseOptions,
  resources: AsyncDisposableStack,
): Promise<Connections> {
  const writer = sqliteWriter(target, resources)
  await migrate(writer, MIGRATIONS, onMigration)
  writer.useWriteAheadLog()
  const reader = resources.use(new SqliteConnection(writer.path, { readOnly: true }))
  const aside = resources.use(new AsideReader(writer.path))
  return { writer, read: reader.execute, readAside: aside.execute }
}

function sqliteWriter({ path }: SqliteTarget, resources: AsyncDisposableStack): SqliteWriter {
  const file = path ?? resources.use(new MemoryFile()).path
  resources.use(new SqliteLock(file))
  return resources.use(new SqliteWriter(file))
}

async function openPostgres(
  target: PostgresTarget,
  options: DatabaseOptions,
  resources: AsyncDisposableStack,
): Promise<Connections> {
  const config = await reachable(target)
  {
    // Migrations may take as long as they need, so they have a session of their own.
    await using migrator = await PostgresWriter.open(config, () => {})
    await migrate(migrator, MIGRATIONS, options.onMigration)
  }
  const limited = { ...TIMEOUTS, ...config }
  const writer = resources.use(await PostgresWriter.open(limited, options.onLockLost))
  const reader = resources.use(new PostgresReader(limited, options))
  return { writer, read: reader.execute, readAside: reader.execute, poolStats: () => reader.stats }
}

class OpenDatabase implements Database {
  readonly engine: EngineName
  readonly read: Kysely<Schema>
  readonly readAside: Kysely<Schema>
  readonly #lane: WriteLane
  readonly #poolStats: (() => PoolStats) | undefined
  readonly #resources: AsyncDisposableStack

  constructor(
    { writer, read, readAside, poolStats }: Connections,
    onError: DatabaseOptions['onError'],
    resources: AsyncDisposableStack,
  ) {
    this.engine = writer.engine
    this.read = queriesOver(writer.engine, read)
    this.readAside = queriesOver(writer.engine, readAside)
    this.#lane = new WriteLane(writer, onError)
    this.#poolStats = poolStats
    this.#resources = resources
  }

  write<T>(job: (tx: Tx) => Promise<T>): Promise<T> {
    return this.#lane.write(job)
  }

  get stats(): DatabaseStats {
    return { ...this.#lane.stats, pool: this.#poolStats?.() }
  }

  async ping(): Promise<void> {
    const answered = new AbortController()
    const silence = sleep(PING_TIMEOUT_MS, undefined, { signal: answered.signal }).then(() => {
      throw new DatabaseUnavailable(new Error(`no answer within ${PING_TIMEOUT_MS} ms`))
    })
    try {
      await Promise.race([sql`select 1`.execute(this.read), silence])
    } finally {
      answered.abort()
    }
  }

  async close(): Promise<void> {
    await this.#lane.close()
    await this.#resources.disposeAsync()
  }
}
