import { createHash } from 'node:crypto'
import { createReadStream, createWriteStream } from 'node:fs'
import { open } from 'node:fs/promises'
import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { createTarDecoder, createTarPacker } from 'modern-tar'
import { Refusal } from '../refusal.ts'
import type { EntryFacts } from './manifest.ts'

type Bytes = Iterable<Uint8Array> | AsyncIterable<Uint8Array>

/** Writes a tar file entry by entry, and keeps what the manifest will say of them. */
export class ArchiveWriter {
  readonly entries = new Map<string, EntryFacts>()
  readonly #packer = createTarPacker()
  readonly #written: Promise<void>

  /** Makes the file, which only its owner may read. */
  constructor(path: string) {
    this.#written = pipeline(
      Readable.fromWeb(this.#packer.readable),
      createWriteStream(path, { mode: 0o600, flush: true }),
    )
    // A file that cannot be written makes adding fail as well, which is heard of sooner.
    this.#written.catch(() => {})
  }

  /** Adds a file with the bytes that it has now. */
  async addFile(name: string, path: string): Promise<EntryFacts> {
    const file = await open(path)
    const { size, mtime } = await file.stat()
    return this.#add(name, mtime, size, file.createReadStream({ end: Math.max(size - 1, 0) }))
  }

  async addText(name: string, text: string): Promise<void> {
    const bytes = Buffer.from(text)
    await this.#add(name, new Date(), bytes.length, [bytes])
  }

  /** Ends the archive; resolves when all of it is on the disk. */
  async finish(): Promise<void> {
    this.#packer.controller.finalize()
    await this.#written
  }

  async #add(name: string, mtime: Date, size: number, content: Bytes): Promise<EntryFacts> {
    const digest = createHash('sha256')
    const body = this.#packer.controller.add({ name, size, mtime, mode: 0o600, type: 'file' }).getWriter()
    for await (const chunk of content) {
      digest.update(chunk)
      await body.write(chunk)
    }
    await body.close()
    const facts = { size, sha256: digest.digest('hex') }
    this.entries.set(name, facts)
    return facts
  }
}

/**
 * Writes every entry of a tar file to the place that `placeOf` gives it; gives what they really are.
 *
 * @throws Refusal when it is no tar file or breaks off.
 */
export async function extractArchive(
  path: string,
  placeOf: (entry: string) => string,
): Promise<ReadonlyMap<string, EntryFacts>> {
  const entries = new Map<string, EntryFacts>()
  const decoded = Readable.toWeb(createReadStream(path)).pipeThrough(createTarDecoder({ strict: true }))
  try {
    for await (const { header, body } of decoded) entries.set(header.name, await extract(body, placeOf(header.name)))
  } catch (error) {
    if (error instanceof Refusal || isSystemError(error)) throw error
    throw new Refusal(`${path} is damaged or no backup (${(error as Error).message}).`, { cause: error })
  }
  return entries
}

async function extract(content: AsyncIterable<Uint8Array>, place: string): Promise<EntryFacts> {
  const digest = createHash('sha256')
  let size = 0
  async function* measured() {
    for await (const chunk of content) {
      digest.update(chunk)
      size += chunk.length
      yield chunk
    }
  }
  await pipeline(measured, createWriteStream(place, { mode: 0o600, flags: 'wx' }))
  return { size, sha256: digest.digest('hex') }
}

const isSystemError = (error: unknown): boolean => error instanceof Error && 'syscall' in error
