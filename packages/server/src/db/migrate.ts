import { type Kysely, sql } from 'kysely'
import { type EngineName, type Execute, queriesOver } from './dialect.ts'
import { MIGRATIONS } from './migrations/index.ts'
import { Ddl, type Migration } from './migrations/migration.ts'
import { inTransaction, type Writer } from './writer.ts'

/** By its history a database is known to be ours: one row per migration that it has seen. */
type History = {
  vox_migrations: { version: number; name: string; applied_at: number }
}

/** A table that is there while another database is being copied into this one. */
export const UNFINISHED_COPY = 'vox_transfer'

/** This program must not touch the database as it is. Nothing was changed. */
export class SchemaRefused extends Error {
  constructor(message: string) {
    super(message)
    this.name = 'SchemaRefused'
  }
}

/**
 * The migrations that the database has yet to see, oldest first.
 *
 * @throws SchemaRefused when the database is not ours, or of a newer version of this program.
 */
export async function pendingIn(
  engine: EngineName,
  execute: Execute,
  migrations: readonly Migration[],
): Promise<readonly Migration[]> {
  const db = historyOver(engine, execute)
  const tables = await tablesOf(engine, db)
  if (tables.length === 0) return migrations
  if (!tables.includes('vox_migrations'))
    throw new SchemaRefused(`the database holds tables of another program (${tables.join(', ')}): Vox needs its own`)
  const { version } = await db
    .selectFrom('vox_migrations')
    .select((row) => row.fn.max('version').as('version'))
    .executeTakeFirstOrThrow()
  if (version > migrations.length)
    throw new SchemaRefused(
      `the database was last used by a newer Vox (schema version ${version}, this one knows ${migrations.length})`,
    )
  return migrations.slice(version)
}

/**
 * Brings the database up to date: an empty one in a single transaction, another one migration by migration, each of
 * them announced, because it takes as long as there is data. The caller sees to it that no other process does the same.
 *
 * @throws SchemaRefused when the database is not ours, or of a newer version of this program.
 */
export async function migrate(
  writer: Writer,
  migrations = MIGRATIONS,
  announce = (_name: string) => {},
): Promise<readonly Migration[]> {
  const pending = await pendingIn(writer.engine, writer.execute, migrations)
  if (await isUnfinishedCopy(writer))
    throw new SchemaRefused('the database is not complete: "vox migrate-data" has not finished, so run it again first')
  const isFresh = pending.length === migrations.length
  const steps = isFresh ? [pending] : pending.map((migration) => [migration])
  for (const step of steps)
    await inTransaction(writer, async () => {
      for (const migration of step) {
        if (!isFresh) announce(migration.name)
        await apply(writer, migration, migrations.indexOf(migration) + 1)
      }
    })
  return pending
}

/** Whether another database has been copied into this one, and not all of it. */
export async function isUnfinishedCopy({ engine, execute }: Writer): Promise<boolean> {
  return (await tablesOf(engine, historyOver(engine, execute))).includes(UNFINISHED_COPY)
}

async function apply({ engine, execute }: Writer, migration: Migration, version: number): Promise<void> {
  const db = historyOver(engine, execute)
  const ddl = new Ddl(engine, db)
  if (version === 1) await createHistory(ddl)
  await migration.up(ddl)
  await db.insertInto('vox_migrations').values({ version, name: migration.name, applied_at: Date.now() }).execute()
}

async function createHistory(ddl: Ddl): Promise<void> {
  await ddl
    .createTable('vox_migrations')
    .addColumn('version', ddl.integer, (column) => column.primaryKey().notNull())
    .addColumn('name', ddl.text, (column) => column.notNull())
    .addColumn('applied_at', ddl.integer, (column) => column.notNull())
    .execute()
}

const historyOver = (engine: EngineName, execute: Execute): Kysely<History> =>
  queriesOver(engine, execute).$extendTables<History>().$pickTables<'vox_migrations'>()

async function tablesOf(engine: EngineName, db: Kysely<History>): Promise<string[]> {
  const { rows } = await TABLES[engine].execute(db)
  return rows.map(({ name }) => name)
}

const TABLES = {
  sqlite: sql<{
    name: string
  }>`select name from sqlite_master where type = 'table' and substr(name, 1, 7) <> 'sqlite_'`,
  postgres: sql<{ name: string }>`select tablename as name from pg_tables where schemaname = current_schema()`,
}
