import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { presenceUpdate } from '@vox/protocol'
import { encodeEvent } from '../../src/gateway/frames.ts'
import { OwnEvent } from '../../src/gateway/own-event.ts'
import { TestGateway } from '../support/gateway.ts'

describe('an event of one session alone', () => {
  it('is the same bytes however often and in whatever form it is sent', () => {
    const data = { user_id: 7, status: 'online' as const, custom_status: 'Grüße 🦊' }
    const own = new OwnEvent(presenceUpdate, data, 5)
    const shared = encodeEvent(presenceUpdate, data, 5)
    assert.deepEqual([own.size, own.count, own.at], [shared.size, 1, 5])
    for (const [seq, compressed] of [
      [1, false],
      [1, false],
      [1, true],
      [1000, true],
      [1000, false],
    ] as const)
      assert.equal(own.frames(seq, compressed), shared.frames(seq, compressed))
    assert.equal(own.event(0)?.head, shared.head)
    assert.equal(own.event(1), undefined)
  })
})

describe('ready', () => {
  it('is told again, as it was, to whoever resumes from the beginning', async () => {
    await using gateway = await TestGateway.start()
    const token = gateway.member(1)
    const socket = await gateway.identify(token)
    const again = []
    for (let i = 0; i < 2; i++) {
      gateway.clock.advance(1_000)
      const resumed = await gateway.resume(token, socket.sessionId, 0)
      again.push(await resumed.next('ready'))
    }
    assert.deepEqual(again[0], again[1])
    assert.equal(again[0]?.d.session_id, socket.sessionId)
    assert.equal(again[0]?.seq, 1)
  })
})
