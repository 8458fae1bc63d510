import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { entriesOf } from '../../src/gateway/event-batch.ts'
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

  it('keeps the events of batches under numbers of their own', () => {
    const entry = fc.oneof(fc.constant(1), fc.integer({ min: 2, max: 20 }))
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 40 }), fc.array(entry, { maxLength: 30 }), (capacity, sizes) => {
        const buffer = new ReplayBuffer()
        const events: EncodedEvent[] = []
        for (const size of sizes) {
          const added = Array.from({ length: size }, (_, i) => event(i))
          events.push(...added)
          for (const each of entriesOf(added)) buffer.append(each)
          while (buffer.overflows(capacity)) buffer.dropOldest()
        }
        assert.equal(buffer.top, events.length)
        assert.equal(buffer.oldest, Math.max(1, events.length - capacity + 1))
        for (let seq = buffer.oldest; seq <= buffer.top; seq++) {
          assert.equal(buffer.at(seq), events[seq - 1])
          const { entry, skipped } = buffer.find(seq)
          assert.equal(buffer.entry(entry).event(skipped), events[seq - 1])
        }
        assert.throws(() => buffer.at(buffer.oldest - 1), RangeError)
        assert.throws(() => buffer.at(buffer.top + 1), RangeError)
        assert.throws(() => buffer.entry(buffer.find(buffer.top + 1).entry), RangeError)
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
