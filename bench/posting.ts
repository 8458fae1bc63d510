/**
 * Posting messages, into a feed and into a conversation of two, beside a bare program that answers the same requests without a database, and beside a bare insert
 * loop over the same rows.
 *
 *   npx node bench/posting.ts [requests] [connections]
 *
 * `VOX_BENCH_DATABASE_URL` measures another database than a fresh SQLite file. The first ratio is throughput (1 = as
 * fast as the bare program), the second processor time per request.
 */
import { rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { openFile } from '../packages/server/src/db/sqlite.ts'
import { httpLoad, type LoadResult, percentile, rawRequest } from './support/http-load.ts'
import { type Program, startProgram, startVox } from './support/program.ts'
import { post, register } from './support/register.ts'

const requests = Number(process.argv[2] ?? 40_000)
const connections = Number(process.argv[3] ?? 50)
const databaseUrl = process.env.VOX_BENCH_DATABASE_URL
const body = JSON.stringify({
  body: 'Tea is ready, who wants a cup? There is cake as well, and the good chairs are free.',
})

interface Measured extends LoadResult {
  cpu: number
}

async function measure(program: Program, request: Buffer): Promise<Measured> {
  const load = (count: number) =>
    httpLoad(program.port, { requests: count, connections, status: 201, request: () => request })
  await load(Math.ceil(requests / 4))
  const before = program.cpuSeconds()
  const result = await load(requests)
  return { ...result, cpu: program.cpuSeconds() - before }
}

async function insertLoop(): Promise<number> {
  const path = join(tmpdir(), `vox-bench-insert-${process.pid}.db`)
  const db = openFile(path)
  db.exec(
    'pragma journal_mode = wal; pragma synchronous = normal; create table messages (msg_id integer primary key, body text)',
  )
  const insert = db.prepare('insert into messages values (?, ?)')
  const begin = performance.now()
  for (let id = 1; id <= requests; id++) insert.run(id, body)
  const perSecond = requests / ((performance.now() - begin) / 1000)
  db.close()
  for (const suffix of ['', '-wal', '-shm']) await rm(path + suffix, { force: true })
  return perSecond
}

async function bare(): Promise<Measured> {
  await using program = await startProgram(new URL('ceilings/http.ts', import.meta.url))
  return await measure(program, rawRequest('POST', '/api/v1/feeds/1/messages', 'x'.repeat(73), body))
}

async function vox(): Promise<{ feed: Measured; conversation: Measured }> {
  await using program = await startVox(databaseUrl ? { VOX_DATABASE_URL: databaseUrl } : {})
  const { port } = program
  const { token, feedId } = await register(port)
  const other = await post(port, '/auth/register', { username: 'other', password: 'correct horse' })
  const { dm_id } = await post(port, '/dms', { recipient_id: other.user_id }, token)
  const posting = (place: string) => measure(program, rawRequest('POST', `/api/v1/${place}/messages`, token, body))
  return { feed: await posting(`feeds/${feedId}`), conversation: await posting(`dms/${dm_id}`) }
}

const ceiling = await bare()
const measured = await vox()
const rate = ({ requests: count, seconds }: LoadResult) => count / seconds
const row = (name: string, result: Measured) => ({
  program: name,
  'requests/s': Math.round(rate(result)),
  'cpu µs/request': Math.round((result.cpu / result.requests) * 1e6),
  'p50 ms': Number(percentile(result.latencies, 0.5).toFixed(2)),
  'p99 ms': Number(percentile(result.latencies, 0.99).toFixed(2)),
  'throughput ratio': Number((rate(result) / rate(ceiling)).toFixed(2)),
  'cpu ratio': Number((result.cpu / ceiling.cpu).toFixed(2)),
})
console.table([
  row('bare http', ceiling),
  row('vox, feed', measured.feed),
  row('vox, conversation', measured.conversation),
])
console.log(`bare insert loop (SQLite, one row per commit): ${Math.round(await insertLoop())} rows/s`)
