import {
  type CompiledQuery,
  type DatabaseConnection,
  DefaultQueryExecutor,
  type Dialect,
  type DialectAdapter,
  DummyDriver,
  Kysely,
  PostgresAdapter,
  PostgresIntrospector,
  PostgresQueryCompiler,
  type QueryCompiler,
  type QueryResult,
  SqliteAdapter,
  SqliteIntrospector,
  SqliteQueryCompiler,
} from 'kysely'
import type { Schema } from './schema.ts'

export type EngineName = 'sqlite' | 'postgres'

/** Runs a query on some connection. */
export type Execute = <R>(query: CompiledQuery) => Promise<QueryResult<R>>

/** Connections and transactions are ours, so Kysely's driver has nothing to do, and to begin no transaction. */
class OutsideDriver extends DummyDriver {
  override async beginTransaction(): Promise<void> {
    throw new Error('transactions are made by Database.write only')
  }
}

const driver = new OutsideDriver()

interface Language {
  adapter: DialectAdapter
  compiler: QueryCompiler
  dialect: Dialect
}

function language(
  adapter: DialectAdapter,
  compiler: QueryCompiler,
  createIntrospector: Dialect['createIntrospector'],
): Language {
  return {
    adapter,
    compiler,
    dialect: {
      createAdapter: () => adapter,
      createQueryCompiler: () => compiler,
      createIntrospector,
      createDriver: () => driver,
    },
  }
}

const LANGUAGES: Record<EngineName, Language> = {
  sqlite: language(new SqliteAdapter(), new SqliteQueryCompiler(), (db) => new SqliteIntrospector(db)),
  postgres: language(new PostgresAdapter(), new PostgresQueryCompiler(), (db) => new PostgresIntrospector(db)),
}

/** The engine whose SQL these queries are in. */
export const engineOf = (db: Kysely<Schema>): EngineName =>
  db.getExecutor().adapter === LANGUAGES.sqlite.adapter ? 'sqlite' : 'postgres'

/**
 * Queries in the engine's SQL, run by `execute`. Cheap enough to make one per job of the writer's lane. All of one
 * engine share the adapter, by which {@link engineOf} knows them.
 */
export function queriesOver(engine: EngineName, execute: Execute): Kysely<Schema> {
  const { adapter, compiler, dialect } = LANGUAGES[engine]
  const connection: DatabaseConnection = {
    executeQuery: execute,
    streamQuery() {
      throw new Error('results are not streamed; read them page by page')
    },
  }
  const executor = new DefaultQueryExecutor(compiler, adapter, { provideConnection: (use) => use(connection) })
  return new Kysely<Schema>({ config: { dialect }, dialect, driver, executor })
}
