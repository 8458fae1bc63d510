import { isUtf8 } from 'node:buffer'
import type { IncomingMessage } from 'node:http'
import { ApiError, type FormFile } from '@vox/protocol'
import type { Spool, SpooledFile } from '../storage/spool.ts'
import { discardBody, tooLarge } from './body.ts'
import { boundaryOf, type Part, partsOf } from './multipart.ts'

/** What a form with a file may have beside the bytes of the file (spec 01, section 4). */
const FRAMING = 65_536
const MAX_FIELD = 8_192

/** A client that has vanished without a word would leave half a file and its connection behind for ever. */
const SILENCE_MS = 60_000

/** A file from a form, for as long as the request is being handled. */
export interface UploadedFile extends FormFile {
  content: SpooledFile
}

/** A form that has been received. Disposing of it removes its file, unless that has been stored. */
export interface Form extends AsyncDisposable {
  /** The file and the fields by name; of fields with the same name the last one counts, of files the first. */
  values: Readonly<Record<string, unknown>>
}

interface FormOptions {
  /** Name of the part that is the file. */
  filePart: string
  /** Bytes. */
  maxFile: number
  spool: Spool
}

/** Longest body of a request that uploads a file of at most `maxFile` bytes. */
export const formLimit = (maxFile: number): number => maxFile + FRAMING

/** The error of a file over the limit, declared or received. */
export const fileTooLarge = (limit: number): ApiError =>
  new ApiError('FILE_TOO_LARGE', { message: `The file may have at most ${limit} bytes.` })

/**
 * Reads a form with one file, which goes to disk as it comes. Whatever goes wrong, the file is gone again and the rest
 * of the body can still be read.
 */
export async function readForm(request: IncomingMessage, options: FormOptions): Promise<Form> {
  const { maxFile } = options
  const boundary = boundaryOf(request.headers['content-type'])
  if (boundary === undefined)
    throw new ApiError('VALIDATION_ERROR', { message: 'A form is required (Content-Type: multipart/form-data).' })
  request.setTimeout(SILENCE_MS)
  try {
    const body = atMost(request.iterator({ destroyOnReturn: false }), formLimit(maxFile), () => fileTooLarge(maxFile))
    return await collect(partsOf(body, boundary), options)
  } catch (error) {
    await discardBody(request)
    throw error
  } finally {
    request.setTimeout(0)
  }
}

async function collect(parts: AsyncIterable<Part>, { filePart, maxFile, spool }: FormOptions): Promise<Form> {
  await using received = new AsyncDisposableStack()
  const values = new Map<string, unknown>()
  for await (const part of parts) {
    if (part.name !== filePart) {
      if (part.fileName === undefined) values.set(part.name, await fieldText(part))
    } else if (!values.has(filePart)) {
      const content = await spool.receive(atMost(part.content, maxFile, () => fileTooLarge(maxFile)))
      values.set(filePart, uploadedFile(part, received.use(content)))
    }
  }
  const files = received.move()
  return { values: Object.fromEntries(values), [Symbol.asyncDispose]: () => files.disposeAsync() }
}

function uploadedFile({ fileName = '', type = '' }: Part, content: SpooledFile): UploadedFile {
  return { name: browserName(fileName), type, size: content.size, content }
}

/** Browsers write what would break the header as if it were part of a URL, and nothing else. */
const browserName = (name: string): string => name.replace(/%(0D|0A|22)/gi, decodeURIComponent)

async function fieldText({ name, content }: Part): Promise<string> {
  const pieces: Buffer[] = []
  for await (const piece of atMost(content, MAX_FIELD, () => tooLarge(MAX_FIELD))) pieces.push(piece)
  const bytes = Buffer.concat(pieces)
  if (!isUtf8(bytes)) throw new ApiError('VALIDATION_ERROR', { message: `${name}: is not UTF-8` })
  return bytes.toString()
}

/** The same chunks, as long as they are not more than `limit` bytes together. */
async function* atMost(chunks: AsyncIterable<Buffer>, limit: number, error: () => Error): AsyncGenerator<Buffer> {
  let size = 0
  for await (const chunk of chunks) {
    size += chunk.length
    if (size > limit) throw error()
    yield chunk
  }
}
