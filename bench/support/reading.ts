import { snowflake, VOX_EPOCH_MS } from '@vox/protocol'
import { openFile } from '../../packages/server/src/db/sqlite.ts'
import { httpLoad, type LoadResult, percentile } from './http-load.ts'
import { type Program, startVox } from './program.ts'
import { register } from './register.ts'

/** What requests to a program cost. */
export interface Measured extends LoadResult {
  /** Processor time of the program, seconds. */
  cpu: number
}

interface Reading {
  requests: number
  connections: number
  /** The bytes of the next request. */
  request(): Buffer
}

/** Id of the nth message of a seeded feed. */
export const idOf = (n: number): bigint => snowflake({ timestamp: VOX_EPOCH_MS + 1000 + n, worker: 0, sequence: 0 })

/** Warms a program up, then measures it. */
export async function measureReading(program: Program, { requests, connections, request }: Reading): Promise<Measured> {
  const load = (count: number) => httpLoad(program.port, { requests: count, connections, status: 200, request })
  await load(Math.ceil(requests / 5))
  const before = program.cpuSeconds()
  const result = await load(requests)
  return { ...result, cpu: program.cpuSeconds() - before }
}

/** A server's own database with a long feed in it, all of it in the search index, and the token of its founder. */
export async function seedFeed(path: string, messages: number, bodyOf: (n: number) => string): Promise<string> {
  let token: string
  {
    await using program = await startVox({ VOX_DATABASE_URL: `sqlite:///${path}` })
    token = (await register(program.port)).token
  }
  using db = openFile(path)
  const insert = db.prepare('insert into messages (msg_id, feed_id, author_id, body) values (?, 1, 1, ?)')
  db.exec('begin')
  for (let n = 1; n <= messages; n++) insert.run(idOf(n), bodyOf(n))
  db.exec('insert into message_search (rowid, folded) select msg_id, folded from message_texts order by msg_id')
  db.exec('commit')
  return token
}

/** One line for each program, beside the ceiling. */
export function printReadings(results: Readonly<Record<string, Measured>>, ceiling: Measured): void {
  console.table(
    Object.entries(results).map(([program, result]) => ({
      program,
      'answers/s': Math.round(result.requests / result.seconds),
      'cpu µs/answer': Math.round((result.cpu / result.requests) * 1e6),
      'p50 ms': Number(percentile(result.latencies, 0.5).toFixed(2)),
      'p99 ms': Number(percentile(result.latencies, 0.99).toFixed(2)),
      'throughput ratio': Number((ceiling.seconds / result.seconds).toFixed(2)),
      'cpu ratio': Number((result.cpu / ceiling.cpu).toFixed(2)),
      'p99 ratio': Number((percentile(result.latencies, 0.99) / percentile(ceiling.latencies, 0.99)).toFixed(2)),
    })),
  )
}
