import { accessSync, constants, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

/** Directories to remove should the process end before their databases are closed. */
const directories = new Set<string>()
process.on('exit', () => directories.forEach(remove))

/**
 * The file behind a database in memory. SQLite's own kind cannot be read while somebody writes; a file can, and it is
 * in memory all the same where the system has a file system for that.
 */
export class MemoryFile implements Disposable {
  readonly path: string
  readonly #directory: string

  constructor() {
    this.#directory = mkdtempSync(join(sharedMemory() ?? tmpdir(), 'vox-'))
    this.path = join(this.#directory, 'vox.db')
    directories.add(this.#directory)
  }

  [Symbol.dispose](): void {
    directories.delete(this.#directory)
    remove(this.#directory)
  }
}

const remove = (directory: string): void => rmSync(directory, { recursive: true, force: true })

function sharedMemory(): string | undefined {
  try {
    accessSync('/dev/shm', constants.W_OK)
    return '/dev/shm'
  } catch {
    return undefined
  }
}
