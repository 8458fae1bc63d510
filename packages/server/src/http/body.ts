import { isUtf8 } from 'node:buffer'
import type { IncomingMessage } from 'node:http'
import { ApiError, MAX_DEPTH, parseJson } from '@vox/protocol'

const JSON_TYPE = /^application\/(?:json|[^;\s]+\+json)\s*(?:;|$)/i

/** The error of a body over the limit, declared or received. */
export const tooLarge = (limit: number): ApiError =>
  new ApiError('PAYLOAD_TOO_LARGE', { message: `The request body may have at most ${limit} bytes.` })

/** How much more than the limit is read and thrown away, so that a client still hears why it is refused. */
const SLACK = 8 * 1_048_576

/** Reads a body whole; one with more than `limit` bytes is refused, and not kept. */
export function readBody(request: IncomingMessage, limit: number): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = []
    let size = 0
    request.on('data', (chunk: Buffer) => {
      size += chunk.length
      if (size <= limit) chunks.push(chunk)
      else chunks.length = 0
      if (size > limit + SLACK) reject(tooLarge(limit))
    })
    request.on('end', () => {
      if (size > limit) reject(tooLarge(limit))
      else resolve(chunks.length === 1 && chunks[0] ? chunks[0] : Buffer.concat(chunks))
    })
    request.on('error', reject)
  })
}

/** Refuses a body that is declared to have more than `limit` bytes, before anything is kept of it. */
export async function refuseDeclared(
  request: IncomingMessage,
  limit: number,
  refusal: (limit: number) => ApiError,
): Promise<void> {
  const declared = Number(request.headers['content-length'] ?? 0)
  if (declared <= limit) return
  if (declared <= limit + SLACK) await discardBody(request, declared)
  throw refusal(limit)
}

/** Reads what is left of a body that is of no use any more, up to so many bytes. */
export function discardBody(request: IncomingMessage, most = SLACK): Promise<void> {
  if (request.readableEnded || request.destroyed) return Promise.resolve()
  return new Promise((resolve) => {
    let size = 0
    request.on('data', (chunk: Buffer) => {
      size += chunk.length
      if (size > most) resolve()
    })
    for (const event of ['end', 'error', 'close']) request.on(event, () => resolve())
  })
}

/** How long a refused body may go on coming. */
const LINGER_MS = 2_000

/**
 * Ends the connection of a request whose body was refused and is still coming, but not at once: whoever is writing when
 * a connection breaks, such as a proxy, never reads the answer. If the rest is short, the connection goes on.
 */
export async function endSoon(request: IncomingMessage): Promise<void> {
  const patience = setTimeout(() => request.destroy(), LINGER_MS)
  request.once('close', () => clearTimeout(patience))
  await discardBody(request)
  if (!request.complete) request.pause()
}

/**
 * The JSON value of a body; undefined when there is none. A body under another content type counts as missing
 * (spec 01, section 2.1).
 */
export function jsonBody(bytes: Buffer, contentType: string | undefined): unknown {
  if (bytes.length === 0 || contentType === undefined || !JSON_TYPE.test(contentType)) return undefined
  if (!isUtf8(bytes)) throw new ApiError('VALIDATION_ERROR', { message: 'The request body is not UTF-8.' })
  try {
    return parseJson(bytes.toString())
  } catch {
    // The parser's own message quotes the text, and the text may hold a password.
    throw new ApiError('VALIDATION_ERROR', {
      message: `The request body is not JSON, or nested deeper than ${MAX_DEPTH} levels.`,
    })
  }
}
