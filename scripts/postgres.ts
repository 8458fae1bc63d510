import { type ChildProcess, execFile, spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, globSync, statfsSync } from 'node:fs'
import { chown, mkdtempDisposable } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { promisify } from 'node:util'
import pg from 'pg'

const run = promisify(execFile)

/** `nobody`: PostgreSQL refuses to run as root. */
const UNPRIVILEGED = { uid: 65534, gid: 65534 }

/** Durability is for data that outlives the process. Many test files open many connections. */
const SETTINGS = {
  fsync: 'off',
  synchronous_commit: 'off',
  full_page_writes: 'off',
  max_connections: '400',
  max_wal_size: '256MB',
  listen_addresses: '',
}

/** A file system in memory, as Linux has it, and the bytes that a run's databases may take. */
const MEMORY = '/dev/shm'
const ROOM = 2 * 1024 ** 3

/** A PostgreSQL server for one run; gone with everything in it when it is disposed of. */
export interface ThrowAwayPostgres extends AsyncDisposable {
  /** Of a database in which anything may be created. */
  readonly url: string
  /** Ends the server, its data kept: cleanly (`SIGINT`) or as a crash does (`SIGQUIT`). */
  stop(signal: 'SIGINT' | 'SIGQUIT'): Promise<void>
  /** Runs it again after a stop; resolves when it answers. */
  start(): Promise<void>
}

/** Folder with PostgreSQL's server programs: the one on the PATH, else the newest of Debian's. */
export function findPostgres(): string | undefined {
  const installed = globSync('/usr/lib/postgresql/*/bin').sort((a, b) => b.localeCompare(a, 'en', { numeric: true }))
  const folders = [...(process.env.PATH ?? '').split(path.delimiter), ...installed]
  return folders.find((folder) => ['initdb', 'postgres'].every((program) => existsSync(path.join(folder, program))))
}

/** Version of the server at `url`. Rejects when it cannot be reached. */
export async function postgresVersion(url: string): Promise<string> {
  const client = new pg.Client({ connectionString: url, connectionTimeoutMillis: 5000 })
  try {
    await client.connect()
    const { rows } = await client.query<{ server_version: string }>('show server_version')
    return rows[0]?.server_version.split(' ')[0] ?? ''
  } finally {
    await client.end()
  }
}

/**
 * Starts a server in a temporary folder that only the server's own user may enter. It listens on a socket in there and
 * nowhere else, which is why it can do without passwords and without a free port.
 */
export async function startPostgres(
  programs: string,
  overrides: Partial<Record<keyof typeof SETTINGS, string>> = {},
): Promise<ThrowAwayPostgres> {
  await using cleanUp = new AsyncDisposableStack()
  const { path: folder } = cleanUp.use(await mkdtempDisposable(path.join(folderForData(), 'vox-postgres-')))
  const user = process.getuid?.() === 0 ? UNPRIVILEGED : undefined
  if (user) await chown(folder, user.uid, user.gid)
  const data = path.join(folder, 'data')
  await createCluster(path.join(programs, 'initdb'), data, user)
  const settings = Object.entries({ ...SETTINGS, ...overrides, unix_socket_directories: folder })
  const url = `postgresql://vox@localhost/postgres?host=${encodeURIComponent(folder)}`
  let server: ChildProcess | undefined
  const stop = async (signal: NodeJS.Signals) => {
    if (!server || server.exitCode !== null) return
    const exited = once(server, 'exit')
    server.kill(signal)
    await exited
  }
  const start = async () => {
    server = spawn(path.join(programs, 'postgres'), ['-D', data, ...settings.map(([k, v]) => `-c${k}=${v}`)], {
      ...user,
      cwd: folder,
      detached: true, // Ctrl-C is for the tests; the server stays until they are done with it
      stdio: ['ignore', 'ignore', 'pipe'],
    })
    await untilReady(server, url)
  }
  cleanUp.defer(() => stop('SIGQUIT')) // at once: there is nothing to save
  await start()
  const running = cleanUp.move()
  return { url, stop, start, [Symbol.asyncDispose]: () => running.disposeAsync() }
}

/** In memory if there is room: nothing of it is to last, and the databases of a run are many files. */
function folderForData(): string {
  if (!existsSync(MEMORY)) return tmpdir()
  const { bavail, bsize } = statfsSync(MEMORY)
  return bavail * bsize > ROOM ? MEMORY : tmpdir()
}

async function createCluster(initdb: string, data: string, user: typeof UNPRIVILEGED | undefined): Promise<void> {
  const { stdout: help } = await run(initdb, ['--help'])
  // A collation like most operators have, which does not sort by code point, so that tests notice who relies on it.
  const collation = help.includes('--icu-locale') ? ['--locale-provider=icu', '--icu-locale=en'] : []
  const options = ['--username=vox', '--auth=trust', '--encoding=UTF8', '--locale=C', ...collation, '--no-sync']
  await run(initdb, ['--pgdata', data, ...options], { ...user, cwd: path.dirname(data) })
}

async function untilReady(server: ChildProcess, url: string): Promise<void> {
  const log: string[] = []
  server.stderr?.on('data', (chunk) => log.push(String(chunk)))
  for (let attempt = 0; attempt < 300 && server.exitCode === null; attempt++) {
    if (await postgresVersion(url).catch(() => undefined)) return
    await sleep(100)
  }
  throw new Error(`PostgreSQL did not start:\n${log.join('')}`)
}
