import { randomBytes } from 'node:crypto'
import { existsSync } from 'node:fs'
import { readdir, stat } from 'node:fs/promises'
import path from 'node:path'
import { text } from 'node:stream/consumers'
import { pino } from 'pino'
import type { Config } from '../config/config.ts'
import { readDatabase } from '../db/open.ts'
import { maskPassword, parseDatabaseUrl } from '../db/url.ts'
import { readableSize } from '../readable-size.ts'
import { openSpool, openStorage } from '../storage/open.ts'
import { check } from './check.ts'
import { error, ok, skipped, warning } from './finding.ts'

/** From here on PostgreSQL is worth its trouble. */
const MANY_ACCOUNTS = 2000
const LARGE_BYTES = 4 * 2 ** 30

/** Free space with which a server runs for a while, and with which it is about to stop. */
const LITTLE_BYTES = 2 * 2 ** 30
const HARDLY_ANY_BYTES = 256 * 2 ** 20

const HOUR_MS = 3_600_000
const STALE_HOURS = 48

export const engineFits = check('database', async ({ config, database }) => {
  const url = config.get('database.url')
  const target = parseDatabaseUrl(url)
  if (database.state === 'unknown')
    return error(database.failure, 'Correct VOX_DATABASE_URL, or see why the database does not answer.')
  if (target.engine === 'postgres') return ok(`PostgreSQL: ${maskPassword(url)}.`)
  if (target.path === null)
    return error('The database is in memory, and gone when the server stops.', 'Set VOX_DATABASE_URL.')
  const file = path.resolve(target.path)
  if (database.state !== 'current') return ok(`SQLite: ${file}.`)
  const accounts = await countAccounts(url)
  const { size } = await stat(file)
  const facts = `SQLite: ${file}, ${readableSize(size)}, ${accounts} account${accounts === 1 ? '' : 's'}.`
  if (accounts < MANY_ACCOUNTS && size < LARGE_BYTES) return ok(facts)
  return warning(
    `${facts} For a community of this size PostgreSQL is the better choice.`,
    'Move there: "vox help migrate-data" says how.',
  )
})

async function countAccounts(url: string): Promise<number> {
  const counted = await readDatabase(url, (db) =>
    db
      .selectFrom('users')
      .select(({ fn }) => fn.countAll<number>().as('accounts'))
      .executeTakeFirstOrThrow(),
  )
  return counted?.accounts ?? 0
}

export const migrationsAreApplied = check('migrations', ({ database }) => {
  switch (database.state) {
    case 'unknown':
      return skipped('The database cannot be read.')
    case 'missing':
      return warning('There is no database yet.', 'The server makes it at its first start; so does "vox migrate".')
    case 'outdated':
      return error('Migrations are pending.', 'Stop the server, take a backup, run "vox migrate", start the server.')
    case 'current':
      return ok('Every migration is applied.')
  }
})

/** Bytes that are written, read back and removed. */
const TRIAL = 'vox doctor was here'

export const storageWorks = check('file storage', async ({ config }) => {
  const place = storagePlace(config)
  // Made by the wrong user, it would be in the way of the server.
  if (config.get('storage.backend') === 'local' && !existsSync(config.get('storage.path')))
    return skipped('The storage folder is made at the first start.')
  try {
    await tryStorage(config)
    return ok(`Files can be written to ${place}, read and deleted.`)
  } catch (failure) {
    return error(`${place}: ${(failure as Error).message}`, STORAGE_CURES[config.get('storage.backend')])
  }
})

const STORAGE_CURES = {
  local: 'Let the user of the server own the folder, or set VOX_STORAGE_PATH to another one.',
  s3: 'Compare the VOX_S3_ variables with those of the bucket, and see that the key may put, get and delete objects.',
}

const storagePlace = (config: Config): string =>
  config.get('storage.backend') === 's3'
    ? `the S3 bucket ${config.get('storage.s3_bucket')}`
    : path.resolve(config.get('storage.path'))

async function tryStorage(config: Config): Promise<void> {
  const storage = await openStorage(config, pino({ level: 'silent' }))
  try {
    const key = randomBytes(16).toString('base64url')
    await using file = await (await openSpool(config)).receive(toAsync(Buffer.from(TRIAL)))
    await storage.put(key, file, 'text/plain')
    const found = await storage.get(key)
    const isThere = found !== undefined && (await text(found)) === TRIAL
    await storage.delete(key)
    if (!isThere) throw new Error('what was written there is not what comes back')
  } finally {
    storage.close()
  }
}

async function* toAsync(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
  yield bytes
}

export const diskHasSpace = check('disk space', async ({ config, machine }) => {
  const target = parseDatabaseUrl(config.get('database.url'))
  const database = target.engine === 'sqlite' && target.path !== null ? [path.dirname(path.resolve(target.path))] : []
  const folders = [...database, path.resolve(config.get('storage.path'))]
  const spaces = await Promise.all(
    folders.map(async (folder) => ({ folder, free: (await machine.freeBytes(folder)) ?? Number.NaN })),
  )
  const [scarcest] = spaces.filter(({ free }) => !Number.isNaN(free)).sort((a, b) => a.free - b.free)
  if (!scarcest) return skipped('No folder of this server is there yet.')
  const facts = `${readableSize(scarcest.free)} are free in ${scarcest.folder}.`
  const cure = 'Remove what is not needed, or move the data to a larger disk.'
  if (scarcest.free < HARDLY_ANY_BYTES) return error(facts, cure)
  return scarcest.free < LITTLE_BYTES ? warning(facts, cure) : ok(facts)
})

export const backupsAreFresh = check('backups', async ({ backups }) => {
  const cure = 'Run "vox backup" once a day, and keep a copy on another machine (docs/operations.md).'
  if (backups === undefined) return skipped('Name the folder of backups with --backups to check their age.')
  const [newest] = (await filesIn(backups)).sort((a, b) => b.changedAt - a.changedAt)
  if (!newest) return error(`There is no backup in ${backups}.`, cure)
  if (newest.size === 0) return error(`The newest backup, ${newest.file}, is empty.`, cure)
  const hours = Math.floor((Date.now() - newest.changedAt) / HOUR_MS)
  const facts = `The newest backup, ${newest.file}, is ${hours} hour${hours === 1 ? '' : 's'} old.`
  return hours < STALE_HOURS ? ok(facts) : warning(facts, cure)
})

async function filesIn(folder: string): Promise<{ file: string; changedAt: number; size: number }[]> {
  const entries = await readdir(folder, { withFileTypes: true }).catch(() => [])
  const files = entries.filter((entry) => entry.isFile()).map(({ name }) => path.join(folder, name))
  return Promise.all(
    files.map(async (file) => {
      const { mtimeMs, size } = await stat(file)
      return { file, changedAt: mtimeMs, size }
    }),
  )
}
