import assert from 'node:assert/strict'
import { globSync, readFileSync } from 'node:fs'
import path from 'node:path'
import { describe, it } from 'node:test'

const ROOT = path.resolve(import.meta.dirname, '../../../..')
const SOURCE = path.join(ROOT, 'packages/server/src')

const folders = [...new Set(globSync('*/**/*.ts', { cwd: SOURCE }).map((file) => `${path.dirname(file)}/`))].sort()

/** Folders in the first column of the table "The server". */
const documented = [...readFileSync(path.join(ROOT, 'docs/architecture.md'), 'utf8').matchAll(/^\| `([^` ]+\/)` \|/gm)]
  .map(([, folder = '']) => folder)
  .sort()

describe('docs/architecture.md', () => {
  it('has a line for every folder of the server, and for no other', () => {
    assert.deepEqual(documented, folders)
  })
})
