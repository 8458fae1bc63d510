import { execFile } from 'node:child_process'
import { resolveTxt } from 'node:dns/promises'
import { readFile, statfs } from 'node:fs/promises'
import { promisify } from 'node:util'

const execute = promisify(execFile)

/** What checks ask the machine and its network, so that tests can answer. */
export interface Machine {
  /** The text of a file; undefined if it cannot be read. */
  read(path: string): Promise<string | undefined>
  /** What a program prints; undefined if it is not there or fails. */
  run(program: string, ...args: string[]): Promise<string | undefined>
  /** Bytes that are free on the disk of a folder; undefined if there is no such folder. */
  freeBytes(folder: string): Promise<number | undefined>
  /** Text records of a name, each in one piece; none if there is no such name. */
  textRecords(name: string): Promise<string[]>
}

export const thisMachine: Machine = {
  read: (path) => readFile(path, 'utf8').catch(() => undefined),
  run: async (program, ...args) => {
    try {
      return (await execute(program, args, { timeout: 5000 })).stdout.trim()
    } catch {
      return undefined
    }
  },
  freeBytes: async (folder) => {
    const facts = await statfs(folder).catch(() => undefined)
    return facts && facts.bavail * facts.bsize
  },
  textRecords: async (name) => (await resolveTxt(name).catch(() => [])).map((parts) => parts.join('')),
}
