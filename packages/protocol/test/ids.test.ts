import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { MAX_SEQUENCE, MAX_WORKER, snowflake, snowflakeParts, snowflakeTime, VOX_EPOCH_MS } from '../src/index.ts'

/** The last millisecond whose ids stay below 2^63. */
const LAST_MS = VOX_EPOCH_MS + 2 ** 41 - 1

const anyParts = fc.record(
  {
    timestamp: fc.integer({ min: VOX_EPOCH_MS, max: LAST_MS }),
    worker: fc.integer({ min: 0, max: MAX_WORKER }),
    sequence: fc.integer({ min: 0, max: MAX_SEQUENCE }),
  },
  { noNullPrototype: true },
)

describe('snowflake', () => {
  it('begins counting at 2025-01-01T00:00:00Z', () => {
    assert.equal(VOX_EPOCH_MS, Date.UTC(2025, 0, 1))
    assert.equal(snowflake({ timestamp: VOX_EPOCH_MS, worker: 0, sequence: 0 }), 0n)
  })

  it('puts milliseconds, worker and sequence where the protocol says', () => {
    assert.equal(snowflake({ timestamp: VOX_EPOCH_MS + 1, worker: 0, sequence: 0 }), 1n << 22n)
    assert.equal(snowflake({ timestamp: VOX_EPOCH_MS, worker: 1, sequence: 0 }), 1n << 12n)
    assert.equal(snowflake({ timestamp: VOX_EPOCH_MS, worker: 0, sequence: 1 }), 1n)
    assert.equal(snowflake({ timestamp: VOX_EPOCH_MS, worker: MAX_WORKER, sequence: MAX_SEQUENCE }), (1n << 22n) - 1n)
  })

  it('comes apart into what it was built from', () => {
    fc.assert(fc.property(anyParts, (parts) => assert.deepEqual(snowflakeParts(snowflake(parts)), parts)))
  })

  it('tells its time', () => {
    fc.assert(fc.property(anyParts, (parts) => assert.equal(snowflakeTime(snowflake(parts)), parts.timestamp)))
  })

  it('orders by time, then worker, then sequence', () => {
    fc.assert(
      fc.property(anyParts, anyParts, (a, b) => {
        const difference = a.timestamp - b.timestamp || a.worker - b.worker || a.sequence - b.sequence
        const [left, right] = [snowflake(a), snowflake(b)]
        assert.equal(left < right, difference < 0)
        assert.equal(left > right, difference > 0)
      }),
    )
  })

  it('fits signed 64-bit storage until 2094', () => {
    assert.equal(snowflake({ timestamp: LAST_MS, worker: MAX_WORKER, sequence: MAX_SEQUENCE }), 2n ** 63n - 1n)
    assert.equal(new Date(LAST_MS).getUTCFullYear(), 2094)
  })
})
