import ipaddr from 'ipaddr.js'
import { type Address, type Cidr, isWithin, parseAddress } from '../config/networks.ts'

const blocks = (...texts: string[]): Cidr[] => texts.map((text) => ipaddr.parseCIDR(text))

/** IPv4 that no host on the public internet has (spec 08, section 7.3). */
const NOT_PUBLIC = blocks(
  '0.0.0.0/8',
  '10.0.0.0/8',
  '100.64.0.0/10',
  '127.0.0.0/8',
  '169.254.0.0/16',
  '172.16.0.0/12',
  '192.0.0.0/24',
  '192.0.2.0/24',
  '192.168.0.0/16',
  '198.18.0.0/15',
  '198.51.100.0/24',
  '203.0.113.0/24',
  '224.0.0.0/4',
  '240.0.0.0/4',
)

/** The part of IPv6 in which hosts of the public internet are, and within it what is not theirs. */
const GLOBAL_UNICAST = blocks('2000::/3')
const RESERVED = blocks('2001::/23', '2001:db8::/32', '3fff::/20')

/** Forms of IPv6 that lead to an IPv4 address, with the byte at which it begins. Mapped ones are IPv4 by then. */
const EMBEDDING = [
  { block: blocks('64:ff9b::/96'), at: 12 },
  { block: blocks('2002::/16'), at: 2 },
]

/**
 * Whether an address belongs to the public internet, for outgoing requests that others may aim. Of IPv6 only global
 * unicast is taken, so that whatever range comes into use is refused until it is known here.
 */
export function isPublicAddress(text: string): boolean {
  const address = parseAddress(text)
  return address !== undefined && isPublic(address)
}

function isPublic(address: Address): boolean {
  if (address.kind() === 'ipv4') return !isWithin(address, NOT_PUBLIC)
  const embedding = EMBEDDING.find(({ block }) => isWithin(address, block))
  if (embedding) return isPublic(new ipaddr.IPv4(address.toByteArray().slice(embedding.at, embedding.at + 4)))
  return isWithin(address, GLOBAL_UNICAST) && !isWithin(address, RESERVED)
}
