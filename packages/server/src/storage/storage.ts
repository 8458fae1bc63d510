import type { Readable } from 'node:stream'
import type { SpooledFile } from './spool.ts'

/** Bytes of an object, the last one included. */
export interface ByteRange {
  start: number
  end: number
}

/** What is known of an object without its bytes. */
export interface ObjectFacts {
  /** Unix milliseconds. */
  storedAt: number
}

/**
 * Where uploaded bytes are kept, under the ids of their files (spec 01, section 11). An object is there whole or not at
 * all, and never changes. What an object is and who may read it is in the database.
 */
export interface Storage {
  /** Keeps a received file. */
  put(key: string, file: SpooledFile, mime: string): Promise<void>
  /** The bytes, or some of them; undefined when there is no such object. */
  get(key: string, range?: ByteRange): Promise<Readable | undefined>
  /** Undefined when there is no such object. */
  facts(key: string): Promise<ObjectFacts | undefined>
  /** A key that is not there is no error. */
  delete(key: string): Promise<void>
  /** Every key, in no particular order. */
  keys(): AsyncIterable<string>
  close(): void
}

/** Whether a name is a file id: nothing else becomes a path or the name of an object, or is removed as one. */
export const isKey = (name: string): boolean => /^[\w-]{22}$/.test(name)

/** @throws TypeError if the name is no key. */
export function assertKey(name: string): void {
  if (!isKey(name)) throw new TypeError('not the key of a stored object')
}
