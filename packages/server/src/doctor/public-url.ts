import { request as requestHttp } from 'node:http'
import { request as requestHttps } from 'node:https'
import { isIP } from 'node:net'
import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { connect } from 'node:tls'
import { WebSocket } from 'ws'
import { PROBE_HEADER } from '../control/probes.ts'

/** How long an answer from the public side may take. */
const PATIENCE_MS = 10_000

const CHUNK = Buffer.alloc(65_536)

/** What a client gets. */
export interface Answer {
  status: number
  headers: Readonly<Record<string, string | string[] | undefined>>
}

interface Request {
  method?: string
  /** By which the server knows the request. */
  mark: string
  /** A body of this many zero bytes. */
  body?: { type: string; bytes: number }
}

export const isEncrypted = ({ protocol }: URL): boolean => protocol === 'wss:' || protocol === 'https:'

/** Whether only this very machine can use the URL. */
export const isLocal = ({ hostname }: URL): boolean => /^(localhost|127\.\d+\.\d+\.\d+|\[::1\])$/.test(hostname)

/** Where REST is, beside the gateway. */
export function publicUrl(gateway: URL, path: string): URL {
  const url = new URL(path, gateway)
  url.protocol = isEncrypted(gateway) ? 'https:' : 'http:'
  return url
}

/** Sends a request as a client does. */
export function send(url: URL, { method = 'GET', mark, body }: Request): Promise<Answer> {
  const request = (url.protocol === 'https:' ? requestHttps : requestHttp)(url, {
    method,
    timeout: PATIENCE_MS,
    headers: {
      [PROBE_HEADER]: mark,
      ...(body && { 'content-type': body.type, 'content-length': body.bytes }),
    },
  })
  return new Promise((resolve, reject) => {
    request.on('timeout', () => request.destroy(silence()))
    // Whoever answers before the body has arrived may close the connection then; the answer counts.
    request.on('error', reject)
    request.once('response', (response) => {
      response.resume().on('error', () => {})
      resolve({ status: response.statusCode ?? 0, headers: response.headers })
    })
    pipeline(Readable.from(zeros(body?.bytes ?? 0)), request).catch(() => {})
  })
}

function* zeros(bytes: number): Generator<Buffer> {
  for (let left = bytes; left > 0; left -= CHUNK.length) yield CHUNK.subarray(0, left)
}

/** Connects to a gateway; gives the type of the first message. */
export function firstMessage(gateway: URL, mark: string): Promise<string> {
  const socket = new WebSocket(gateway, { handshakeTimeout: PATIENCE_MS, headers: { [PROBE_HEADER]: mark } })
  return new Promise<string>((resolve, reject) => {
    const patience = setTimeout(() => reject(silence()), PATIENCE_MS)
    socket.on('error', reject)
    socket.once('unexpected-response', (_request, response) => reject(new UnexpectedAnswer(response.statusCode ?? 0)))
    socket.once('message', (message) => resolve(typeOf(String(message))))
    socket.once('close', () => clearTimeout(patience))
  }).finally(() => socket.terminate())
}

/** A plain answer to a request for a WebSocket. */
export class UnexpectedAnswer extends Error {
  readonly status: number

  constructor(status: number) {
    super(`HTTP status ${status}`)
    this.status = status
  }
}

function typeOf(message: string): string {
  const [, type = ''] = /"type":"(\w+)"/.exec(message) ?? []
  return type
}

/** Until when the certificate of a host is valid. */
export function certificateExpiry({ hostname, port }: URL): Promise<Date> {
  return new Promise((resolve, reject) => {
    const socket = connect({
      host: hostname.replace(/^\[|\]$/g, ''),
      port: Number(port) || 443,
      // Only names may be sent as one.
      ...(isIP(hostname) === 0 && !hostname.startsWith('[') && { servername: hostname }),
      timeout: PATIENCE_MS,
    })
    socket.once('secureConnect', () => {
      resolve(new Date(socket.getPeerCertificate().valid_to))
      socket.destroy()
    })
    socket.once('timeout', () => socket.destroy(silence()))
    socket.once('error', reject)
  })
}

const silence = (): Error => new Error(`no answer within ${PATIENCE_MS / 1000} s`)

/** Why nothing came back, and what to do about it. */
export function explain(failure: unknown): { text: string; cure: string } {
  const { code = '', message } = failure as NodeJS.ErrnoException
  return { text: `${message || code}.`, cure: CURES.find(([pattern]) => pattern.test(code))?.[1] ?? UNREACHABLE }
}

const UNREACHABLE = 'See that the reverse proxy runs and that the firewall lets its port through.'

const CURES: readonly (readonly [RegExp, string])[] = [
  [/^(ENOTFOUND|EAI_AGAIN)$/, 'Make DNS records (A, AAAA) for the host name, or correct it in VOX_SERVER_GATEWAY_URL.'],
  [/^CERT_HAS_EXPIRED$/, 'Renew the certificate; Caddy and certbot do so by themselves if their log shows no error.'],
  [/^ERR_TLS_CERT_ALTNAME_INVALID$/, 'Get a certificate for this very host name.'],
  [
    /SELF_SIGNED|UNABLE_TO_VERIFY|UNABLE_TO_GET_ISSUER/,
    'Get a certificate that clients trust, with its whole chain, for example from Let’s Encrypt.',
  ],
  [/^(EPROTO|ERR_SSL)/, 'Nothing speaks TLS there: see that the reverse proxy does, on this port.'],
]
