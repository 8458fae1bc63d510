import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { BATCH, EventBatch, entriesOf } from '../../src/gateway/event-batch.ts'
import { EncodedEvent } from '../../src/gateway/frames.ts'

const event = (data: number) => new EncodedEvent('t', `${data}`, 0)

describe('a batch of events', () => {
  it('has the frames of its events, whatever was asked before', () => {
    const asked = fc.record({ first: fc.constantFrom(1, 2, 9, 999), compressed: fc.boolean(), skipped: fc.nat(4) })
    fc.assert(
      fc.property(fc.array(asked, { maxLength: 10 }), (questions) => {
        const events = [1, 22, 333, 4, 5].map(event)
        const batch = new EventBatch(events)
        for (const { first, compressed, skipped } of questions) {
          const expected = events.slice(skipped).map((each, i) => each.frames(first + i, compressed))
          assert.equal(batch.frames(first, compressed, skipped), expected.join(''))
        }
      }),
    )
  })

  it('is as large as its events', () => {
    assert.equal(new EventBatch([event(1), event(22)]).size, event(1).size + event(22).size)
  })

  it('holds no more than is paced at a time; a single event needs none', () => {
    const events = Array.from({ length: 2 * BATCH + 1 }, (_, i) => event(i))
    const entries = entriesOf(events)
    assert.deepEqual(
      entries.map(({ count }) => count),
      [BATCH, BATCH, 1],
    )
    assert.deepEqual(entriesOf([events[0] as EncodedEvent]), [events[0]])
    assert.deepEqual(entriesOf([]), [])
  })
})
