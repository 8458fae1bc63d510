import { type IncomingHttpHeaders, type IncomingMessage, request as requestHttp } from 'node:http'
import { request as requestHttps } from 'node:https'
import type { LookupFunction } from 'node:net'
import { isIPv6 } from 'node:net'
import { ApiError } from '@vox/protocol'
import type { Clock } from '../clock.ts'
import { ENCODINGS, readAtMost } from './body.ts'
import { type Exemptions, type Resolver, type Target, targetOf } from './target.ts'

/** How a request is made. Nothing of whoever caused it may be put into its headers. */
export interface OutboundRequest {
  method?: 'GET' | 'POST'
  headers?: Readonly<Record<string, string>>
  body?: string
  /** For everything together: looking the host up, redirects, reading. */
  timeoutMs: number
  /** After decompression. */
  maxBytes?: number
  /** How many redirects are followed, for GET. The one after them is the answer. */
  redirects?: number
}

/** What came back, read to its end. */
export interface OutboundAnswer {
  /** Where it came from in the end. */
  url: URL
  status: number
  headers: IncomingHttpHeaders
  body: Buffer
}

/** A request that got no usable answer. What it says of why is fit for a log: no URL, no address. */
export class OutboundFailure extends Error {
  override name = 'OutboundFailure'
}

const MAX_BYTES = 1_048_576

/** How long a URL that is only checked may take to be found. */
const LOOK_UP_MS = 5_000

const REDIRECTS = new Set([301, 302, 303, 307, 308])

/**
 * Requests to places that users name: link previews, callbacks of bots. No user can make the server reach what only
 * the server can reach (spec 04, section 8.1): a host counts only if all its addresses are public, and the connection
 * goes to one of the addresses that were judged, so that a name cannot change its mind in between. Host header, TLS
 * server name and certificate check still use the name. Each redirect is judged like the first URL. No connection is
 * kept, no cookie, no proxy of the environment used.
 */
export class Outbound {
  readonly #clock: Clock
  readonly #resolve: Resolver
  readonly #exempt: () => Exemptions
  readonly #running = new Set<AbortController>()

  constructor({ clock, resolve, exempt }: { clock: Clock; resolve: Resolver; exempt: () => Exemptions }) {
    this.#clock = clock
    this.#resolve = resolve
    this.#exempt = exempt
  }

  /** Refuses a URL to which no request would be made, with `INVALID_URL`; one whose host is not found in time as well. */
  async check(url: string): Promise<void> {
    try {
      await this.#limited(LOOK_UP_MS, (signal) => this.#target(url, signal))
    } catch (error) {
      throw error instanceof OutboundFailure ? new ApiError('INVALID_URL') : error
    }
  }

  /**
   * Makes a request. Throws `INVALID_URL` for a URL, or the target of a redirect, that is refused; an
   * {@link OutboundFailure} for everything else that keeps an answer from being there in full.
   */
  fetch(url: string, request: OutboundRequest): Promise<OutboundAnswer> {
    return this.#limited(request.timeoutMs, (signal) => this.#follow(url, request, signal))
  }

  /** Ends what is running; it fails. */
  close(): void {
    for (const ending of this.#running) ending.abort(new OutboundFailure('the server stops'))
  }

  async #follow(first: string, request: OutboundRequest, signal: AbortSignal): Promise<OutboundAnswer> {
    let next = first
    for (let left = request.redirects ?? 0; ; left--) {
      const answer = await send(await this.#target(next, signal), request, left > 0, signal)
      if ('body' in answer) return answer
      next = answer.redirect
    }
  }

  #target(url: string, signal: AbortSignal): Promise<Target> {
    return unlessAborted(targetOf(url, this.#resolve, this.#exempt()), signal)
  }

  /** Gives the signal that ends the work when its time is over, or the server stops. */
  async #limited<T>(timeoutMs: number, work: (signal: AbortSignal) => Promise<T>): Promise<T> {
    const ending = new AbortController()
    const timeout = this.#clock.after(timeoutMs, () => ending.abort(new OutboundFailure('timed out')))
    this.#running.add(ending)
    try {
      return await work(ending.signal)
    } finally {
      timeout.cancel()
      this.#running.delete(ending)
    }
  }
}

/** Sends one request; a redirect that is to be followed is not read. */
async function send(
  target: Target,
  request: OutboundRequest,
  mayRedirect: boolean,
  signal: AbortSignal,
): Promise<OutboundAnswer | { redirect: string }> {
  const { url } = target
  let response: IncomingMessage | undefined
  try {
    response = await responseTo(target, request, signal)
    const { statusCode: status = 0, headers } = response
    const { location } = headers
    if (mayRedirect && location !== undefined && REDIRECTS.has(status)) return { redirect: resolved(location, url) }
    return { url, status, headers, body: await readAtMost(response, request.maxBytes ?? MAX_BYTES) }
  } catch (error) {
    signal.throwIfAborted()
    throw error instanceof OutboundFailure ? error : new OutboundFailure(reasonOf(error))
  } finally {
    response?.destroy()
  }
}

function responseTo(
  { url, addresses }: Target,
  { method = 'GET', headers, body }: OutboundRequest,
  signal: AbortSignal,
): Promise<IncomingMessage> {
  const open = url.protocol === 'https:' ? requestHttps : requestHttp
  const outgoing = open(url, {
    method,
    headers: { 'user-agent': 'VoxBot/1.0', 'accept-encoding': ENCODINGS, ...headers },
    // A connection of its own, of an agent without proxies.
    agent: false,
    lookup: answering(addresses),
    signal,
  })
  const { promise, resolve, reject } = Promise.withResolvers<IncomingMessage>()
  // What happens after the response has begun is met where it is read.
  outgoing.on('response', resolve).on('error', reject)
  // Not every end is an error: a server that switches protocols is just hung up on.
  outgoing.on('close', () => reject(new Error('no answer')))
  outgoing.end(body)
  return promise
}

/** Answers the connection's question for the host with the addresses that were judged. */
function answering(addresses: readonly string[]): LookupFunction {
  const all = addresses.map((address) => ({ address, family: isIPv6(address) ? 6 : 4 }))
  return (_host, options, answer) => {
    if (options.all) answer(null, all)
    else answer(null, all[0]?.address ?? '', all[0]?.family)
  }
}

/** A target that is no URL is left as it is, to be refused like any other. */
const resolved = (location: string, base: URL): string => URL.parse(location, base.href)?.href ?? location

async function unlessAborted<T>(work: Promise<T>, signal: AbortSignal): Promise<T> {
  signal.throwIfAborted()
  const aborted = Promise.withResolvers<never>()
  const abort = () => aborted.reject(signal.reason)
  signal.addEventListener('abort', abort)
  try {
    return await Promise.race([work, aborted.promise])
  } finally {
    signal.removeEventListener('abort', abort)
  }
}

/** Messages of the system name addresses, so only its codes are taken. */
function reasonOf(error: unknown): string {
  if (error instanceof Error && 'code' in error) return String(error.code)
  return error instanceof Error ? error.message : 'failed'
}
