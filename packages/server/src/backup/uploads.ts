import { readdir } from 'node:fs/promises'
import path from 'node:path'
import { isKey } from '../storage/storage.ts'
import type { ArchiveWriter } from './archive.ts'
import { UPLOADS } from './manifest.ts'
import type { Progress } from './progress.ts'

/** Keys of the uploaded files in a folder; none if there is no folder. */
export async function uploadsIn(folder: string): Promise<string[]> {
  return (await orMissing(readdir(folder)))?.filter(isKey) ?? []
}

/** Adds the uploaded files that are not in the archive yet; one that is deleted meanwhile is left out. */
export async function addUploads(archive: ArchiveWriter, folder: string, progress: Progress): Promise<void> {
  for (const key of await uploadsIn(folder)) {
    if (archive.entries.has(UPLOADS + key)) continue
    const added = await orMissing(archive.addFile(UPLOADS + key, path.join(folder, key)))
    if (added) progress.count(added.size)
  }
}

/** Undefined if there is no such file or folder. */
async function orMissing<T>(result: Promise<T>): Promise<T | undefined> {
  try {
    return await result
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined
    throw error
  }
}
