import { type Compilable, type CompiledQuery, type Kysely, type RawBuilder, sql } from 'kysely'
import { engineOf } from './dialect.ts'
import type { Schema } from './schema.ts'

/** A compiled query that PostgreSQL keeps parsed under this name, per connection. */
export interface NamedQuery<R> extends CompiledQuery<R> {
  readonly statement: string
}

/** Stands for a parameter while the query is compiled. */
class Placeholder {
  readonly parameter: string

  constructor(parameter: string) {
    this.parameter = parameter
  }

  [Symbol.toPrimitive](): never {
    throw new Error(`the parameter ${this.parameter} of a prepared query has no value while the query is built`)
  }
}

/**
 * A query for hot paths: built and compiled once per engine, later calls only fill in the parameters.
 *
 * `build` may use a parameter only where a query takes a value. Its shape must not depend on one: no lists but
 * {@link among}, and no `if` but for whether an optional one is given: a query is built for each set that is.
 *
 * Without `keepsPlan`, PostgreSQL plans it anew each time, for the values of that time.
 *
 * ```ts
 * const olderThan = prepared((db, p: { feed_id: number; before: bigint; limit: number }) =>
 *   db.selectFrom('messages').selectAll()
 *     .where('feed_id', '=', p.feed_id).where('msg_id', '<', p.before).orderBy('msg_id', 'desc').limit(p.limit))
 *
 * const rows = await olderThan(database.read, { feed_id, before, limit })
 * ```
 */
export function prepared<P extends object, R>(
  build: (db: Kysely<Schema>, parameters: P) => Compilable<R>,
  { keepsPlan = true } = {},
): (db: Kysely<Schema>, parameters: P) => Promise<R[]> {
  const compiled = { sqlite: new Map<string, CompiledQuery<R>>(), postgres: new Map<string, CompiledQuery<R>>() }
  return async (db, parameters) => {
    const queries = compiled[engineOf(db)]
    const given = Object.keys(parameters).filter((name) => Reflect.get(parameters, name) !== undefined)
    const shape = given.join()
    let query = queries.get(shape)
    if (!query) {
      query = build(db, placeholders<P>(given)).compile()
      if (keepsPlan) query = { ...query, statement: `vox_${++statements}` } as NamedQuery<R>
      queries.set(shape, query)
    }
    const { rows } = await db.executeQuery<R>({ ...query, parameters: filled(query.parameters, parameters) })
    return rows
  }
}

/** That a column's value is one of a list, which is a single parameter: lists of any length share a statement. */
export function among<T extends bigint | number | string>(
  db: Kysely<Schema>,
  column: RawBuilder<unknown>,
  list: readonly T[],
): RawBuilder<boolean> {
  return engineOf(db) === 'sqlite'
    ? sql`${column} in (select value from json_each(${list}))`
    : sql`${column} = any(${list})`
}

let statements = 0

const placeholders = <P extends object>(names: readonly string[]): P =>
  Object.fromEntries(names.map((name) => [name, new Placeholder(name)])) as P

function filled(template: readonly unknown[], parameters: object): unknown[] {
  return template.map((value) => (value instanceof Placeholder ? Reflect.get(parameters, value.parameter) : value))
}
