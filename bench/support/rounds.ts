import type { RequestListener } from 'node:http'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'

setFlagsFromString('--expose-gc')
const collectGarbage = runInNewContext('gc') as () => void

/** What a row of rounds cost the program. */
export interface RoundsResult {
  /** Processor time, microseconds. */
  micros: number
}

/** What the program has in memory, after a collection. */
export interface MemoryResult {
  heapBytes: number
  residentBytes: number
}

/**
 * The HTTP side of a program that fans out. `/rounds?count=&burst=` sends `burst` events in one turn of the event loop,
 * `count` times, and answers what that cost; between two rounds the receivers get as long as the first one took, so that
 * they keep up. `/memory` answers what is in use.
 */
export function measured(send: () => void): RequestListener {
  return async ({ url = '' }, response) => {
    const [path, query] = url.split('?', 2)
    const parameters = new URLSearchParams(query)
    const result =
      path === '/memory'
        ? memory()
        : await rounds(send, Number(parameters.get('count')), Number(parameters.get('burst')))
    response.end(JSON.stringify(result))
  }
}

async function rounds(send: () => void, count: number, burst: number): Promise<RoundsResult> {
  const before = process.cpuUsage()
  for (let round = 0; round < count; round++) {
    const begin = performance.now()
    for (let i = 0; i < burst; i++) send()
    await new Promise((resolve) => setImmediate(resolve))
    await new Promise((resolve) => setTimeout(resolve, performance.now() - begin))
  }
  const { user, system } = process.cpuUsage(before)
  return { micros: user + system }
}

function memory(): MemoryResult {
  collectGarbage()
  const { heapUsed, external, rss } = process.memoryUsage()
  return { heapBytes: heapUsed + external, residentBytes: rss }
}
