import { ApiError } from '@vox/protocol'
import type { FastifyInstance } from 'fastify'
import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from 'prom-client'
import { VERSION } from '../version.ts'
import { isForwarded } from './client-address.ts'

/** The numbers of `/metrics`. */
export class Metrics {
  readonly #registry = new Registry()
  readonly #requests = new Histogram({
    name: 'vox_http_request_seconds',
    help: 'Time from the first byte of a request to the last of its answer.',
    labelNames: ['method', 'route', 'status'],
    buckets: [0.001, 0.005, 0.01, 0.05, 0.1, 0.5, 1, 5],
    registers: [this.#registry],
  })

  constructor() {
    collectDefaultMetrics({ register: this.#registry })
    const info = {
      name: 'vox_info',
      help: 'The version that runs, as a label of the number 1.',
      labelNames: ['version'],
    }
    new Gauge({ ...info, registers: [this.#registry] }).set({ version: VERSION }, 1)
  }

  /** A number that is read whenever somebody asks. */
  gauge(name: string, help: string, read: () => number | Promise<number>): void {
    new Gauge({
      name,
      help,
      registers: [this.#registry],
      async collect() {
        this.set(await read())
      },
    })
  }

  /** A number that only grows, counted by somebody else. */
  counter(name: string, help: string, read: () => number): void {
    new Counter({
      name,
      help,
      registers: [this.#registry],
      collect() {
        this.reset()
        this.inc(read())
      },
    })
  }

  /** One such number for each value of a label. */
  counters(name: string, help: string, label: string, read: () => ReadonlyMap<string, number>): void {
    new Counter({
      name,
      help,
      labelNames: [label],
      registers: [this.#registry],
      collect() {
        this.reset()
        for (const [value, count] of read()) this.inc({ [label]: value }, count)
      },
    })
  }

  /**
   * Measures every request and answers `GET /metrics`. The numbers are the operator's: what a proxy sends on comes from
   * strangers, and finds nothing.
   */
  mount(http: FastifyInstance): void {
    http.addHook('onResponse', async ({ method, routeOptions }, reply) => {
      const route = routeOptions.url ?? 'unknown'
      this.#requests.observe({ method, route, status: reply.statusCode }, reply.elapsedTime / 1000)
    })
    http.get('/metrics', async ({ headers }, reply) => {
      if (isForwarded(headers)) throw new ApiError('NOT_FOUND')
      return reply.type(this.#registry.contentType).send(await this.#registry.metrics())
    })
  }
}
