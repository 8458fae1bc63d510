import { type ColumnDefinitionBuilder, type CreateTableBuilder, type Kysely, type RawBuilder, sql } from 'kysely'
import type { EngineName } from '../dialect.ts'

/** One step of the schema's history. Once released it is never changed. */
export interface Migration {
  name: string
  up(ddl: Ddl): Promise<void>
}

/** What migrations are written with: where the engines need different words for the same column, they are here. */
export class Ddl {
  readonly schema: Kysely<unknown>['schema']
  /** Every integer, ids included: all 64 bits on both engines. */
  readonly integer: RawBuilder<unknown>
  readonly boolean: RawBuilder<unknown>
  /** Unbounded, and in the order of its bytes on both engines. */
  readonly text: RawBuilder<unknown>
  readonly engine: EngineName
  readonly #db: Pick<Kysely<unknown>, 'schema' | 'getExecutor'>

  constructor(engine: EngineName, db: Pick<Kysely<unknown>, 'schema' | 'getExecutor'>) {
    const [integer, boolean, text] =
      engine === 'sqlite' ? ['integer', 'integer', 'text'] : ['bigint', 'boolean', 'text collate "C"']
    this.engine = engine
    this.schema = db.schema
    this.#db = db
    this.integer = sql.raw(integer)
    this.boolean = sql.raw(boolean)
    this.text = sql.raw(text)
  }

  /** A table that holds to its column types, also on SQLite. */
  createTable(name: string): CreateTableBuilder<string> {
    const table = this.schema.createTable(name)
    return this.engine === 'sqlite' ? table.modifyEnd(sql`strict`) : table
  }

  /** Runs a statement that only one of the engines understands. */
  async run(statement: RawBuilder<unknown>): Promise<void> {
    await statement.execute(this.#db)
  }

  /** Makes an integer column the primary key, whose values never go back and are never reused. */
  readonly id = (column: ColumnDefinitionBuilder): ColumnDefinitionBuilder =>
    this.engine === 'sqlite' ? column.primaryKey().autoIncrement() : column.primaryKey().generatedByDefaultAsIdentity()
}
