import { createHash } from 'node:crypto'
import { type RawBuilder, sql } from 'kysely'
import { queriesOver } from '../db/dialect.ts'
import { type Side, select } from './side.ts'
import type { Table } from './tables.ts'

export type Row = Readonly<Record<string, unknown>>

/** Rows that are in memory at once. */
const PAGE = 1000

/** What a table holds: two with the same digest hold the same rows. */
export interface Digest {
  rows: number
  sha256: string
}

/** All rows behind this one in the order of the primary key, page by page. */
export async function* pagesAfter(side: Side, table: Table, after: Row | undefined): AsyncGenerator<Row[]> {
  for (let last = after; ; ) {
    const page = await select(side, pageAfter(table, last))
    if (page.length > 0) yield page
    if (page.length < PAGE) return
    last = page.at(-1)
  }
}

export async function lastRow(side: Side, table: Table): Promise<Row | undefined> {
  const backwards = sql.join(table.key.map((column) => sql`${sql.ref(column)} desc`))
  const [row] = await select(side, sql<Row>`${allOf(table)} order by ${backwards} limit 1`)
  return row
}

export async function countRows(side: Side, { name }: Table): Promise<number> {
  const [row] = await select(side, sql<{ found: number }>`select count(*) as found from ${sql.table(name)}`)
  return row?.found ?? 0
}

export async function digest(side: Side, table: Table, progress: (rows: number) => void): Promise<Digest> {
  const hash = createHash('sha256')
  let rows = 0
  for await (const page of pagesAfter(side, table, undefined)) {
    for (const row of page) hash.update(canonical(table, row))
    rows += page.length
    progress(rows)
  }
  return { rows, sha256: hash.digest('hex') }
}

/** Adds rows in one statement or, where that is as fast, in one for each. */
export async function insert(side: Side, { name, columns }: Table, rows: readonly Row[]): Promise<void> {
  const into = sql`insert into ${sql.table(name)} (${sql.join(columns.map((column) => sql.ref(column.name)))})`
  const db = queriesOver(side.engine, side.execute)
  if (side.engine === 'postgres') {
    const lists = columns.map(({ name, type }) => sql`${sql.val(rows.map((row) => row[name]))}::${sql.raw(type)}[]`)
    await sql`${into} select * from unnest(${sql.join(lists)})`.execute(db)
    return
  }
  const compiled = sql`${into} values (${sql.join(columns.map(() => null))})`.compile(db)
  for (const row of rows)
    await side.execute({ ...compiled, parameters: columns.map((column) => row[column.name] ?? null) })
}

function pageAfter(table: Table, last: Row | undefined): RawBuilder<Row> {
  const key = sql.join(table.key.map((column) => sql.ref(column)))
  const behind = last ? sql`where (${key}) > (${sql.join(table.key.map((column) => last[column]))})` : sql``
  return sql`${allOf(table)} ${behind} order by ${key} limit ${PAGE}`
}

const allOf = ({ name, columns }: Table): RawBuilder<Row> =>
  sql`select ${sql.join(columns.map((column) => sql.ref(column.name)))} from ${sql.table(name)}`

/** A row as text that is the same on both engines, and of no other row. */
function canonical({ columns }: Table, row: Row): string {
  const values = columns.map(({ name }) => {
    const value = row[name]
    return typeof value === 'bigint' ? { bigint: String(value) } : value
  })
  return `${JSON.stringify(values)}\n`
}
