import { readFileSync } from 'node:fs'
import type { ConnectionOptions } from 'node:tls'
import type { CompiledQuery, QueryResult } from 'kysely'
import pg from 'pg'
import { exactNumber, isBigintColumn } from './columns.ts'
import { DatabaseUnavailable, type PoolStats } from './database.ts'
import type { Execute } from './dialect.ts'
import { DatabaseInUse } from './lock.ts'
import type { NamedQuery } from './prepared.ts'
import type { PostgresTarget } from './url.ts'
import { CommitInDoubt, type Writer } from './writer.ts'

/** For all but migrations, unless the URL says otherwise: the server ends what takes too long; if it is silent, we do. */
export const TIMEOUTS: pg.ClientConfig = { statement_timeout: 30_000, query_timeout: 35_000 }

/** How long a new session waits for the server to end the one before it. */
const LOCK_HANDOVER_MS = 5000

const LOCK = `select pg_advisory_lock(hashtext('vox'), hashtext(coalesce(current_schema(), '')))`

const LOCK_NOT_AVAILABLE = '55P03'

/** For results of type `int8`, and `numeric`, which is what its sums and averages are. */
const CONVERSIONS = new Map<number, (text: string) => number>([
  [20, exactNumber],
  [1700, Number],
])

/** The connection broke, before the question or during it. */
class ConnectionLost extends DatabaseUnavailable {}

/**
 * Settings with which the server accepts a connection: `prefer` and `allow` are settled by trying.
 *
 * @throws Error that says why no connection comes about.
 */
export async function reachable({ config, ...tls }: PostgresTarget): Promise<pg.ClientConfig> {
  let failure: unknown
  for (const ssl of config.host?.startsWith('/') ? [false] : tlsChoices(tls)) {
    const settings: pg.ClientConfig = {
      application_name: 'vox',
      connectionTimeoutMillis: 5000,
      keepAlive: true,
      ...config,
      ssl,
    }
    const client = new pg.Client(settings)
    try {
      await client.connect()
      return settings
    } catch (error) {
      failure = error
    } finally {
      await client.end()
    }
  }
  const failures: Error[] = failure instanceof AggregateError ? failure.errors : [failure]
  const reason = failures.map(({ message }) => message).join('; ')
  throw new Error(`cannot connect to the PostgreSQL server: ${reason}`, { cause: failure })
}

/** What to try, in this order. */
function tlsChoices({
  sslMode,
  certificates,
}: Pick<PostgresTarget, 'sslMode' | 'certificates'>): (ConnectionOptions | false)[] {
  const files = Object.fromEntries(
    Object.entries(certificates).map(([name, path]) => [name, readFileSync(path, 'utf8')]),
  )
  const encrypted = { ...files, rejectUnauthorized: false }
  const certified = { ...files, checkServerIdentity: () => undefined }
  switch (sslMode) {
    case 'disable':
      return [false]
    case 'allow':
      return [false, encrypted]
    case 'prefer':
      return [encrypted, false]
    case 'require':
      return ['ca' in files ? certified : encrypted]
    case 'verify-ca':
      return [certified]
    case 'verify-full':
      return [files]
  }
}

type Question = string | pg.QueryConfig<unknown[]>
type Row = Record<string, unknown>
type Answer<R extends Row = Row> = pg.QueryResult<R>

/** @throws ConnectionLost, also when there is no answer for so long. */
async function ask<R extends Row>(client: pg.ClientBase, question: Question, patienceMs = 0): Promise<Answer<R>> {
  try {
    return await answerTo<R>(client, question, patienceMs)
  } catch (error) {
    if (!(error instanceof pg.DatabaseError) || /^(08|57P)/.test(error.code ?? '')) throw new ConnectionLost(error)
    if (error.code?.startsWith('53')) throw new DatabaseUnavailable(error) // out of disk, memory or connections
    throw error
  }
}

/**
 * With a callback, and a timer of our own instead of `query_timeout`: where `pg` makes the promise or keeps the time, the
 * rows outlive the next collection of garbage, which then takes ten times as long.
 */
function answerTo<R extends Row>(client: pg.ClientBase, question: Question, patienceMs: number): Promise<Answer<R>> {
  const { promise, resolve, reject } = Promise.withResolvers<Answer<R>>()
  const timer = patienceMs > 0 ? setTimeout(() => reject(new Error('no answer in time')), patienceMs) : undefined
  client.query<R>(question, (error, answer) => {
    clearTimeout(timer)
    if (error) reject(error)
    else resolve(answer)
  })
  return promise
}

/** The row of an answer that has exactly one. */
function row<R extends Row>({ rows: [first] }: Answer<R>): R {
  if (!first) throw new Error('the database server gave no row')
  return first
}

const questionOf = (query: CompiledQuery): pg.QueryConfig<unknown[]> => ({
  text: query.sql,
  values: [...query.parameters],
  ...(isNamed(query) && { name: query.statement }),
})

const isNamed = (query: CompiledQuery): query is NamedQuery<unknown> => 'statement' in query

/** The rows with integers as their columns have them; `pg` leaves the large ones as text. */
function resultOf<R>({ rows, rowCount, fields }: Answer): QueryResult<R> {
  for (const { name, dataTypeID } of fields) {
    const convert = isBigintColumn(name) ? BigInt : CONVERSIONS.get(dataTypeID)
    if (!convert) continue
    for (const row of rows) {
      const value = row[name]
      if (value !== null) row[name] = convert(value as string)
    }
  }
  return { numAffectedRows: BigInt(rowCount ?? 0), rows: rows as R[] }
}

/** A connection that answers questions in the order in which they are asked. Once it broke, it answers none. */
class Session {
  #lost = false
  readonly #client: pg.Client

  private constructor(client: pg.Client) {
    this.#client = client
    client.on('error', () => {
      this.#lost = true
    })
  }

  static async connect(config: pg.ClientConfig): Promise<Session> {
    const session = new Session(new pg.Client({ ...config, pipeline: true }))
    await session.#client.connect()
    return session
  }

  get isLost(): boolean {
    return this.#lost
  }

  async ask<R extends Row>(question: Question): Promise<Answer<R>> {
    try {
      return await ask<R>(this.#client, question)
    } catch (error) {
      if (error instanceof ConnectionLost) this.#lost = true
      throw error
    }
  }

  async close(): Promise<void> {
    await this.#client.end()
  }
}

/** A server process behind a session, by what no other ever has. */
type Backend = {
  pid: number
  started: string
}

/**
 * The session that writes. It also holds the advisory lock that keeps other processes off this schema: whoever loses
 * the session loses the lock with it, and a new session writes nothing before it has the lock again. So no two
 * processes ever write, not even when the server goes away and comes back.
 */
export class PostgresWriter implements Writer, AsyncDisposable {
  readonly engine = 'postgres'
  readonly #config: pg.ClientConfig
  readonly #onLockLost: () => void
  #session: Session
  #backend: Backend
  /** Id of the running transaction. */
  #transaction = ''
  /** Another process has had the database since: what this one knows of it is outdated for good. */
  #takenOver: DatabaseInUse | undefined

  private constructor(config: pg.ClientConfig, onLockLost: () => void, session: Session, backend: Backend) {
    this.#config = config
    this.#onLockLost = onLockLost
    this.#session = session
    this.#backend = backend
  }

  /** @throws DatabaseInUse when another process has the database. */
  static async open(config: pg.ClientConfig, onLockLost: () => void): Promise<PostgresWriter> {
    const session = await Session.connect(config)
    try {
      return new PostgresWriter(config, onLockLost, session, await lock(session, 1))
    } catch (error) {
      await session.close()
      throw error
    }
  }

  readonly execute: Execute = async <R>(query: CompiledQuery) => resultOf<R>(await this.#session.ask(questionOf(query)))

  async begin(): Promise<void> {
    try {
      await this.#begin()
    } catch (error) {
      if (!(error instanceof ConnectionLost)) throw error
      await this.#reconnect()
      await this.#begin()
    }
  }

  async savepoint(): Promise<void> {
    await this.#session.ask('savepoint job')
  }

  async undo(): Promise<void> {
    await this.#session.ask('rollback to job')
  }

  async commit(): Promise<void> {
    const transaction = this.#transaction
    try {
      const { command } = await this.#session.ask('commit')
      if (command === 'ROLLBACK') throw new Error('the transaction was rolled back')
    } catch (error) {
      if (error instanceof ConnectionLost) throw new CommitInDoubt(error, () => this.#wasCommitted(transaction))
      throw error
    }
  }

  async rollback(): Promise<void> {
    await this.#session.ask('rollback').catch(() => {})
  }

  async [Symbol.asyncDispose](): Promise<void> {
    // The server takes notice of a closed connection a little later; the lock shall be free at once.
    await this.#session.ask('select pg_advisory_unlock_all()').catch(() => {})
    await this.#session.close()
  }

  async #begin(): Promise<void> {
    const answers: unknown = await this.#session.ask('begin; select pg_current_xact_id()::text as id')
    const [, current] = answers as [Answer, Answer<{ id: string }>] // one for each statement
    this.#transaction = row(current).id
  }

  async #wasCommitted(transaction: string): Promise<boolean> {
    if (this.#session.isLost) await this.#reconnect()
    const answer = await this.#session.ask<{ status: string | null }>({
      text: 'select pg_xact_status($1::xid8) as status',
      values: [transaction],
    })
    return row(answer).status === 'committed'
  }

  async #reconnect(): Promise<void> {
    if (this.#takenOver) throw this.#takenOver
    await this.#session.close()
    const session = await Session.connect(this.#config)
    try {
      const isEnding = await endBackend(session, this.#backend)
      this.#backend = await lock(session, isEnding ? LOCK_HANDOVER_MS : 1)
      this.#session = session
    } catch (error) {
      await session.close()
      if (error instanceof DatabaseInUse) {
        this.#takenOver = error
        this.#onLockLost()
      }
      throw error
    }
  }
}

async function lock(session: Session, patienceMs: number): Promise<Backend> {
  await session.ask(`set lock_timeout = ${patienceMs}`)
  try {
    await session.ask(LOCK)
  } catch (error) {
    throw error instanceof pg.DatabaseError && error.code === LOCK_NOT_AVAILABLE ? new DatabaseInUse(error) : error
  }
  await session.ask('reset lock_timeout')
  return row(
    await session.ask<Backend>(
      'select pid, backend_start::text as started from pg_stat_activity where pid = pg_backend_pid()',
    ),
  )
}

/**
 * The server may not know yet that a connection is gone, and hold the lock for it until it does. Resolves to whether
 * that was so.
 */
async function endBackend(session: Session, { pid, started }: Backend): Promise<boolean> {
  const { rows } = await session.ask({
    text: 'select pg_terminate_backend(pid) from pg_stat_activity where pid = $1 and backend_start::text = $2',
    values: [pid, started],
  })
  return rows.length > 0
}

export interface PoolOptions {
  /** Connections kept. */
  poolSize: number
  /** Connections beyond those, closed when idle. */
  maxOverflow: number
  /** Age at which a connection is replaced. */
  poolRecycleSeconds: number
}

/** The connections that read. A query that finds its connection broken is asked once more, on another. */
export class PostgresReader implements AsyncDisposable {
  readonly #pool: pg.Pool
  readonly #patienceMs: number

  constructor(
    { query_timeout, ...config }: pg.ClientConfig,
    { poolSize, maxOverflow, poolRecycleSeconds }: PoolOptions,
  ) {
    this.#patienceMs = Number(query_timeout ?? 0)
    this.#pool = new pg.Pool({
      ...config,
      options: `${config.options ?? ''} -c default_transaction_read_only=on`,
      min: poolSize,
      max: poolSize + maxOverflow,
      maxLifetimeSeconds: poolRecycleSeconds,
    })
    // A connection that breaks tells whoever is using it; nobody else needs to know, but `pg` insists on listeners.
    this.#pool.on('error', () => {})
    this.#pool.on('connect', (client) => client.on('error', () => {}))
  }

  readonly execute: Execute = async <R>(query: CompiledQuery): Promise<QueryResult<R>> => {
    const question = questionOf(query)
    try {
      return resultOf<R>(await this.#ask(question))
    } catch (error) {
      if (!(error instanceof ConnectionLost)) throw error
      return resultOf<R>(await this.#ask(question))
    }
  }

  get stats(): PoolStats {
    const { totalCount, idleCount, waitingCount } = this.#pool
    return { connections: totalCount, idle: idleCount, waiting: waitingCount }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#pool.end()
  }

  async #ask(question: Question): Promise<Answer> {
    const client = await this.#connected()
    try {
      const answer = await ask(client, question, this.#patienceMs)
      client.release()
      return answer
    } catch (error) {
      client.release(error instanceof ConnectionLost)
      throw error
    }
  }

  async #connected(): Promise<pg.PoolClient> {
    try {
      return await this.#pool.connect()
    } catch (error) {
      throw new DatabaseUnavailable(error)
    }
  }
}
