import { rename, rm } from 'node:fs/promises'
import { databaseState } from '../db/open.ts'
import { openFile } from '../db/sqlite.ts'
import { Refusal } from '../refusal.ts'

/**
 * Copies a database as it is at this moment, whoever writes to it meanwhile. The copy holds nothing of what has been
 * deleted.
 */
export function copySqlite(path: string, copy: string): void {
  {
    using database = openFile(path, { readOnly: true, timeout: 5000 })
    database.prepare('vacuum into ?').run(copy)
  }
  using copied = openFile(copy)
  // A database that waits for its upgrade may have no index yet.
  if (!copied.prepare(`select 1 from sqlite_schema where name = 'message_search'`).get()) return
  // It keeps parts of deleted texts until it is merged.
  copied.exec('pragma secure_delete = on')
  copied.exec(`insert into message_search (message_search) values ('optimize')`)
}

/** @throws Refusal or SchemaRefused unless the file is a whole database that this program can use. */
export async function checkSqlite(path: string): Promise<void> {
  if ((await databaseState(`sqlite:///${path}`)) === 'missing') throw new Refusal('The backup holds no Vox database.')
  using database = openFile(path, { readOnly: true })
  const { quick_check: finding } = database.prepare('pragma quick_check(1)').get() ?? {}
  if (finding !== 'ok') throw new Refusal(`The database in the backup is damaged: ${finding}.`)
}

/** Puts a database file in the place of another. What belongs to the old one must not be taken for the new one's. */
export async function replaceSqlite(path: string, by: string): Promise<void> {
  for (const suffix of ['-wal', '-shm']) await rm(path + suffix, { force: true })
  await rename(by, path)
}
