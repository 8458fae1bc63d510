import { randomUUID } from 'node:crypto'
import { type FileHandle, open, readdir, rm, stat } from 'node:fs/promises'
import path from 'node:path'
import { pipeline } from 'node:stream/promises'
import { orMissing, prepareFolder } from './folder.ts'

const DAY_MS = 86_400_000

/** What may come while earlier bytes are being written, so that they leave in few large writes. */
const WRITE_BUFFER = 262_144

/**
 * Where files wait while they are received: on disk, so that an upload takes no memory, whatever its size; whole, so
 * that its type and name are known and its form is found valid before anything is stored.
 */
export class Spool {
  readonly #folder: string
  /** What was received as a whole since the start. */
  receivedFiles = 0
  receivedBytes = 0

  private constructor(folder: string) {
    this.#folder = folder
  }

  static async open(folder: string): Promise<Spool> {
    await prepareFolder(folder)
    return new Spool(folder)
  }

  /** Writes down what comes. If it breaks off, nothing remains. */
  async receive(content: AsyncIterable<Uint8Array>): Promise<SpooledFile> {
    const name = path.join(this.#folder, randomUUID())
    const file = (await open(name, 'wx', 0o600)).createWriteStream({ highWaterMark: WRITE_BUFFER })
    try {
      await pipeline(content, file)
      this.receivedFiles++
      this.receivedBytes += file.bytesWritten
      return new SpooledFile(name, file.bytesWritten, await open(name, 'r+'))
    } catch (error) {
      await rm(name, { force: true })
      throw error
    }
  }

  /** Removes what a crash left behind: files nobody has written to for a day. */
  async removeAbandoned(now: number): Promise<void> {
    for (const name of await readdir(this.#folder)) {
      const file = path.join(this.#folder, name)
      const written = (await orMissing(stat(file)))?.mtimeMs
      if (written !== undefined && written < now - DAY_MS) await rm(file, { force: true })
    }
  }
}

/** A file that has been received. Unless a storage has moved it by then, it is gone when it is disposed of. */
export class SpooledFile implements AsyncDisposable {
  readonly path: string
  readonly size: number
  readonly #handle: FileHandle

  constructor(name: string, size: number, handle: FileHandle) {
    this.path = name
    this.size = size
    this.#handle = handle
  }

  /** The bytes from `position` on; fewer than `length` at the end of the file. */
  async read(position: number, length: number): Promise<Buffer> {
    const { buffer, bytesRead } = await this.#handle.read(Buffer.alloc(length), 0, length, position)
    return buffer.subarray(0, bytesRead)
  }

  /** Sees to it that the bytes survive a crash of the machine. */
  async flush(): Promise<void> {
    await this.#handle.sync()
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#handle.close()
    await rm(this.path, { force: true })
  }
}
