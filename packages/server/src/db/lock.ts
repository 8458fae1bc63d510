import { realpathSync } from 'node:fs'
import { resolve } from 'node:path'
import type { DatabaseSync } from 'node:sqlite'
import { openFile } from './sqlite.ts'

/** Another process has the database. */
export class DatabaseInUse extends Error {
  constructor(cause: unknown) {
    super('another Vox process is using this database; only one may, so stop it first', { cause })
    this.name = 'DatabaseInUse'
  }
}

/**
 * Keeps other processes off a database file, until disposed or until the process ends, however it does. The lock is on
 * a file of its own: one on the database would keep our own second connection out as well.
 */
export class SqliteLock implements Disposable {
  readonly #file: DatabaseSync

  /** @throws DatabaseInUse */
  constructor(path: string) {
    this.#file = openFile(`${realPath(path)}.lock`, {})
    try {
      this.#file.exec('begin exclusive')
    } catch (error) {
      this.#file.close()
      throw new DatabaseInUse(error)
    }
  }

  [Symbol.dispose](): void {
    this.#file.close()
  }
}

/** One database has one path, by whatever link it is opened. */
export function realPath(path: string): string {
  try {
    return realpathSync(path)
  } catch {
    return resolve(path)
  }
}
