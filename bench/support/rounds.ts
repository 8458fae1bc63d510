import type { IncomingMessage, RequestListener } from 'node:http'

/** What a row of rounds cost the server. */
export interface RoundsResult {
  /** Processor time of the rounds, microseconds. */
  userMicros: number
  systemMicros: number
  /** Bytes in use, after a collection. */
  residentBytes: number
}

/**
 * The HTTP side of a program whose fan-out is measured: `/rounds?count=&burst=` sends `burst` events in one turn of the
 * event loop, `count` times, and answers what that cost. Between two rounds the receivers get as long as the first one
 * took, so that they keep up.
 */
export function roundsListener(send: () => void): RequestListener {
  return (request, response) => {
    const { count, burst } = parametersOf(request)
    const before = process.cpuUsage()
    const round = (left: number) => {
      if (left === 0) {
        const { user, system } = process.cpuUsage(before)
        globalThis.gc?.()
        const result: RoundsResult = {
          userMicros: user,
          systemMicros: system,
          residentBytes: process.memoryUsage.rss(),
        }
        response.end(JSON.stringify(result))
        return
      }
      const begin = performance.now()
      for (let i = 0; i < burst; i++) send()
      setImmediate(() => setTimeout(round, performance.now() - begin, left - 1))
    }
    round(count)
  }
}

function parametersOf({ url = '' }: IncomingMessage): { count: number; burst: number } {
  const query = new URLSearchParams(url.split('?')[1])
  return { count: Number(query.get('count')), burst: Number(query.get('burst')) }
}
