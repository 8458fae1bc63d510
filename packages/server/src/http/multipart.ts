import { ApiError } from '@vox/protocol'

/** One part of a form, in the moment in which it arrives. */
export interface Part {
  name: string
  /** Undefined when the part is no file. */
  fileName: string | undefined
  /** The declared content type; undefined if there is none. */
  type: string | undefined
  /** To be read to its end before the next part is asked for, or not at all. */
  content: AsyncIterable<Buffer>
}

const MAX_PARTS = 32
const MAX_HEADERS = 4096
const CR = 0x0d
const LINE_END = Buffer.from('\r\n')
const HEADERS_END = Buffer.from('\r\n\r\n')

const malformed = (what: string): ApiError => new ApiError('VALIDATION_ERROR', { message: `The form ${what}.` })

/** The delimiter that a `Content-Type` header announces; undefined if it is no form. */
export function boundaryOf(contentType: string | undefined): string | undefined {
  if (contentType === undefined || !/^multipart\/form-data\s*;/i.test(contentType)) return undefined
  const boundary = parameters(contentType).get('boundary')
  return boundary && boundary.length <= 70 ? boundary : undefined
}

/**
 * Takes a `multipart/form-data` body apart while it arrives (RFC 7578), holding no more of it than one chunk. It is our
 * own because the parsers at hand say `text/plain` for a part without a type, which is something else here.
 */
export async function* partsOf(body: AsyncIterator<Buffer>, boundary: string): AsyncGenerator<Part> {
  const text = new Splitter(body)
  const delimiter = Buffer.from(`\r\n--${boundary}`)
  try {
    await skip(text.until(delimiter))
    for (let count = 0; !(await text.startsWith('--')); count++) {
      if (count === MAX_PARTS) throw malformed(`has more than ${MAX_PARTS} parts`)
      const headers = headersOf(await text.shortUntil(HEADERS_END, MAX_HEADERS))
      const content = text.until(delimiter)
      yield partOf(headers, content)
      await skip(content)
    }
    await skip(text.rest())
  } finally {
    await body.return?.()
  }
}

async function skip(chunks: AsyncIterable<Buffer>): Promise<void> {
  for await (const _ of chunks);
}

/** Text that arrives in chunks and is cut at marks, each of which begins with CR. */
class Splitter {
  readonly #source: AsyncIterator<Buffer>
  /** The delimiter of the first part may stand at the very beginning, without the line end that belongs to it. */
  #held: Buffer = LINE_END

  constructor(source: AsyncIterator<Buffer>) {
    this.#source = source
  }

  /** All that comes before the mark, which is stepped over. */
  async *until(mark: Buffer): AsyncGenerator<Buffer> {
    for (;;) {
      const held = this.#held
      const at = held.indexOf(mark)
      const safe = at === -1 ? held.length - overlap(held, mark) : at
      this.#held = held.subarray(at === -1 ? safe : at + mark.length)
      if (safe > 0) yield held.subarray(0, safe)
      if (at !== -1) return
      await this.#more()
    }
  }

  /** The same in one piece, which must not be longer than `limit`. */
  async shortUntil(mark: Buffer, limit: number): Promise<Buffer> {
    const pieces: Buffer[] = []
    let size = 0
    for await (const piece of this.until(mark)) {
      size += piece.length
      if (size > limit) throw malformed('has a part with overlong headers')
      pieces.push(piece)
    }
    return Buffer.concat(pieces)
  }

  /** Whether this comes next; nothing is stepped over. */
  async startsWith(text: string): Promise<boolean> {
    while (this.#held.length < text.length) await this.#more()
    return this.#held.toString('latin1', 0, text.length) === text
  }

  /** All that is left. */
  async *rest(): AsyncGenerator<Buffer> {
    for (let next = await this.#source.next(); !next.done; next = await this.#source.next()) yield next.value
  }

  async #more(): Promise<void> {
    const { done, value } = await this.#source.next()
    if (done) throw malformed('ends before its last part does')
    this.#held = this.#held.length > 0 ? Buffer.concat([this.#held, value]) : value
  }
}

/** How many of the last bytes may be the beginning of the mark. */
function overlap(bytes: Buffer, mark: Buffer): number {
  const tail = bytes.subarray(Math.max(0, bytes.length - mark.length + 1))
  for (let at = tail.indexOf(CR); at !== -1; at = tail.indexOf(CR, at + 1)) {
    const candidate = tail.subarray(at)
    if (mark.subarray(0, candidate.length).equals(candidate)) return candidate.length
  }
  return 0
}

/** Header lines by name in lower case. The first line is what follows the delimiter: nothing but white space. */
function headersOf(block: Buffer): Map<string, string> {
  const [padding = '', ...lines] = block.toString().split('\r\n')
  if (padding.trim() !== '') throw malformed('has its boundary inside a part')
  return new Map(
    lines.map((line) => {
      const [, name, value] = /^([^\s:]+):(.*)$/s.exec(line) ?? []
      if (name === undefined || value === undefined) throw malformed('has a part with malformed headers')
      return [name.toLowerCase(), value.trim()]
    }),
  )
}

function partOf(headers: Map<string, string>, content: AsyncIterable<Buffer>): Part {
  const disposition = headers.get('content-disposition') ?? ''
  const given = parameters(disposition)
  const name = given.get('name')
  if (!/^form-data\s*;/i.test(disposition) || name === undefined) throw malformed('has a part without a name')
  return {
    name,
    fileName: extendedValue(given.get('filename*')) ?? given.get('filename'),
    type: headers.get('content-type'),
    content,
  }
}

/** The parameters of a header value, names in lower case. */
function parameters(header: string): Map<string, string> {
  const pairs = header.matchAll(/;\s*([^\s=;"]+)=(?:"((?:\\.|[^"\\])*)"|([^\s;"]*))/gs)
  return new Map(
    Array.from(pairs, ([, name = '', quoted, plain = '']) => [
      name.toLowerCase(),
      quoted?.replace(/\\(.)/gs, '$1') ?? plain,
    ]),
  )
}

/** The form `UTF-8''percent-encoded` of RFC 8187; undefined if it is not that. */
function extendedValue(value: string | undefined): string | undefined {
  const encoded = /^utf-8'[^']*'(.*)$/is.exec(value ?? '')?.[1]
  try {
    return encoded && decodeURIComponent(encoded)
  } catch {
    return undefined
  }
}
