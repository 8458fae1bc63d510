import type { IncomingHttpHeaders } from 'node:http'
import type ipaddr from 'ipaddr.js'
import { type Address, type Cidr, isWithin, parseAddress } from '../config/networks.ts'

/** Key of a client address in limits: IPv6 counts by its /64 (spec 01, section 8.3). */
export function addressGroup(address: string): string {
  const parsed = parseAddress(address)
  if (!parsed || parsed.kind() === 'ipv4') return address
  return `${(parsed as ipaddr.IPv6).parts
    .slice(0, 4)
    .map((part) => part.toString(16))
    .join(':')}::/64`
}

/**
 * The client's address (spec 01, section 8.7): the peer, unless the peer is a trusted proxy; then the right-most
 * untrusted entry of `X-Forwarded-For`. Undefined only when the peer is unknown.
 */
export function clientAddress(
  peer: string | undefined,
  headers: IncomingHttpHeaders,
  trusted: readonly Cidr[],
): string | undefined {
  // A Unix-domain peer has no address; only a local proxy can be at its other end.
  const direct = peer === undefined || peer === '' ? undefined : parseAddress(peer)
  if (direct && !isWithin(direct, trusted)) return direct.toString()
  return forwarded(headers, trusted) ?? direct?.toString()
}

/** Whether a peer is believed what it says about the client. */
export function isTrustedPeer(peer: string, trusted: readonly Cidr[]): boolean {
  const address = parseAddress(peer)
  return address === undefined || isWithin(address, trusted)
}

function forwarded(headers: IncomingHttpHeaders, trusted: readonly Cidr[]): string | undefined {
  const chain = headers['x-forwarded-for']
  if (chain === undefined) return singleRealIp(headers['x-real-ip'])
  let last: Address | undefined
  for (const entry of String(chain).split(',').reverse()) {
    const hop = parseAddress(withoutPort(entry.trim()))
    if (!hop) break
    last = hop
    if (!isWithin(hop, trusted)) break
  }
  return last?.toString()
}

function singleRealIp(header: string | string[] | undefined): string | undefined {
  return typeof header === 'string' ? parseAddress(header.trim())?.toString() : undefined
}

function withoutPort(entry: string): string {
  const bracketed = /^\[(.*)\](?::\d+)?$/.exec(entry)
  if (bracketed) return bracketed[1] ?? ''
  return /^[^:]+:\d+$/.test(entry) ? entry.slice(0, entry.indexOf(':')) : entry
}

const FORWARDING = ['x-forwarded-for', 'x-forwarded-host', 'x-forwarded-proto', 'x-real-ip']

/** Whether a request says that a proxy has sent it on. */
export const isForwarded = (headers: IncomingHttpHeaders): boolean => FORWARDING.some((name) => name in headers)
