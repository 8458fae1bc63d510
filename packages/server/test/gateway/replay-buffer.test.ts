import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { EncodedEvent } from '../../src/gateway/frames.ts'
import { ReplayBuffer } from '../../src/gateway/replay-buffer.ts'

const event = (size: number) => new EncodedEvent('t', 'x'.repeat(size), 0)

describe('a replay buffer', () => {
  it('keeps the last events under their numbers', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 40 }), fc.integer({ min: 0, max: 200 }), (capacity, count) => {
        const buffer = new ReplayBuffer()
        const events = Array.from({ length: count }, (_, i) => event(i))
        for (const each of events) {
          buffer.append(each)
          while (buffer.overflows(capacity)) buffer.dropOldest()
        }
        assert.equal(buffer.top, count)
        assert.equal(buffer.oldest, Math.max(1, count - capacity + 1))
        for (let seq = buffer.oldest; seq <= buffer.top; seq++) assert.equal(buffer.at(seq), events[seq - 1])
        assert.throws(() => buffer.at(buffer.oldest - 1), RangeError)
        assert.throws(() => buffer.at(buffer.top + 1), RangeError)
      }),
    )
  })

  it('gives up old events above 8 MiB, but never the newest', () => {
    const buffer = new ReplayBuffer()
    for (let i = 0; i < 9; i++) buffer.append(event(1024 * 1024))
    while (buffer.overflows(1000)) buffer.dropOldest()
    assert.equal(buffer.oldest, 3)
    buffer.append(event(9 * 1024 * 1024))
    while (buffer.overflows(1000)) buffer.dropOldest()
    assert.equal(buffer.oldest, buffer.top)
  })

  it('counts all bytes that were ever appended', () => {
    const buffer = new ReplayBuffer()
    buffer.append(event(10))
    buffer.append(event(20))
    buffer.dropOldest()
    assert.equal(buffer.appendedBytes, event(10).size + event(20).size)
  })
})
