import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { DEFAULT_LIMITS, decode, GATEWAY_COMMANDS, GATEWAY_EVENTS, parseJson } from '@vox/protocol'
import { ENDPOINTS } from '@vox/protocol/endpoints'
import { docsPage, testExamples } from '../../support/examples.ts'

const PAGE = docsPage('encrypted-messages.md')

/** Messages of the gateway, one a line; those of the server have a number. */
const messages = [...PAGE.matchAll(/^```json\n(.*?)```$/gms)].flatMap(([, block = '']) => block.trim().split('\n'))

describe('docs/encrypted-messages.md', () => {
  testExamples(PAGE)

  it('shows messages of the gateway as they are declared', () => {
    for (const line of messages) {
      const { type, d, seq } = parseJson(line) as { type: string; d: object; seq?: number }
      const declared = (seq === undefined ? GATEWAY_COMMANDS : GATEWAY_EVENTS).find((each) => each.type === type)
      assert.ok(declared, line)
      assert.deepEqual(decode(declared.data, d, DEFAULT_LIMITS), d)
    }
    assert.equal(messages.length, 8)
  })

  it('leaves none of the endpoints out', () => {
    const { devices, keys, relays } = ENDPOINTS
    for (const { path } of Object.values({ ...devices, ...keys, ...relays }))
      assert.match(PAGE, new RegExp(path.replaceAll(/:\w+/g, '[^/ ]+')), path)
  })
})
