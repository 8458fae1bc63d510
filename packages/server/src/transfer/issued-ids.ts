import { type RawBuilder, sql } from 'kysely'
import type { EngineName } from '../db/dialect.ts'
import { type Side, select } from './side.ts'
import type { Table } from './tables.ts'

/** A table whose ids the engine issues. */
interface Issuing {
  name: string
  issued: string
}

export const issuing = (tables: readonly Table[]): Issuing[] =>
  tables.flatMap(({ name, issued }) => (issued === undefined ? [] : { name, issued }))

/** The last id that was issued in a table, even if its row is gone by now; 0 before the first one. */
export async function lastIssued(side: Side, table: Issuing): Promise<number> {
  const [row] = await select(side, LAST_ISSUED[side.engine](table))
  return row?.id ?? 0
}

/** Makes the next id the one after `id`. */
export async function setLastIssued(side: Side, table: Issuing, id: number): Promise<void> {
  for (const statement of SET_LAST_ISSUED[side.engine](table, id)) await select(side, statement)
}

/** The sequence that belongs to an identity column. */
const sequenceOf = ({ name, issued }: Issuing) => sql`pg_get_serial_sequence(quote_ident(${name}), ${issued})`

const LAST_ISSUED: Record<EngineName, (table: Issuing) => RawBuilder<{ id: number | null }>> = {
  sqlite: ({ name }) => sql`select seq as id from sqlite_sequence where name = ${name}`,
  postgres: (table) => sql`select pg_sequence_last_value(${sequenceOf(table)}::regclass) as id`,
}

const SET_LAST_ISSUED: Record<EngineName, (table: Issuing, id: number) => RawBuilder<unknown>[]> = {
  sqlite: ({ name }, id) => [
    sql`delete from sqlite_sequence where name = ${name}`,
    sql`insert into sqlite_sequence (name, seq) values (${name}, ${id})`,
  ],
  postgres: (table, id) => [sql`select setval(${sequenceOf(table)}::regclass, ${Math.max(id, 1)}, ${id > 0})`],
}
