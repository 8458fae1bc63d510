import type { Readable } from 'node:stream'
import { ApiError } from '@vox/protocol'
import type { FastifyReply, FastifyRequest } from 'fastify'
import type { ByteRange } from '../storage/storage.ts'

/** A file as the answer of an endpoint. Which bytes of it are sent, and whether any, the request says. */
export abstract class Download {
  abstract readonly name: string
  abstract readonly mime: string
  abstract readonly size: number
  /** Names the bytes: under it they never change. */
  abstract readonly version: string
  /** The reply to those who accept nothing but JSON. */
  abstract toJson(): Promise<unknown>
  /** Throws if the bytes cannot be had. */
  abstract confirm(): Promise<void>
  /** The bytes; throws if they cannot be had. */
  abstract open(range?: ByteRange): Promise<Readable>
}

/** Whether the caller names JSON and leaves nothing else open (spec 04, section 7.5). */
export function acceptsOnlyJson({ headers: { accept = '' } }: FastifyRequest): boolean {
  const types = accept.split(',').map((type) => type.split(';')[0]?.trim().toLowerCase() ?? '')
  return types.includes('application/json') && !types.some((type) => type.includes('*'))
}

/** Sends a file so that no browser runs what is in it: as an attachment, its type taken at its word. */
export async function sendDownload(request: FastifyRequest, reply: FastifyReply, file: Download) {
  const validators = { etag: `"${file.version}"`, 'cache-control': 'private, max-age=3600' }
  if (isKnown(request.headers['if-none-match'], validators.etag)) {
    await file.confirm()
    return reply.code(304).headers(validators).send()
  }
  const onlyHead = request.method === 'HEAD'
  const range = onlyHead ? undefined : rangeOf(request, validators.etag, file.size)
  if (range === 'unsatisfiable') {
    await file.confirm()
    reply.header('content-range', `bytes */${file.size}`)
    throw new ApiError('VALIDATION_ERROR', { status: 416, message: `The file has ${file.size} bytes.` })
  }
  const bytes = onlyHead ? await file.confirm() : await file.open(range)
  if (range) reply.code(206).header('content-range', `bytes ${range.start}-${range.end}/${file.size}`)
  reply.headers({
    ...validators,
    'content-type': file.mime,
    'content-length': range ? range.end - range.start + 1 : file.size,
    'content-disposition': attachment(file.name),
    'x-content-type-options': 'nosniff',
    'content-security-policy': "default-src 'none'; sandbox",
    'accept-ranges': 'bytes',
  })
  return reply.send(bytes)
}

/** `Content-Disposition`: the name in plain ASCII for old programs, then as it is (RFC 6266, RFC 8187). */
function attachment(name: string): string {
  const plain = name.replace(/[^\x20-\x7e]|["\\%]/gu, '_')
  const exact = encodeURIComponent(name).replace(
    /['()*]/g,
    (char) => `%${char.charCodeAt(0).toString(16).toUpperCase()}`,
  )
  return `attachment; filename="${plain}"; filename*=UTF-8''${exact}`
}

function isKnown(ifNoneMatch: string | undefined, etag: string): boolean {
  const known = ifNoneMatch?.split(',').map((entry) => entry.trim().replace(/^W\//, '')) ?? []
  return known.includes(etag) || known.includes('*')
}

/** The range a request asks for; undefined for the whole file, also where it is not of the one form that is known. */
function rangeOf({ headers }: FastifyRequest, etag: string, size: number): ByteRange | 'unsatisfiable' | undefined {
  const [, first, last] = /^bytes=(\d*)-(\d*)$/i.exec(headers.range?.trim() ?? '') ?? []
  if (first === undefined || last === undefined || first + last === '') return undefined
  if (headers['if-range'] !== undefined && headers['if-range'] !== etag) return undefined
  const start = first === '' ? Math.max(0, size - Number(last)) : Number(first)
  const end = first === '' || last === '' ? size - 1 : Math.min(Number(last), size - 1)
  if (first !== '' && last !== '' && Number(last) < start) return undefined
  return start <= end ? { start, end } : 'unsatisfiable'
}
