import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { text } from 'node:stream/consumers'
import pg from 'pg'
import type { Env } from '../config/environment.ts'
import { reachable } from '../db/postgres.ts'
import type { PostgresTarget } from '../db/url.ts'
import { Refusal } from '../refusal.ts'
import { connectionEnvironment, findProgram } from './postgres-programs.ts'

/** What is known of a database on a PostgreSQL server. */
interface Database {
  /** Major version of the server. */
  version: number
  /** The schema that Vox uses. */
  schema: string
  tables: string[]
}

/** What a dump has to be read with. */
export interface DumpFacts {
  schema: string
  /** Major version of the program that made it. */
  pg_dump: number
}

export async function inspectPostgres(target: PostgresTarget): Promise<Database> {
  const client = new pg.Client(await reachable(target))
  await client.connect()
  try {
    const { rows } = await client.query<Database>(
      `select current_setting('server_version_num')::int / 10000 as version, current_schema() as schema,
        array(select tablename::text from pg_tables where schemaname = current_schema()) as tables`,
    )
    const [database] = rows
    if (!database?.schema) throw new Refusal('The schema in the search path of the database does not exist.')
    return database
  } finally {
    await client.end()
  }
}

/** Writes the tables down as they are at this moment, whoever writes to them meanwhile. */
export async function dumpPostgres(target: PostgresTarget, file: string, env: Env): Promise<DumpFacts> {
  const { version, schema } = await inspectPostgres(target)
  const program = await findProgram('pg_dump', version, `The server is PostgreSQL ${version}`, env)
  const dump = spawn(
    program.path,
    ['--format=custom', `--schema=${quoted(schema)}`, `--file=${file}`, '--no-password'],
    {
      env: connectionEnvironment(target, env),
      stdio: ['ignore', 'ignore', 'pipe'],
    },
  )
  await succeeded(dump, 'pg_dump')
  return { schema, pg_dump: program.version }
}

/**
 * Replaces the tables of a database by those of a dump, all of it in one transaction: if anything fails, everything is
 * as it was.
 */
export async function restorePostgres(
  target: PostgresTarget,
  file: string,
  { schema, pg_dump }: DumpFacts,
  env: Env,
): Promise<void> {
  const database = await inspectPostgres(target)
  if (database.schema !== schema)
    throw new Refusal(`The backup is of the schema ${schema}, and this database uses ${database.schema}.`)
  const because = `The backup was written by pg_dump ${pg_dump}`
  const reader = await findProgram('pg_restore', pg_dump, because, env)
  const writer = await findProgram('psql', 1, 'A restore needs psql', env)

  const restore = spawn(reader.path, [`--schema=${schema}`, '--no-owner', '--no-privileges', '--file=-', file], {
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  const psql = spawn(
    writer.path,
    [
      '--file=-',
      '--no-psqlrc',
      '--quiet',
      '--single-transaction',
      '--set=ON_ERROR_STOP=1',
      '--no-password',
      '--output=/dev/null',
    ],
    { env: connectionEnvironment(target, env), stdio: ['pipe', 'ignore', 'pipe'] },
  )
  psql.stdin.on('error', () => {}) // it has failed, and says why
  for (const table of database.tables) psql.stdin.write(`drop table ${quoted(schema)}.${quoted(table)} cascade;\n`)
  restore.stdout.pipe(psql.stdin, { end: false })
  const ends = [succeeded(restore, 'pg_restore'), succeeded(psql, 'psql')] as const
  // Only at the end of its input does psql commit; so if one fails, the other must not go on.
  ends[0].then(
    () => psql.stdin.end(),
    () => psql.kill(),
  )
  ends[1].catch(() => restore.kill())
  const outcome = Promise.all(ends)
  outcome.catch(() => {}) // heard of when both have ended
  await Promise.allSettled(ends)
  await outcome
}

/** @throws Refusal with what a program wrote last, unless it ends well. */
async function succeeded(child: ChildProcess, name: string): Promise<void> {
  const [said, [status]] = await Promise.all([child.stderr ? text(child.stderr) : '', once(child, 'close')])
  if (status !== 0) throw new Refusal(`${name} failed: ${said.trim().split('\n').slice(-3).join(' ')}`)
}

const quoted = (name: string): string => `"${name.replaceAll('"', '""')}"`
