import type { RawBuilder } from 'kysely'
import { type EngineName, type Execute, queriesOver } from '../db/dialect.ts'

/** A database that rows are read from or written to, with nobody else at it. */
export interface Side {
  readonly engine: EngineName
  readonly execute: Execute
}

/** What a query on one side gives, in the types of the columns' names. */
export async function select<R>({ engine, execute }: Side, query: RawBuilder<R>): Promise<R[]> {
  const { rows } = await query.execute(queriesOver(engine, execute))
  return rows
}
