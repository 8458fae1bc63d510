/**
 * Moving a community from SQLite to PostgreSQL with `vox migrate-data`, beside a bare program that copies the messages
 * alone, with the same statements and without comparing anything.
 *
 *   npx node bench/migrate-data.ts [messages]
 *
 * On a throw-away PostgreSQL. Before and after, a server on either side has to answer the same to the same token.
 */
import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync, statSync } from 'node:fs'
import { mkdtempDisposable } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { migrateDatabase } from '../packages/server/src/db/open.ts'
import { runSql } from '../packages/server/test/support/sql.ts'
import { findPostgres, startPostgres } from '../scripts/postgres.ts'
import { startVox } from './support/program.ts'
import { idOf, seed, wordOf } from './support/seed.ts'

const messages = Number(process.argv[2] ?? 1_000_000)

const SAMPLE_MS = 50

const programs = findPostgres()
if (!programs) throw new Error('PostgreSQL is not installed')
await using folder = await mkdtempDisposable(join(tmpdir(), 'vox-bench-'))
await using postgres = await startPostgres(programs)
const file = join(folder.path, 'vox.db')
const source = `sqlite:///${file}`
const [target, bare] = [await freshDatabase('ours'), await freshDatabase('bare')]

const token = await seed(source, messages)
const before = await answers(source)
await migrateDatabase(bare)
// The rows that messages refer to stay behind.
await runSql(bare, `alter database bare set session_replication_role = 'replica'`)
const least = await measure(fileURLToPath(new URL('ceilings/copy.ts', import.meta.url)), source, bare)
const main = fileURLToPath(new URL('../packages/server/src/main.ts', import.meta.url))
const ours = await measure(main, 'migrate-data', '--from', source, '--to', target)
assert.deepEqual(await answers(target), before)

console.log(`${messages} messages, a file of ${Math.round(statSync(file).size / 2 ** 20)} MB`)
console.table({ 'vox migrate-data': ours, 'a bare copy': least })
console.log(`time ratio ${(ours.seconds / least.seconds).toFixed(1)}; all answers are the same on both sides`)

async function freshDatabase(name: string): Promise<string> {
  await runSql(postgres.url, `create database ${name}`)
  return postgres.url.replace('/postgres?', `/${name}?`)
}

interface Cost {
  seconds: number
  'messages/s': number
  'peak MB': number
}

/** Runs a program to its end, and looks at its memory all the while. */
async function measure(...args: string[]): Promise<Cost> {
  const begin = performance.now()
  const child = spawn(process.execPath, args, { stdio: ['ignore', 'ignore', 'inherit'] })
  let peak = 0
  const sampling = setInterval(() => {
    peak = Math.max(peak, peakOf(child.pid))
  }, SAMPLE_MS)
  const [code] = await once(child, 'exit')
  clearInterval(sampling)
  assert.equal(code, 0)
  const seconds = (performance.now() - begin) / 1000
  return { seconds: Number(seconds.toFixed(1)), 'messages/s': Math.round(messages / seconds), 'peak MB': peak }
}

function peakOf(pid: number | undefined): number {
  try {
    const [, kilobytes] = /VmHWM:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, 'utf8')) ?? []
    return Math.round(Number(kilobytes ?? 0) / 1024)
  } catch {
    return 0 // it has ended
  }
}

/** What a server on this database tells the founder, whose token is as old as the database. */
async function answers(url: string): Promise<string[]> {
  await using vox = await startVox({ VOX_DATABASE_URL: url })
  const paths = ['/users/@me', '/server/layout', `/messages/search?query=${wordOf(7)}`]
  for (const n of [1, messages / 3, messages]) paths.push(`/feeds/1/messages?limit=100&before=${idOf(Math.floor(n))}`)
  const told: string[] = []
  for (const path of paths) {
    const response = await fetch(`http://127.0.0.1:${vox.port}/api/v1${path}`, {
      headers: { authorization: `Bearer ${token}` },
    })
    assert.equal(response.status, 200, path)
    told.push(await response.text())
  }
  return told
}
