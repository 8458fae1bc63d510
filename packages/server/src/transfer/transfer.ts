import { hash } from 'node:crypto'
import { sql } from 'kysely'
import { isUnfinishedCopy, migrate, pendingIn, UNFINISHED_COPY } from '../db/migrate.ts'
import { MIGRATIONS } from '../db/migrations/index.ts'
import { inTransaction, type Writer } from '../db/writer.ts'
import { Refusal } from '../refusal.ts'
import { type Copied, copyAll, type Watch } from './copy.ts'
import { openSource, openTarget } from './open.ts'
import { countRows } from './rows.ts'
import { type Side, select } from './side.ts'
import { tablesOf } from './tables.ts'

/**
 * Copies a whole database to another one, of either engine, while no server runs on any of the two. The source is only
 * read. An interrupted copy goes on when it is called again; until it is complete no server starts on the target.
 *
 * @throws Refusal, DatabaseInUse or SchemaRefused with what is in the way.
 */
export async function transfer(from: string, to: string, watch: Watch): Promise<Copied[]> {
  await using opened = new AsyncDisposableStack()
  const source = await openSource(from, opened)
  const target = await openTarget(to, opened)
  await prepare(target, await fingerprint(source))
  const copied = await copyAll({ source, target }, watch)
  await select(target, sql`drop table ${sql.table(UNFINISHED_COPY)}`)
  return copied
}

/** Tells databases apart, wherever they are: each has seen its migrations at times of its own. */
async function fingerprint(side: Side): Promise<string> {
  const history = await select(side, sql`select version, name, applied_at from vox_migrations order by version`)
  return hash('sha256', JSON.stringify(history))
}

/** Makes the tables and marks them as not complete, unless an earlier call has done so. */
async function prepare(target: Writer, source: string): Promise<void> {
  if (await isUnfinishedCopy(target)) return checkResumable(target, source)
  const pending = await pendingIn(target.engine, target.execute, MIGRATIONS)
  if (pending.length === MIGRATIONS.length) await migrate(target)
  else if (pending.length > 0 || !(await isEmpty(target)))
    throw new Refusal('The target holds data already. Name an empty database.')
  await inTransaction(target, async () => {
    await select(target, sql`create table ${sql.table(UNFINISHED_COPY)} (source text not null)`)
    await select(target, sql`insert into ${sql.table(UNFINISHED_COPY)} values (${source})`)
  })
}

async function checkResumable(target: Writer, source: string): Promise<void> {
  const [begun] = await select(target, sql<{ source: string }>`select source from ${sql.table(UNFINISHED_COPY)}`)
  const pending = await pendingIn(target.engine, target.execute, MIGRATIONS)
  if (begun?.source !== source || pending.length > 0)
    throw new Refusal('The target holds part of another database, or of another version. Name an empty one.')
}

async function isEmpty(target: Writer): Promise<boolean> {
  for (const table of await tablesOf(target)) if ((await countRows(target, table)) > 0) return false
  return true
}
