import { execFile } from 'node:child_process'
import { existsSync, globSync } from 'node:fs'
import path from 'node:path'
import { promisify } from 'node:util'
import type { Env } from '../config/environment.ts'
import type { PostgresTarget } from '../db/url.ts'
import { Refusal } from '../refusal.ts'

const run = promisify(execFile)

/** Where packages of PostgreSQL put programs that are not on the PATH, one folder for each version. */
const FOLDERS = ['/usr/lib/postgresql/*/bin', '/usr/pgsql-*/bin', '/opt/homebrew/opt/postgresql@*/bin']

export type ProgramName = 'pg_dump' | 'pg_restore' | 'psql'

export interface Program {
  path: string
  /** Major version. */
  version: number
}

/**
 * The program of PostgreSQL to use. Each reads what it and older versions wrote, and writes for its own version; so the
 * oldest one that will do is the best.
 *
 * @throws Refusal when there is none of at least this version; `because` says what asks for it.
 */
export async function findProgram(name: ProgramName, version: number, because: string, env: Env): Promise<Program> {
  const found = await installed(name, env)
  const [best] = found.filter((program) => program.version >= version)
  if (best) return best
  const newest = found.at(-1)
  const lack = newest
    ? `the newest ${name} on this machine is of PostgreSQL ${newest.version} (${newest.path})`
    : `there is no ${name} on this machine`
  throw new Refusal(
    `${because}, but ${lack}. Install the package postgresql-client-${version}, or put ${name} on the PATH.`,
  )
}

/** All of this name, the oldest first. */
async function installed(name: ProgramName, { PATH = '' }: Env): Promise<Program[]> {
  const folders = [...PATH.split(path.delimiter), ...globSync(FOLDERS)]
  const paths = folders.map((folder) => path.join(folder, name)).filter((file) => existsSync(file))
  const programs = await Promise.all(
    [...new Set(paths)].map(async (file) => ({ path: file, version: await versionOf(file) })),
  )
  return programs.filter(({ version }) => version > 0).sort((a, b) => a.version - b.version)
}

/** Major version of a program; 0 if it cannot be run. */
async function versionOf(program: string): Promise<number> {
  const { stdout } = await run(program, ['--version']).catch(() => ({ stdout: '' }))
  return Number(/\b(\d+)(?:\.|devel|beta|rc)/.exec(stdout)?.[1] ?? 0)
}

/** The environment in which PostgreSQL's programs connect as the server does. A password among the arguments could be seen. */
export function connectionEnvironment({ config, sslMode, certificates }: PostgresTarget, env: Env): NodeJS.ProcessEnv {
  const settings = {
    PGHOST: config.host,
    PGPORT: config.port,
    PGUSER: config.user,
    PGPASSWORD: config.password,
    PGDATABASE: config.database,
    PGOPTIONS: config.options,
    PGSSLMODE: sslMode,
    PGSSLROOTCERT: certificates.ca,
    PGSSLCERT: certificates.cert,
    PGSSLKEY: certificates.key,
  }
  const given = Object.entries(settings).filter(([, value]) => value !== undefined)
  return { ...env, ...Object.fromEntries(given.map(([name, value]) => [name, String(value)])) }
}
