import type { RequestListener } from 'node:http'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'

setFlagsFromString('--expose-gc')
const collectGarbage = runInNewContext('gc') as () => void

/** How long rounds took, from the request to the last delivery; milliseconds, ascending. */
export interface RoundsResult {
  latencies: number[]
}

/** How the receivers are. */
export interface StateResult {
  connected: number
  /** Heartbeats that were answered. */
  acknowledged: number
}

/** What the program has in memory, after a collection. */
export interface MemoryResult {
  heapBytes: number
  residentBytes: number
}

/**
 * The HTTP side of a program that fans out: `POST /send?burst=&feed=` sends so many events in one turn of the event loop
 * and answers, `/memory` says what is in use.
 */
export function measured(send: (parameters: URLSearchParams) => void): RequestListener {
  return ({ url = '' }, response) => {
    if (url === '/memory') return void response.end(JSON.stringify(memory()))
    const parameters = new URLSearchParams(url.split('?', 2)[1])
    const burst = Number(parameters.get('burst') ?? 1)
    for (let i = 0; i < burst; i++) send(parameters)
    response.end('{}')
  }
}

function memory(): MemoryResult {
  collectGarbage()
  const { heapUsed, external, rss } = process.memoryUsage()
  return { heapBytes: heapUsed + external, residentBytes: rss }
}
