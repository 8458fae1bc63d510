import { ApiError } from '@vox/protocol'
import type { FastifyInstance } from 'fastify'
import { collectDefaultMetrics, Gauge, Histogram, Registry } from 'prom-client'
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
  }

  /** A number that is read whenever somebody asks. */
  gauge(name: string, help: string, read: () => number): void {
    new Gauge({
      name,
      help,
      registers: [this.#registry],
      collect() {
        this.set(read())
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
