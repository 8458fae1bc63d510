import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { snowflake, snowflakeParts, snowflakeTime, VOX_EPOCH_MS } from '@vox/protocol'
import { SnowflakeSource } from '../src/ids.ts'

function source(above = 0n) {
  const time = { now: VOX_EPOCH_MS + 1_000_000 }
  const clock = { now: () => time.now, after: () => ({ cancel() {} }), every: () => ({ cancel() {} }) }
  return { time, ids: new SnowflakeSource(clock, 7, above) }
}

function assertRising(ids: readonly bigint[]): void {
  for (const [index, id] of ids.entries()) if (index > 0) assert.ok(id > (ids[index - 1] ?? 0n))
}

describe('the snowflake source', () => {
  it('puts the time, the worker and the sequence where the spec says', () => {
    const { time, ids } = source()
    assert.deepEqual(snowflakeParts(ids.next()), { timestamp: time.now, worker: 7, sequence: 0 })
    assert.deepEqual(snowflakeParts(ids.next()), { timestamp: time.now, worker: 7, sequence: 1 })
  })

  it('gives 10 000 rising ids at once, although a millisecond holds 4096', () => {
    const { ids } = source()
    assertRising(Array.from({ length: 10_000 }, () => ids.next()))
  })

  it('keeps rising over a clock that steps back an hour', () => {
    const { time, ids } = source()
    const before = ids.next()
    time.now -= 3_600_000
    assertRising([before, ids.next(), ids.next()])
  })

  it('begins above the largest id there is, also when that lies in the future', () => {
    const future = snowflake({ timestamp: VOX_EPOCH_MS + 9_000_000, worker: 1, sequence: 17 })
    const { ids } = source(future)
    const next = ids.next()
    assert.ok(next > future)
    assert.equal(snowflakeTime(next), VOX_EPOCH_MS + 9_000_001)
  })
})
