import { access, constants, mkdir } from 'node:fs/promises'

/** Makes a folder if it is missing; says what to do if it cannot be used. */
export async function prepareFolder(folder: string): Promise<void> {
  try {
    await mkdir(folder, { recursive: true })
    await access(folder, constants.R_OK | constants.W_OK)
  } catch (cause) {
    const { message } = cause as Error
    throw new Error(`files cannot be kept in ${folder} (${message}); check VOX_STORAGE_PATH and who may write there`, {
      cause,
    })
  }
}

/** What came of an operation on a file; undefined if there is no such file. */
export async function orMissing<T>(result: Promise<T>): Promise<T | undefined> {
  try {
    return await result
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined
    throw error
  }
}
