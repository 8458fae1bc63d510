import { type Compilable, type CompiledQuery, type DialectAdapter, type Kysely, type RawBuilder, sql } from 'kysely'
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
 * `build` may use a parameter only where a query takes a value. Its shape must not depend on one: no `if`, and no lists
 * but {@link among}.
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
): (db: Kysely<Schema>, parameters: P) => Promise<R[]> {
  const compiled = new Map<DialectAdapter, NamedQuery<R>>()
  return async (db, parameters) => {
    const { adapter } = db.getExecutor()
    let query = compiled.get(adapter)
    if (!query) {
      query = { ...build(db, placeholders<P>()).compile(), statement: `vox_${++statements}` }
      compiled.set(adapter, query)
    }
    const call: NamedQuery<R> = { ...query, parameters: filled(query.parameters, parameters) }
    const { rows } = await db.executeQuery<R>(call)
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

const placeholders = <P extends object>(): P =>
  new Proxy({} as P, { get: (_, parameter) => new Placeholder(String(parameter)) })

function filled(template: readonly unknown[], parameters: object): unknown[] {
  return template.map((value) => (value instanceof Placeholder ? Reflect.get(parameters, value.parameter) : value))
}
