import { ApiError } from '@vox/protocol'
import { type Cidr, isWithin, parseAddress } from '../config/networks.ts'
import { isPublicAddress } from './addresses.ts'

/** Finds all addresses of a host name, which the operator may have named as one that may be reached. */
export type Resolver = (host: string, isNamedByOperator: boolean) => Promise<readonly string[]>

/** Where a request may go: a URL that keeps the rules, and the addresses its host was checked to have. */
export interface Target {
  url: URL
  addresses: readonly string[]
}

/** Hosts and blocks that may be reached although the rules forbid it. */
export type Exemptions = readonly (string | Cidr)[]

/**
 * Judges a URL that somebody else may have chosen (spec 04, section 8.1). Whatever is wrong answers the same
 * `INVALID_URL`: names and addresses inside our network must not be told apart by it.
 */
export async function targetOf(text: string, resolve: Resolver, exempt: Exemptions): Promise<Target> {
  const url = URL.parse(text)
  if (!url || !hasAllowedForm(url)) throw new ApiError('INVALID_URL')
  // The URL parser has turned every notation of an IPv4 address into the common one.
  const host = url.hostname.replace(/^\[(.*)\]$/, '$1')
  const addresses = parseAddress(host) ? [host] : await resolve(host, isNamed(host, exempt)).catch(() => [])
  const isTrusted = (address: string) => isExempt(host, address, exempt)
  const portAllowed = isCommonPort(url.port) || addresses.every(isTrusted)
  const reachable = addresses.length > 0 && addresses.every((address) => isPublicAddress(address) || isTrusted(address))
  if (!portAllowed || !reachable) throw new ApiError('INVALID_URL')
  return { url, addresses }
}

function hasAllowedForm({ protocol, hostname, username, password }: URL): boolean {
  return (protocol === 'http:' || protocol === 'https:') && hostname !== '' && username === '' && password === ''
}

/** Ports below 1024 belong to services that are not ours to talk to. */
const isCommonPort = (port: string): boolean => port === '' || port === '80' || port === '443' || Number(port) >= 1024

function isExempt(host: string, text: string, exempt: Exemptions): boolean {
  const address = parseAddress(text)
  const isInBlock = exempt.some((entry) => typeof entry !== 'string' && address && isWithin(address, [entry]))
  return isInBlock || isNamed(host, exempt)
}

const isNamed = (host: string, exempt: Exemptions): boolean => exempt.includes(host.replace(/\.$/, ''))
