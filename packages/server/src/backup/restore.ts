import { mkdir, mkdtempDisposable, readFile, rename, rm, stat } from 'node:fs/promises'
import path from 'node:path'
import { DEFAULT_LIMITS, decode, parseJson } from '@vox/protocol'
import type { Env } from '../config/environment.ts'
import { realPath, SqliteLock } from '../db/lock.ts'
import { PostgresWriter, reachable } from '../db/postgres.ts'
import { type PostgresTarget, parseDatabaseUrl, type SqliteTarget } from '../db/url.ts'
import { Refusal } from '../refusal.ts'
import { isKey } from '../storage/storage.ts'
import { extractArchive } from './archive.ts'
import type { BackupContext } from './backup.ts'
import { DATABASE_ENTRY, type EntryFacts, MANIFEST, Manifest, UPLOADS } from './manifest.ts'
import { inspectPostgres, restorePostgres } from './postgres.ts'
import { checkSqlite, replaceSqlite } from './sqlite.ts'
import { uploadsIn } from './uploads.ts'

interface RestoreContext extends BackupContext {
  /** Whether what is there may be replaced. */
  force: boolean
}

/** A database that a backup can be put into, and that no server may open until that is done. */
interface Destination {
  engine: Manifest['engine']
  /** Folder beside which the backup's database can wait. */
  nearby: string
  isEmpty(): Promise<boolean>
  /** Looks at the backup's database without changing anything. */
  check(file: string): Promise<void>
  replaceBy(file: string, manifest: Manifest): Promise<void>
}

/**
 * Puts a backup in the place of what the settings name. Nothing is touched before the whole archive is known to be as
 * it was written.
 *
 * @throws Refusal when it is damaged, does not fit, or would overwrite something without `force`.
 */
export async function restore(file: string, { config, env, progress, force }: RestoreContext): Promise<Manifest> {
  await using opened = new AsyncDisposableStack()
  const storage = config.get('storage.path')
  const destination = await lockDestination(config.get('database.url'), storage, env, opened)
  if (!force) await refuseOverwriting(destination, storage)
  await mkdir(storage, { recursive: true })
  const uploads = opened.use(await mkdtempDisposable(path.join(storage, 'restore-')))
  const database = opened.use(await mkdtempDisposable(path.join(destination.nearby, 'restore-')))

  progress.step('Checking the backup.')
  const { engine } = destination
  const placeOf = (entry: string) =>
    entry.startsWith(UPLOADS)
      ? path.join(uploads.path, keyOf(entry))
      : path.join(database.path, knownEntry(entry, engine))
  const found = await extractArchive(file, placeOf)
  const manifest = await readManifest(file, path.join(database.path, MANIFEST), found)
  if (manifest.uploads !== config.get('storage.backend'))
    throw new Refusal(`The backup is of a server with VOX_STORAGE_BACKEND=${manifest.uploads}. Set the same here.`)
  const staged = path.join(database.path, DATABASE_ENTRY[engine])
  await destination.check(staged)

  progress.step('Replacing the database.')
  await destination.replaceBy(staged, manifest)
  if (manifest.uploads === 'local') await replaceUploads(storage, uploads.path)
  else progress.step('Uploaded files are not part of this backup: they are still needed in their S3 bucket.')
  return manifest
}

async function lockDestination(
  url: string,
  storage: string,
  env: Env,
  opened: AsyncDisposableStack,
): Promise<Destination> {
  const target = parseDatabaseUrl(url)
  return target.engine === 'sqlite' ? lockSqlite(target, opened) : lockPostgres(target, storage, env, opened)
}

function lockSqlite({ path: file }: SqliteTarget, opened: AsyncDisposableStack): Destination {
  if (file === null) throw new Refusal('A backup cannot be restored into memory. Name a database with --database-url.')
  opened.use(new SqliteLock(file))
  const real = realPath(file)
  return {
    engine: 'sqlite',
    nearby: path.dirname(real),
    isEmpty: async () => ((await stat(real).catch(() => undefined))?.size ?? 0) === 0,
    check: checkSqlite,
    replaceBy: (copy) => replaceSqlite(real, copy),
  }
}

async function lockPostgres(
  target: PostgresTarget,
  storage: string,
  env: Env,
  opened: AsyncDisposableStack,
): Promise<Destination> {
  opened.use(await PostgresWriter.open(await reachable(target), () => {}))
  const { tables } = await inspectPostgres(target)
  if (tables.length > 0 && !tables.includes('vox_migrations'))
    throw new Refusal(`The database holds tables of another program (${tables.join(', ')}). Vox needs its own.`)
  return {
    engine: 'postgres',
    nearby: storage,
    isEmpty: async () => tables.length === 0,
    check: async () => {},
    async replaceBy(dump, { postgres }) {
      if (!postgres) throw new Refusal('The backup does not say how to read its database.')
      await restorePostgres(target, dump, postgres, env)
    },
  }
}

async function refuseOverwriting(destination: Destination, storage: string): Promise<void> {
  const inTheWay = [
    (await destination.isEmpty()) ? '' : 'a database',
    (await uploadsIn(storage)).length === 0 ? '' : `uploaded files in ${storage}`,
  ].filter((what) => what !== '')
  if (inTheWay.length > 0)
    throw new Refusal(`There is already ${inTheWay.join(', and there are ')}. To replace all that, add --force.`)
}

function keyOf(entry: string): string {
  const key = entry.slice(UPLOADS.length)
  if (!isKey(key)) throw new Refusal(`This is no backup of Vox: it has an entry ${entry}.`)
  return key
}

/** An entry that belongs into a backup of this engine. */
function knownEntry(entry: string, engine: Manifest['engine']): string {
  if (entry === MANIFEST || entry === DATABASE_ENTRY[engine]) return entry
  const other = Object.values(DATABASE_ENTRY).some((name) => name === entry)
  throw new Refusal(
    other
      ? `The backup is of another kind of database (${entry}). Restore it to the same kind, then use "vox migrate-data".`
      : `This is no backup of Vox: it has an entry ${entry}.`,
  )
}

async function readManifest(
  file: string,
  manifestFile: string,
  found: ReadonlyMap<string, EntryFacts>,
): Promise<Manifest> {
  if (!found.has(MANIFEST)) throw new Refusal(`${file} is damaged: its end is missing.`)
  const manifest = decode(Manifest, parseJson(await readFile(manifestFile, 'utf8')), DEFAULT_LIMITS)
  const damaged = Object.entries(manifest.entries).filter(([name, { size, sha256 }]) => {
    const actual = found.get(name)
    return actual?.size !== size || actual.sha256 !== sha256
  })
  if (damaged.length > 0) throw new Refusal(`${file} is damaged: ${damaged.map(([name]) => name).join(', ')}.`)
  return manifest
}

/** Moves files into the storage folder, and removes those that have been there. */
async function replaceUploads(storage: string, staged: string): Promise<void> {
  const keys = new Set(await uploadsIn(staged))
  for (const key of keys) await rename(path.join(staged, key), path.join(storage, key))
  for (const key of await uploadsIn(storage)) if (!keys.has(key)) await rm(path.join(storage, key), { force: true })
}
