import type { IncomingMessage } from 'node:http'

/** The header that carries a probe's mark. */
export const PROBE_HEADER = 'x-vox-probe'

/** How a probe arrived here. */
export interface Sighting {
  /** Who opened the connection: a proxy, or the client itself. */
  peer: string | null
  /** What it says the client is, as it is written. */
  forwarded: string | null
  /** Whom this server takes for the client. */
  client: string | null
}

/** Marks that are kept; more than any doctor asks for. */
const MAX_EXPECTED = 16

/**
 * Looks out for requests that the doctor sends from outside. So it finds out what became of them on their way through
 * the proxies in front of the server. Marks are random, so nobody else can put one in.
 */
export class Probes {
  readonly #expected = new Map<string, Sighting | undefined>()
  readonly #clientOf: (request: IncomingMessage) => string | undefined

  constructor(clientOf: (request: IncomingMessage) => string | undefined) {
    this.#clientOf = clientOf
  }

  expect(mark: string): void {
    const [oldest] = this.#expected.keys()
    if (this.#expected.size >= MAX_EXPECTED && oldest !== undefined) this.#expected.delete(oldest)
    this.#expected.set(mark, undefined)
  }

  sighting(mark: string): Sighting | undefined {
    return this.#expected.get(mark)
  }

  /** Looks at a request. */
  readonly see = (request: IncomingMessage): void => {
    const mark = request.headers[PROBE_HEADER]
    if (typeof mark !== 'string' || !this.#expected.has(mark)) return
    const forwarded = request.headers['x-forwarded-for'] ?? request.headers['x-real-ip']
    this.#expected.set(mark, {
      peer: request.socket.remoteAddress ?? null,
      forwarded: forwarded === undefined ? null : String(forwarded),
      client: this.#clientOf(request) ?? null,
    })
  }
}
