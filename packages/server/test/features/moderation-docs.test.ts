import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { describe, it } from 'node:test'
import { Permission, parseJson } from '@vox/protocol'
import { sqlite } from '../support/engines.ts'
import { failure, startTestServer } from '../support/server.ts'

const PAGE = readFileSync(new URL('../../../../docs/moderation.md', import.meta.url), 'utf8')

/** `vox POST /reports/12/resolve '{…}'`, its comment aside. */
const CALL = /^vox (?<method>[A-Z]+) '?(?<path>\/[^\s']+)'?(?: '(?<body>\{.*\})')?/gm

const calls = [...PAGE.matchAll(CALL)].map(({ groups }) => groups as { method: string; path: string; body?: string })

describe('docs/moderation.md', () => {
  it('has its calls where this test sees them', () => {
    assert.equal(calls.length, PAGE.match(/^vox /gm)?.length)
  })

  it('makes calls that the server understands', async () => {
    await using server = await startTestServer(sqlite)
    const ada = await server.register('ada')
    for (const { method, path, body } of calls) {
      const answer = await ada.request(method, path, body && parseJson(body))
      const isUnderstood = answer.status < 300 || /^404 (?!NOT_FOUND)/.test(failure(answer))
      assert.ok(isUnderstood, `${method} ${path}: ${failure(answer)}`)
    }
  })

  it('adds the bits of its table up', () => {
    const rows = [...PAGE.matchAll(/^\| .* \| `(?<name>[A-Z_]+)` \| (?<bit>\d+) \|$/gm)].map(({ groups }) => groups)
    const sum = rows.reduce((set, groups) => set | (1n << BigInt(groups?.bit ?? 0)), 0n)
    assert.ok(rows.length > 0 && PAGE.includes(`"permissions": ${sum}`))
    for (const groups of rows)
      assert.equal(Permission[groups?.name as keyof typeof Permission], 1n << BigInt(groups?.bit ?? 0))
  })
})
