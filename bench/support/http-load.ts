import { connect } from 'node:net'

/** One request, ready to be written to a socket. */
export function rawRequest(method: string, path: string, token?: string, body?: string): Buffer {
  const lines = [`${method} ${path} HTTP/1.1`, 'Host: localhost']
  if (token !== undefined) lines.push(`Authorization: Bearer ${token}`)
  if (body !== undefined) lines.push('Content-Type: application/json', `Content-Length: ${Buffer.byteLength(body)}`)
  return Buffer.from(`${lines.join('\r\n')}\r\n\r\n${body ?? ''}`)
}

/** What a load found. */
export interface LoadResult {
  requests: number
  /** Seconds from the first request to the last answer. */
  seconds: number
  /** Milliseconds from request to answer, ascending. */
  latencies: Float64Array
}

/**
 * Sends `requests` requests over `connections` keep-alive connections, each with one request on its way at a time.
 * Rejects at the first answer with another status than `status`: a benchmark of refusals measures nothing.
 */
export async function httpLoad(
  port: number,
  options: { requests: number; connections: number; status: number; request: () => Buffer },
): Promise<LoadResult> {
  const latencies = new Float64Array(options.requests)
  const state = { sent: 0, answered: 0 }
  const begin = performance.now()
  await Promise.all(Array.from({ length: options.connections }, () => worker(port, options, state, latencies)))
  return {
    requests: options.requests,
    seconds: (performance.now() - begin) / 1000,
    latencies: latencies.sort(),
  }
}

function worker(
  port: number,
  { requests, status, request }: { requests: number; status: number; request: () => Buffer },
  state: { sent: number; answered: number },
  latencies: Float64Array,
): Promise<void> {
  return new Promise((resolve, reject) => {
    const socket = connect(port, '127.0.0.1')
    socket.setNoDelay()
    let sentAt = 0
    let received = ''
    const next = () => {
      if (state.sent >= requests) return void socket.end(resolve)
      state.sent++
      sentAt = performance.now()
      socket.write(request())
    }
    socket.on('connect', next)
    socket.on('error', reject)
    socket.setEncoding('latin1').on('data', (chunk: string) => {
      received += chunk
      const end = received.indexOf('\r\n\r\n')
      if (end === -1) return
      const length = Number(/content-length: (\d+)/i.exec(received)?.[1] ?? 0)
      if (received.length < end + 4 + length) return
      if (!received.startsWith(`HTTP/1.1 ${status}`)) return reject(new Error(received))
      received = ''
      latencies[state.answered++] = performance.now() - sentAt
      next()
    })
  })
}

/** The value below which the given share of the sorted values lies. */
export function percentile(sorted: Float64Array, share: number): number {
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? Number.NaN
}
