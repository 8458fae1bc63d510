import type { IncomingHttpHeaders } from 'node:http'
import ipaddr from 'ipaddr.js'
import type { Cidr } from '../config/networks.ts'

type Address = ipaddr.IPv4 | ipaddr.IPv6

/** Key of a client address in limits: IPv6 counts by its /64 (spec 01, section 8.3). */
export function addressGroup(address: string): string {
  const parsed = parse(address)
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
  const direct = peer === undefined || peer === '' ? undefined : parse(peer)
  if (direct && !isTrusted(direct, trusted)) return direct.toString()
  return forwarded(headers, trusted) ?? direct?.toString()
}

/** Whether a peer is believed what it says about the client. */
export function isTrustedPeer(peer: string, trusted: readonly Cidr[]): boolean {
  const address = parse(peer)
  return address === undefined || isTrusted(address, trusted)
}

function forwarded(headers: IncomingHttpHeaders, trusted: readonly Cidr[]): string | undefined {
  const chain = headers['x-forwarded-for']
  if (chain === undefined) return singleRealIp(headers['x-real-ip'])
  let last: Address | undefined
  for (const entry of String(chain).split(',').reverse()) {
    const hop = parse(withoutPort(entry.trim()))
    if (!hop) break
    last = hop
    if (!isTrusted(hop, trusted)) break
  }
  return last?.toString()
}

function singleRealIp(header: string | string[] | undefined): string | undefined {
  return typeof header === 'string' ? parse(header.trim())?.toString() : undefined
}

function withoutPort(entry: string): string {
  const bracketed = /^\[(.*)\](?::\d+)?$/.exec(entry)
  if (bracketed) return bracketed[1] ?? ''
  return /^[^:]+:\d+$/.test(entry) ? entry.slice(0, entry.indexOf(':')) : entry
}

/** IPv4-mapped addresses come out as IPv4; anything that is no address as undefined. */
function parse(text: string): Address | undefined {
  // ipaddr.js also takes octal and shortened forms, which no peer or proxy writes.
  if (!ipaddr.IPv6.isValid(text) && !ipaddr.IPv4.isValidFourPartDecimal(text)) return undefined
  return ipaddr.process(text)
}

function isTrusted(address: Address, trusted: readonly Cidr[]): boolean {
  return trusted.some(([block, bits]) => address.kind() === block.kind() && address.match([block, bits] as never))
}

const FORWARDING = ['x-forwarded-for', 'x-forwarded-host', 'x-forwarded-proto', 'x-real-ip']

/** Whether a request says that a proxy has sent it on. */
export const isForwarded = (headers: IncomingHttpHeaders): boolean => FORWARDING.some((name) => name in headers)
