import { sql } from 'kysely'
import { inTransaction, type Writer } from '../db/writer.ts'
import { Refusal } from '../refusal.ts'
import { issuing, lastIssued, setLastIssued } from './issued-ids.ts'
import { countRows, type Digest, digest, insert, lastRow, pagesAfter } from './rows.ts'
import { type Side, select } from './side.ts'
import { sameShape, type Table, tablesOf } from './tables.ts'

export interface Databases {
  source: Side
  target: Writer
}

/** How far a table is. */
export interface Step {
  work: 'copying' | 'comparing'
  table: string
  /** Rows. */
  done: number
  total: number
}

/** Hears of every page. */
export type Watch = (step: Step) => void

/** A table of which both sides hold the same. */
export interface Copied extends Digest {
  table: string
}

/**
 * Copies all rows to a database that has the same tables, empty or with what an earlier call put there.
 *
 * Rows go over in the order of their primary key, in transactions of a page each. So what the target has is where to go
 * on, and nothing else needs to be remembered. Once everything is there, both sides are read again and compared.
 *
 * @throws Refusal when the sides differ at the end.
 */
export async function copyAll({ source, target }: Databases, watch: Watch): Promise<Copied[]> {
  const tables = await sharedTables(source, target)
  for (const table of tables) await copy(table, { source, target }, watch)
  const copied: Copied[] = []
  for (const table of tables) copied.push(await compare(table, { source, target }, watch))
  await inTransaction(target, async () => {
    for (const table of issuing(tables)) await setLastIssued(target, table, await lastIssued(source, table))
  })
  await select(target, sql`analyze`)
  return copied
}

/** The tables as the target has them, parents first. */
async function sharedTables(source: Side, target: Side): Promise<Table[]> {
  const [given, wanted] = [await tablesOf(source), await tablesOf(target)]
  const odd = wanted.filter((table) => !given.some((other) => sameShape(table, other)))
  const left = given.filter((table) => !wanted.some(({ name }) => name === table.name))
  if (odd.length + left.length > 0)
    throw new Error(`the databases differ in the tables ${[...odd, ...left].map(({ name }) => name).join(', ')}`)
  return wanted
}

async function copy(table: Table, { source, target }: Databases, watch: Watch): Promise<void> {
  const total = await countRows(source, table)
  let done = await countRows(target, table)
  for await (const page of pagesAfter(source, table, await lastRow(target, table))) {
    await inTransaction(target, () => insert(target, table, page))
    done += page.length
    watch({ work: 'copying', table: table.name, done, total })
  }
}

async function compare(table: Table, { source, target }: Databases, watch: Watch): Promise<Copied> {
  const total = await countRows(source, table)
  const [given, copied] = await Promise.all([
    digest(source, table, () => {}),
    digest(target, table, (done) => watch({ work: 'comparing', table: table.name, done, total })),
  ])
  if (given.rows !== copied.rows || given.sha256 !== copied.sha256)
    throw new Refusal(
      `The table ${table.name} is not the same on both sides (${given.rows} and ${copied.rows} rows). ` +
        'The source has changed since the copy began, or the target was written to. Begin again with an empty target.',
    )
  return { table: table.name, ...copied }
}
