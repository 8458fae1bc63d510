import { SqliteLock } from '../db/lock.ts'
import { databaseState } from '../db/open.ts'
import { PostgresWriter, reachable } from '../db/postgres.ts'
import { SqliteConnection, SqliteWriter } from '../db/sqlite.ts'
import { maskPassword, type PostgresTarget, parseDatabaseUrl, type SqliteTarget } from '../db/url.ts'
import type { Writer } from '../db/writer.ts'
import { Refusal } from '../refusal.ts'
import type { Side } from './side.ts'

/**
 * Opens a database to read all of it, and keeps everybody else off it.
 *
 * @throws Refusal when there is none, or one of an older version; DatabaseInUse while a server runs on it.
 */
export async function openSource(url: string, opened: AsyncDisposableStack): Promise<Side> {
  const place = parseDatabaseUrl(url)
  const state = await databaseState(url)
  if (state === 'missing') throw new Refusal(`There is no Vox database at ${maskPassword(url)}.`)
  if (state === 'outdated')
    throw new Refusal(`The database at ${maskPassword(url)} is of an older version: run "vox migrate" on it first.`)
  if (place.engine === 'postgres') return openPostgres(place, opened)
  const path = fileOf(place)
  opened.use(new SqliteLock(path))
  const { execute } = opened.use(new SqliteConnection(path, { readOnly: true }))
  return { engine: 'sqlite', execute }
}

/**
 * Opens a database to write to it, and keeps everybody else off it.
 *
 * @throws DatabaseInUse while a server runs on it.
 */
export async function openTarget(url: string, opened: AsyncDisposableStack): Promise<Writer> {
  const place = parseDatabaseUrl(url)
  if (place.engine === 'postgres') return openPostgres(place, opened)
  const path = fileOf(place)
  opened.use(new SqliteLock(path))
  return opened.use(new SqliteWriter(path))
}

async function openPostgres(place: PostgresTarget, opened: AsyncDisposableStack): Promise<PostgresWriter> {
  return opened.use(await PostgresWriter.open(await reachable(place), () => {}))
}

function fileOf({ path }: SqliteTarget): string {
  if (path === null) throw new Refusal("A database in memory is its own server's alone. Name a file.")
  return path
}
