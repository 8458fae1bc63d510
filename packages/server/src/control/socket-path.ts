import { hash } from 'node:crypto'
import { lstatSync, mkdirSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import type { Config } from '../config/config.ts'
import { realPath } from '../db/lock.ts'
import { type PostgresTarget, parseDatabaseUrl } from '../db/url.ts'
import { Refusal } from '../refusal.ts'

/** What the systems we run on leave for a path in the address of a socket. */
const MAX_BYTES = 100

/**
 * Where the control socket of the server of this database is, so that the command line finds it with the settings it has
 * anyway; null for a database in memory, which is the server's alone.
 *
 * @throws Refusal when the folder of the socket belongs to somebody else.
 */
export function controlSocketPath(config: Config): string | null {
  const chosen = config.get('network.control_socket')
  if (chosen !== null) return path.resolve(chosen)
  const target = parseDatabaseUrl(config.get('database.url'))
  if (target.engine === 'postgres') return inPrivateFolder(databaseOf(target))
  if (target.path === null) return null
  const beside = `${realPath(target.path)}.sock`
  return Buffer.byteLength(beside) <= MAX_BYTES ? beside : inPrivateFolder(beside)
}

/** What tells one PostgreSQL database from another, whoever asks. */
function databaseOf({ config: { host, port, database, options } }: PostgresTarget): string {
  return JSON.stringify([host, port, database, options])
}

/** In a folder of this user alone: whoever could put a socket there would be told passwords. */
function inPrivateFolder(key: string): string {
  const folder = path.join(tmpdir(), `vox-${process.getuid?.() ?? 0}`)
  mkdirSync(folder, { recursive: true, mode: 0o700 })
  const { uid, mode } = lstatSync(folder)
  if (uid !== process.getuid?.() || (mode & 0o077) !== 0)
    throw new Refusal(`The folder ${folder} must belong to the user of the server alone. Remove it.`)
  return path.join(folder, `${hash('sha256', key).slice(0, 32)}.sock`)
}
