import type { IncomingMessage } from 'node:http'
import type { Cidr } from '../config/networks.ts'
import { clientAddress, isTrustedPeer } from '../http/client-address.ts'

/** The header that carries a probe's mark. */
export const PROBE_HEADER = 'x-vox-probe'

/** How a probe arrived here. */
export interface Sighting {
  /** Who opened the connection: a proxy, or the client itself. Empty for a Unix socket. */
  peer: string
  /** Whether the peer is believed what it says about the client. */
  trusted: boolean
  /** What it says about the client, as it is written. */
  forwarded: string | null
  /** Whom this server takes for the client. */
  client: string | null
}

/** Marks that are kept; more than one doctor asks for. */
const MAX_EXPECTED = 16

/**
 * Looks out for requests that the doctor sends from outside, to find out what became of them on their way through the
 * proxies in front of the server. Marks are random, so nobody else can put one in.
 */
export class Probes {
  readonly #sightings = new Map<string, Sighting | null>()
  readonly #trustedProxies: readonly Cidr[]

  constructor(trustedProxies: readonly Cidr[]) {
    this.#trustedProxies = trustedProxies
  }

  /** Begins to look out for a mark. */
  expect(mark: string): void {
    const [oldest] = this.#sightings.keys()
    if (this.#sightings.size >= MAX_EXPECTED && oldest !== undefined) this.#sightings.delete(oldest)
    this.#sightings.set(mark, null)
  }

  /** How the request with this mark arrived; null if it has not. */
  sighting(mark: string): Sighting | null {
    return this.#sightings.get(mark) ?? null
  }

  /** Looks at a request. */
  readonly see = ({ headers, socket }: IncomingMessage): void => {
    const mark = headers[PROBE_HEADER]
    if (typeof mark !== 'string' || !this.#sightings.has(mark)) return
    const { remoteAddress: peer = '' } = socket
    const forwarded = headers['x-forwarded-for'] ?? headers['x-real-ip']
    this.#sightings.set(mark, {
      peer,
      trusted: isTrustedPeer(peer, this.#trustedProxies),
      forwarded: forwarded === undefined ? null : String(forwarded),
      client: clientAddress(peer, headers, this.#trustedProxies) ?? null,
    })
  }
}
