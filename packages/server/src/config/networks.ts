import { domainToASCII } from 'node:url'
import ipaddr from 'ipaddr.js'
import { type Kind, list } from './kinds.ts'

export type Address = ipaddr.IPv4 | ipaddr.IPv6

/** A block of addresses: where it begins and how many leading bits count. */
export type Cidr = [Address, number]

/** An address and port to bind. */
export interface SocketAddress {
  /** Without brackets. */
  host: string
  port: number
}

export const listenAddress: Kind<string> = {
  expects: 'an address or host name, for example 127.0.0.1, 0.0.0.0 or ::',
  parse: (text) => host(withoutBrackets(text.trim())),
}

export const socketAddress: Kind<SocketAddress> = {
  expects: 'an address and port such as 0.0.0.0:4443 (IPv6 in brackets, port 0 for any free one)',
  parse: hostAndPort,
}

/** `quic://host:port`, the form that clients take apart (spec 07, section 1.8); the prefix may be missing. */
export const mediaUrl: Kind<string> = {
  expects: 'quic://host:port, without a path or trailing slash',
  parse(text) {
    const address = text.trim().replace(/^quic:\/\//, '')
    return (hostAndPort(address)?.port ?? 0) > 0 ? `quic://${address}` : undefined
  },
}

const cidrList = list('a list of addresses and CIDR blocks such as 127.0.0.1,10.0.0.0/8, or the word none', cidr)

/** Proxies whose forwarding headers are believed (spec 01, section 8.7). */
export const trustedProxies: Kind<readonly Cidr[]> = {
  ...cidrList,
  parse: (text) => (text.trim().toLowerCase() === 'none' ? [] : cidrList.parse(text)),
}

/** Hosts and blocks that outgoing requests may reach although they are not public (spec 04, section 8.1). */
export const outboundAllow: Kind<readonly (string | Cidr)[]> = list(
  'a list of host names, addresses and CIDR blocks such as bots.internal,10.1.0.0/16',
  (entry) => cidr(entry) ?? host(entry)?.toLowerCase(),
)

/** Exact origins as browsers send them. */
export const origins: Kind<readonly string[]> = list(
  'a list of origins such as https://app.example.org, without a path, trailing slash or *',
  (entry) => (/^[a-z][a-z\d+.-]*:\/\/[^\s/*?#@]+$/i.test(entry) ? entry.toLowerCase() : undefined),
)

/** A domain in normal form: A-labels, lower case, no trailing dot (spec 08, section 3). */
export const domain: Kind<string> = {
  expects: 'a domain name such as example.org, without port',
  parse(text) {
    const ascii = domainToASCII(text.trim().replace(/\.$/, ''))
    return HOST_NAME.test(ascii) && !ascii.includes('_') && !ipaddr.isValid(ascii) ? ascii : undefined
  },
}

export const domainList: Kind<readonly string[]> = list(
  'a list of domain names such as dnsbl.example.org',
  domain.parse,
)

const LABEL = '[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?'
const HOST_NAME = new RegExp(`^(?=.{1,253}$)${LABEL}(?:\\.${LABEL})*$`, 'i')

/** The text if it is a host name or an address without brackets. */
export function host(text: string): string | undefined {
  return HOST_NAME.test(text) || ipaddr.IPv6.isValid(text) ? text : undefined
}

function hostAndPort(text: string): SocketAddress | undefined {
  const [, name, digits] = /^(\[[^\]]+\]|[^:]+):(\d{1,5})$/.exec(text.trim()) ?? []
  const address = name && host(withoutBrackets(name))
  const port = Number(digits)
  return address && port <= 65_535 ? { host: address, port } : undefined
}

const withoutBrackets = (text: string): string => text.replace(/^\[(.*:.*)\]$/, '$1')

/** IPv4-mapped addresses come out as IPv4; anything that is no address as undefined. */
export function parseAddress(text: string): Address | undefined {
  // ipaddr.js also takes octal and shortened forms, which mean different things to different programs.
  if (!ipaddr.IPv6.isValid(text) && !ipaddr.IPv4.isValidFourPartDecimal(text)) return undefined
  return ipaddr.process(text)
}

/** Whether an address lies in one of these blocks. */
export function isWithin(address: Address, blocks: readonly Cidr[]): boolean {
  return blocks.some(([block, bits]) => address.kind() === block.kind() && address.match([block, bits] as never))
}

/** A CIDR block, or a single address as the block of all its bits; IPv4-mapped addresses as IPv4. */
function cidr(text: string): Cidr | undefined {
  const [address = '', bits, ...rest] = text.split('/')
  const block = parseAddress(address)
  if (!block) return undefined
  const width = block.kind() === 'ipv4' ? 32 : 128
  if (bits === undefined) return [block, width]
  const mapped = address.includes(':') && block.kind() === 'ipv4'
  const length = Number(bits) - (mapped ? 96 : 0)
  return rest.length === 0 && /^\d{1,3}$/.test(bits) && length >= 0 && length <= width ? [block, length] : undefined
}
