/**
 * Searching a long feed for a word that stands in one of two hundred messages, on SQLite, beside a bare program that
 * runs the same query on the same file.
 *
 *   npx node bench/search.ts [messages] [requests] [connections]
 */
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { snowflake, VOX_EPOCH_MS } from '@vox/protocol'
import { openFile } from '../packages/server/src/db/sqlite.ts'
import { httpLoad, type LoadResult, percentile, rawRequest } from './support/http-load.ts'
import { type Program, startProgram, startVox } from './support/program.ts'
import { register } from './support/register.ts'

const messages = Number(process.argv[2] ?? 1_000_000)
const requests = Number(process.argv[3] ?? 5_000)
const connections = Number(process.argv[4] ?? 10)

const WORDS = 2000
const WORDS_IN_MESSAGE = 10

const wordOf = (n: number) => `w${((n * 2_654_435_761) % WORDS).toString(36)}rd`
const idOf = (n: number) => snowflake({ timestamp: VOX_EPOCH_MS + 1000 + n, worker: 0, sequence: 0 })

interface Measured extends LoadResult {
  cpu: number
}

async function measure(program: Program, path: string, token?: string): Promise<Measured> {
  const request = () => rawRequest('GET', `${path}?q=${wordOf(Math.ceil(Math.random() * WORDS))}`, token)
  const load = (count: number) => httpLoad(program.port, { requests: count, connections, status: 200, request })
  await load(Math.ceil(requests / 5))
  const before = program.cpuSeconds()
  const result = await load(requests)
  return { ...result, cpu: program.cpuSeconds() - before }
}

/** A server's own database with a long feed in it, all of it in the index, and the token of its founder. */
async function seed(path: string): Promise<string> {
  const env = { VOX_DATABASE_URL: `sqlite:///${path}` }
  let token: string
  {
    await using program = await startVox(env)
    token = (await register(program.port)).token
  }
  using db = openFile(path)
  const insert = db.prepare('insert into messages (msg_id, feed_id, author_id, body) values (?, 1, 1, ?)')
  db.exec('begin')
  for (let n = 1; n <= messages; n++) {
    const words = Array.from({ length: WORDS_IN_MESSAGE }, (_, place) => wordOf(n * WORDS_IN_MESSAGE + place))
    insert.run(idOf(n), words.join(' '))
  }
  db.exec('insert into message_search (rowid, folded) select msg_id, folded from message_texts order by msg_id')
  db.exec('commit')
  return token
}

const folder = await mkdtemp(join(tmpdir(), 'vox-search-'))
const path = join(folder, 'vox.db')
const token = await seed(path)
const results: Record<string, Measured> = {}
{
  await using program = await startProgram(new URL('ceilings/search.ts', import.meta.url), path)
  results['bare query'] = await measure(program, '/')
}
{
  await using program = await startVox({ VOX_DATABASE_URL: `sqlite:///${path}` })
  results.vox = await measure(program, '/api/v1/messages/search', token)
}
await rm(folder, { recursive: true, force: true })

const ceiling = results['bare query'] as Measured
console.log(`${messages} messages, ${connections} connections`)
console.table(
  Object.entries(results).map(([program, result]) => ({
    program,
    'searches/s': Math.round(result.requests / result.seconds),
    'p50 ms': Number(percentile(result.latencies, 0.5).toFixed(2)),
    'p99 ms': Number(percentile(result.latencies, 0.99).toFixed(2)),
    'cpu ratio': Number((result.cpu / ceiling.cpu).toFixed(2)),
    'p99 ratio': Number((percentile(result.latencies, 0.99) / percentile(ceiling.latencies, 0.99)).toFixed(2)),
  })),
)
