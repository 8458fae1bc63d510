import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { RATE_LIMITS } from '@vox/protocol'
import fc from 'fast-check'
import { LocalRateLimiter } from '../../src/http/rate-limiter.ts'

function limiter() {
  const time = { now: 1_000_000 }
  const clock = { now: () => time.now, after: () => ({ cancel() {} }), every: () => ({ cancel() {} }) }
  return { time, buckets: new LocalRateLimiter(clock, RATE_LIMITS) }
}

describe('token buckets', () => {
  it('answer a burst, then refuse until a token is back', () => {
    const { time, buckets } = limiter()
    for (let left = 4; left >= 0; left--) {
      const { allowed, remaining } = buckets.take('ip:a', 'auth')
      assert.deepEqual({ allowed, remaining }, { allowed: true, remaining: left })
    }
    const refused = buckets.take('ip:a', 'auth')
    assert.equal(refused.allowed, false)
    assert.equal(refused.retryAfterMs, 10_000)
    time.now += 9_999
    assert.equal(buckets.take('ip:a', 'auth').allowed, false)
    time.now += 1
    assert.equal(buckets.take('ip:a', 'auth').allowed, true)
  })

  it('name the next token when none is left, and the full bucket otherwise', () => {
    const { time, buckets } = limiter()
    assert.equal(buckets.take('ip:a', 'auth').resetAt, time.now + 10_000)
    for (let i = 0; i < 3; i++) buckets.take('ip:a', 'auth')
    const last = buckets.take('ip:a', 'auth')
    assert.deepEqual([last.remaining, last.resetAt], [0, time.now + 10_000])
  })

  it('are separate by key and by category', () => {
    const { buckets } = limiter()
    for (let i = 0; i < 6; i++) buckets.take('ip:a', 'auth')
    assert.equal(buckets.take('ip:b', 'auth').allowed, true)
    assert.equal(buckets.take('ip:a', 'server').allowed, true)
  })

  it('are forgotten when idle for ten minutes', () => {
    const { time, buckets } = limiter()
    buckets.take('ip:a', 'auth')
    time.now += 600_001
    buckets.take('ip:b', 'auth')
    assert.equal(buckets.size, 1)
  })

  it('do not lose their balance when the clock steps back', () => {
    const { time, buckets } = limiter()
    buckets.take('ip:a', 'auth')
    time.now -= 3_600_000
    assert.equal(buckets.take('ip:a', 'auth').remaining, 3)
  })

  it('never allow more than burst plus refill in any span', () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 0, max: 5000 }), { maxLength: 200 }), (waits) => {
        const { time, buckets } = limiter()
        const start = time.now
        let allowed = 0
        for (const wait of waits) {
          time.now += wait
          if (buckets.take('ip:a', 'auth').allowed) allowed++
        }
        assert.ok(allowed <= 5 + ((time.now - start) / 1000) * 0.1 + 1e-9)
      }),
    )
  })
})
