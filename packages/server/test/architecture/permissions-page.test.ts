import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import path from 'node:path'
import { describe, it } from 'node:test'
import { DEFAULT_EVERYONE_PERMISSIONS, Permission } from '@vox/protocol'

const PAGE = readFileSync(path.resolve(import.meta.dirname, '../../../../docs/permissions.md'), 'utf8')

describe('docs/permissions.md', () => {
  it('lists every permission with its bit, and no other', () => {
    const listed = [...PAGE.matchAll(/^\| (\d+) \| `(\w+)` \|/gm)].map(([, bit = '', name = '']) => [
      name,
      1n << BigInt(bit),
    ])
    assert.deepEqual(listed, Object.entries(Permission))
  })

  it('has the right numbers in its example', () => {
    assert.ok(PAGE.includes(`its default, ${DEFAULT_EVERYONE_PERMISSIONS}:`))
    assert.ok(PAGE.includes(`goes: ${DEFAULT_EVERYONE_PERMISSIONS & ~Permission.SEND_MESSAGES}.`))
  })
})
