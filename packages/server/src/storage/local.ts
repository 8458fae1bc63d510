import { open, opendir, rename, rm, stat } from 'node:fs/promises'
import path from 'node:path'
import type { Readable } from 'node:stream'
import { orMissing, prepareFolder } from './folder.ts'
import type { SpooledFile } from './spool.ts'
import { assertKey, type ByteRange, isKey, type ObjectFacts, type Storage } from './storage.ts'

/** Objects as files of one folder, each named by its key. */
export class LocalStorage implements Storage {
  readonly #folder: string

  private constructor(folder: string) {
    this.#folder = folder
  }

  static async open(folder: string): Promise<LocalStorage> {
    await prepareFolder(folder)
    return new LocalStorage(folder)
  }

  /** The file is moved, so it has to wait on the same file system. */
  async put(key: string, file: SpooledFile): Promise<void> {
    await file.flush()
    await rename(file.path, this.#path(key))
  }

  async get(key: string, range?: ByteRange): Promise<Readable | undefined> {
    const handle = await orMissing(open(this.#path(key)))
    return handle?.createReadStream(range)
  }

  async facts(key: string): Promise<ObjectFacts | undefined> {
    const facts = await orMissing(stat(this.#path(key)))
    return facts && { storedAt: facts.mtimeMs }
  }

  async delete(key: string): Promise<void> {
    await rm(this.#path(key), { force: true })
  }

  async *keys(): AsyncGenerator<string> {
    for await (const entry of await opendir(this.#folder)) if (entry.isFile() && isKey(entry.name)) yield entry.name
  }

  close(): void {}

  #path(key: string): string {
    assertKey(key)
    return path.join(this.#folder, key)
  }
}
