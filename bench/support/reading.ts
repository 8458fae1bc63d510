import { benchDatabases } from './databases.ts'
import { httpLoad, type LoadResult, percentile, rawRequest } from './http-load.ts'
import { type Program, startProgram, startVox } from './program.ts'
import { seed } from './seed.ts'

/** Something that is read, and what reads it. */
export interface Reading {
  what: string
  /** The bare query, by engine where they need different ones. */
  sql: string | Readonly<Record<'SQLite' | 'PostgreSQL', string>>
  /** One request out of many: the parameters of the query, and the path of what answers the same. */
  example(): { parameters: readonly (bigint | number | string)[]; path: string }
}

/** What requests to a program cost. */
interface Measured extends LoadResult {
  /** Processor time of the program, seconds. */
  cpu: number
}

interface Load {
  messages: number
  requests: number
  connections: number
}

/** Measures each of these on each engine beside a bare program that runs the same query on the same rows. */
export async function compareReadings({ messages, requests, connections }: Load, readings: readonly Reading[]) {
  for await (const { engine, url } of benchDatabases()) {
    const token = await seed(url, messages)
    const queries = readings.map(({ sql }) => (typeof sql === 'string' ? sql : sql[engine]))
    const numbered = queries.map((sql) => (engine === 'SQLite' ? sql : withNumbers(sql)))
    await using bare = await startProgram(new URL('../ceilings/query.ts', import.meta.url), url, ...numbered)
    await using vox = await startVox({ VOX_DATABASE_URL: url })
    const rows = []
    for (const [at, { what, example }] of readings.entries()) {
      const least = await measure(bare, { requests, connections }, () =>
        rawRequest(
          'GET',
          `/${at}?${example()
            .parameters.map((value) => `p=${encodeURIComponent(String(value))}`)
            .join('&')}`,
        ),
      )
      const ours = await measure(vox, { requests, connections }, () =>
        rawRequest('GET', `/api/v1${example().path}`, token),
      )
      rows.push(compared(what, ours, least))
    }
    console.log(`${engine}: ${messages} messages, ${connections} connections`)
    console.table(rows)
  }
}

const withNumbers = (sql: string): string => {
  let count = 0
  return sql.replaceAll('?', () => `$${++count}`)
}

/** How long each is measured at least, seconds: a single pause of a program must not be its slowest percent. */
const AT_LEAST = 3

/** Warms a program up, then measures it. */
async function measure(
  program: Program,
  { requests, connections }: Pick<Load, 'requests' | 'connections'>,
  request: () => Buffer,
): Promise<Measured> {
  const load = (count: number) => httpLoad(program.port, { requests: count, connections, status: 200, request })
  await load(Math.ceil(requests / 5))
  const before = program.cpuSeconds()
  const loads: LoadResult[] = []
  const seconds = () => loads.reduce((sum, { seconds }) => sum + seconds, 0)
  while (seconds() < AT_LEAST) loads.push(await load(requests))
  const cpu = program.cpuSeconds() - before
  const latencies = Float64Array.from(loads.flatMap(({ latencies }) => [...latencies])).sort()
  return { latencies, requests: loads.length * requests, seconds: seconds(), cpu }
}

const perSecond = ({ requests, seconds }: Measured) => requests / seconds

function compared(what: string, ours: Measured, least: Measured) {
  const p99 = ({ latencies }: Measured) => percentile(latencies, 0.99)
  return {
    'what is read': what,
    'answers/s': Math.round(perSecond(ours)),
    'p50 ms': Number(percentile(ours.latencies, 0.5).toFixed(2)),
    'p99 ms': Number(p99(ours).toFixed(2)),
    'bare p99 ms': Number(p99(least).toFixed(2)),
    'p99 ratio': Number((p99(ours) / p99(least)).toFixed(2)),
    'throughput ratio': Number((perSecond(ours) / perSecond(least)).toFixed(2)),
    'cpu ratio': Number((ours.cpu / ours.requests / (least.cpu / least.requests)).toFixed(2)),
  }
}
