import {
  DatabaseSync,
  type DatabaseSyncOptions,
  type SQLInputValue,
  type SQLOutputValue,
  type StatementSync,
} from 'node:sqlite'
import { stringifyJson } from '@vox/protocol'
import type { CompiledQuery, QueryResult } from 'kysely'
import { folded } from '../folded.ts'
import { exactNumber, isBigintColumn, isBooleanColumn } from './columns.ts'
import { DatabaseUnavailable } from './database.ts'
import type { Execute } from './dialect.ts'
import type { Writer } from './writer.ts'

/** Prepared statements kept per connection; lists of values make many texts. */
const MAX_STATEMENTS = 500

/** A database file, with the function that the triggers of the search index call (migrations/007-search.ts). */
export function openFile(path: string, options: DatabaseSyncOptions = {}): DatabaseSync {
  try {
    const database = new DatabaseSync(path, options)
    database.function('vox_fold', { deterministic: true }, (text) => folded(String(text)))
    return database
  } catch (error) {
    // SQLite's own message does not say which file.
    throw new Error(`cannot open the database file ${path}`, { cause: error })
  }
}

/** A connection to a database file. `node:sqlite` answers at once, so what is called first is done first. */
export class SqliteConnection implements Disposable {
  readonly path: string
  readonly #database: DatabaseSync
  /** By SQL text, the least recently used first. */
  readonly #statements = new Map<string, Statement>()

  constructor(path: string, { readOnly }: { readOnly: boolean }) {
    this.path = path
    this.#database = openFile(path, { readOnly, timeout: 5000, enableForeignKeyConstraints: true })
    this.#database.exec('pragma synchronous = normal')
  }

  readonly execute: Execute = async <R>({ sql, parameters }: CompiledQuery): Promise<QueryResult<R>> =>
    explaining(() => this.#statement(sql).run<R>(parameters))

  /** Runs one statement that takes and gives nothing, prepared. */
  protected do(sql: string): void {
    explaining(() => this.#statement(sql).run([]))
  }

  /** Runs statements that take and give nothing. */
  exec(sql: string): void {
    explaining(() => this.#database.exec(sql))
  }

  get inTransaction(): boolean {
    return this.#database.isTransaction
  }

  [Symbol.dispose](): void {
    this.#database.close()
  }

  #statement(sql: string): Statement {
    const statement = this.#statements.get(sql) ?? new Statement(this.#database.prepare(sql))
    this.#statements.delete(sql)
    this.#statements.set(sql, statement)
    if (this.#statements.size > MAX_STATEMENTS) {
      const [oldest] = this.#statements.keys()
      if (oldest !== undefined) this.#statements.delete(oldest)
    }
    return statement
  }
}

/** The connection that writes. */
export class SqliteWriter extends SqliteConnection implements Writer {
  readonly engine = 'sqlite'
  #hasSavepoint = false

  constructor(path: string) {
    super(path, { readOnly: false })
    // What people delete is not to be found in the file.
    this.exec('pragma secure_delete = on')
  }

  /** Lets others read while this one writes. It changes the file for good, so the database must be known to be ours. */
  useWriteAheadLog(): void {
    this.exec('pragma journal_mode = wal')
  }

  async begin(): Promise<void> {
    this.#hasSavepoint = false
    this.do('begin immediate')
  }

  /** The last one is released: each page written under nested savepoints is copied once for every level. */
  async savepoint(): Promise<void> {
    if (this.#hasSavepoint) this.do('release job')
    this.#hasSavepoint = true
    this.do('savepoint job')
  }

  async undo(): Promise<void> {
    this.do('rollback to job')
  }

  async commit(): Promise<void> {
    this.do('commit')
  }

  /** Some errors, such as a full disk, have rolled back already. */
  async rollback(): Promise<void> {
    if (this.inTransaction) this.do('rollback')
  }
}

type Value = SQLOutputValue

/** A prepared statement with the way to read its columns. */
class Statement {
  readonly #statement: StatementSync
  readonly #columns: { name: string; read: (value: Value) => unknown }[]
  readonly #blank: Readonly<Record<string, null>>

  constructor(statement: StatementSync) {
    const names = statement.columns().map(({ name }) => name)
    // Big integers cost twice as much to read: only where the result holds any.
    statement.setReadBigInts(names.some(isBigintColumn))
    statement.setReturnArrays(true)
    this.#statement = statement
    this.#columns = names.map((name) => ({ name, read: readerOf(name) }))
    this.#blank = Object.fromEntries(names.map((name) => [name, null]))
  }

  run<R>(parameters: readonly unknown[]): QueryResult<R> {
    const bound = parameters.map(toSqlite)
    if (this.#columns.length === 0) return { numAffectedRows: BigInt(this.#statement.run(...bound).changes), rows: [] }
    const values = this.#statement.all(...bound) as unknown as Value[][]
    return { numAffectedRows: BigInt(values.length), rows: values.map((row) => this.#row(row) as R) }
  }

  /** Copying a blank row keeps the shape of the objects known to the engine; it is twice as fast as building each. */
  #row(values: Value[]): unknown {
    const row: Record<string, unknown> = { ...this.#blank }
    let index = 0
    for (const { name, read } of this.#columns) row[name] = read(values[index++] ?? null)
    return row
  }
}

function readerOf(name: string): (value: Value) => unknown {
  if (isBigintColumn(name)) return (value) => value
  if (isBooleanColumn(name)) return (value) => (value === null ? null : Boolean(value))
  return (value) => (typeof value === 'bigint' ? exactNumber(value) : value)
}

/** Lists travel as JSON text, which the query takes apart (`among`). */
function toSqlite(value: unknown): SQLInputValue {
  if (typeof value === 'boolean') return Number(value)
  return (Array.isArray(value) ? stringifyJson(value) : value) as SQLInputValue
}

/** Primary result codes that pass by themselves or with the operator's help: busy, locked, I/O, full, cannot open. */
const UNAVAILABLE = new Set([5, 6, 10, 13, 14])

function explaining<T>(work: () => T): T {
  try {
    return work()
  } catch (error) {
    const code = error instanceof Error && 'errcode' in error ? Number(error.errcode) & 0xff : undefined
    throw code !== undefined && UNAVAILABLE.has(code) ? new DatabaseUnavailable(error) : error
  }
}
