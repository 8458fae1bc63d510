import { parseJson } from '@vox/protocol'
import ipaddr from 'ipaddr.js'
import { choice, type Kind } from './kinds.ts'
import { domain, host } from './networks.ts'

/** Which servers may talk to this one (spec 08, section 5). */
export type FederationPolicy = 'open' | 'allowlist' | 'closed'

const policies = choice('open', 'allowlist', 'closed')

/** Also takes `allow_list` and `allow-list`. */
export const federationPolicy: Kind<FederationPolicy> = {
  expects: policies.expects,
  parse: (text) => policies.parse(text.replace(/[-_]/g, '')),
}

/** How to reach one domain without asking the DNS (spec 08, section 1). */
export interface StaticPeer {
  host: string
  port: number
  /** Public key, base64 of 32 bytes. */
  key: string
  policy: FederationPolicy
  scheme: 'http' | 'https'
}

/** Peers by normalised domain. */
export type StaticPeers = ReadonlyMap<string, StaticPeer>

export const staticPeers: Kind<StaticPeers> = {
  expects:
    'a JSON object such as {"b.example": {"host": "10.0.0.2", "port": 443, "key": "<base64>"}}, ' +
    'where "scheme" may be "http" on a loopback host only',
  parse(text) {
    if (text.trim() === '') return new Map()
    const peers = new Map<string, StaticPeer>()
    for (const [name, value] of Object.entries(jsonObject(text) ?? { '': null })) {
      const known = domain.parse(name)
      const peer = staticPeer(value)
      if (!known || !peer) return undefined
      peers.set(known, peer)
    }
    return peers
  },
}

function jsonObject(text: string): Record<string, unknown> | undefined {
  try {
    return asObject(parseJson(text))
  } catch {
    return undefined
  }
}

function asObject(value: unknown): Record<string, unknown> | undefined {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
    ? (value as Record<string, unknown>)
    : undefined
}

function staticPeer(value: unknown): StaticPeer | undefined {
  const { host: name, port, key, policy = 'open', scheme = 'https' } = asObject(value) ?? {}
  if (typeof name !== 'string' || !host(name)) return undefined
  if (typeof port !== 'number' || !Number.isInteger(port) || port < 1 || port > 65_535) return undefined
  if (typeof key !== 'string' || Buffer.from(key, 'base64').length !== 32) return undefined
  const rule = typeof policy === 'string' ? federationPolicy.parse(policy) : undefined
  if (!rule || !(scheme === 'https' || (scheme === 'http' && isLoopback(name)))) return undefined
  return { host: name, port, key, policy: rule, scheme }
}

const isLoopback = (name: string): boolean =>
  name.toLowerCase() === 'localhost' || (ipaddr.isValid(name) && ipaddr.process(name).range() === 'loopback')
