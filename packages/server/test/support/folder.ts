import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

let folder: string | undefined
let paths = 0

/** A path at which nothing is yet; what is put there goes with this process. */
export function freshPath(suffix = ''): string {
  folder ??= temporaryFolder()
  return join(folder, `${++paths}${suffix}`)
}

function temporaryFolder(): string {
  const path = mkdtempSync(join(tmpdir(), 'vox-test-'))
  process.on('exit', () => rmSync(path, { recursive: true, force: true }))
  return path
}
