import { existsSync } from 'node:fs'
import { mkdtempDisposable, rename } from 'node:fs/promises'
import path from 'node:path'
import { stringifyJson } from '@vox/protocol'
import type { Config } from '../config/config.ts'
import type { Env } from '../config/environment.ts'
import { databaseState } from '../db/open.ts'
import { maskPassword, type PostgresTarget, parseDatabaseUrl, type SqliteTarget } from '../db/url.ts'
import { Refusal } from '../refusal.ts'
import { VERSION } from '../version.ts'
import { ArchiveWriter } from './archive.ts'
import { DATABASE_ENTRY, MANIFEST, type Manifest } from './manifest.ts'
import { dumpPostgres } from './postgres.ts'
import type { Progress } from './progress.ts'
import { copySqlite } from './sqlite.ts'
import { addUploads } from './uploads.ts'

/** What a backup or a restore works with. */
export interface BackupContext {
  config: Config
  env: Env
  progress: Progress
}

/**
 * Writes all that a server needs to come back to one file, also while the server runs.
 *
 * The database is copied as of one moment. Uploaded files never change, but come and go: they are collected before that
 * moment and again after it, so that every file the copy speaks of is there. Files that it does not speak of, or no
 * more, are removed by the clean-up of the restored server.
 *
 * @throws Refusal when there is nothing to back up, or something is in the way.
 */
export async function backUp(file: string, { config, env, progress }: BackupContext): Promise<void> {
  if (existsSync(file)) throw new Refusal(`${file} exists already. Choose another name.`)
  const target = await presentDatabase(config.get('database.url'))
  const { engine } = target
  const uploads = config.get('storage.backend')
  await using folder = await mkdtempDisposable(`${path.resolve(file)}.partial-`)
  const partial = path.join(folder.path, 'archive')
  const archive = new ArchiveWriter(partial)
  const collectUploads = async () => {
    if (uploads === 'local') await addUploads(archive, config.get('storage.path'), progress)
  }

  progress.step('Collecting uploaded files.')
  await collectUploads()
  progress.step('Copying the database.')
  const copy = path.join(folder.path, 'database')
  const postgres = await copyDatabase(target, copy, env)
  await collectUploads()
  await archive.addFile(DATABASE_ENTRY[engine], copy)
  const manifest: Manifest = {
    format: 1,
    vox: VERSION,
    created_at: new Date().toISOString(),
    engine,
    ...(postgres && { postgres }),
    uploads,
    entries: Object.fromEntries(archive.entries),
  }
  await archive.addText(MANIFEST, stringifyJson(manifest))
  await archive.finish()
  await rename(partial, file)
  if (uploads === 's3')
    progress.step(
      `Uploaded files are in the S3 bucket ${config.get('storage.s3_bucket')} and NOT in this backup. Back the bucket up as well.`,
    )
}

type PresentDatabase = PostgresTarget | (SqliteTarget & { path: string })

async function presentDatabase(url: string): Promise<PresentDatabase> {
  const target = parseDatabaseUrl(url)
  if (target.engine === 'sqlite' && target.path === null)
    throw new Refusal('A database in memory cannot be backed up: only its own server can read it.')
  if ((await databaseState(url)) === 'missing') throw new Refusal(`There is no Vox database at ${maskPassword(url)}.`)
  return target as PresentDatabase
}

async function copyDatabase(target: PresentDatabase, copy: string, env: Env): Promise<Manifest['postgres']> {
  if (target.engine === 'postgres') return dumpPostgres(target, copy, env)
  copySqlite(target.path, copy)
  return undefined
}
