import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { DEFAULT_LIMITS } from '@vox/protocol'
import { Admission, Place } from '../../src/gateway/admission.ts'
import { SlidingWindow } from '../../src/gateway/sliding-window.ts'

describe('a sliding window', () => {
  it('counts what is less than a minute old', () => {
    const window = new SlidingWindow()
    assert.equal(window.count(5), 0)
    for (const at of [0, 10, 10, 59_999]) window.add(at)
    assert.equal(window.count(59_999), 4)
    assert.equal(window.count(60_000), 3)
    assert.equal(window.count(60_010), 1)
    assert.equal(window.count(119_999), 0)
  })
})

describe('the table of failed logins', () => {
  it('forgets addresses whose failures are old', () => {
    const admission = new Admission(() => ({ ...DEFAULT_LIMITS, gateway_auth_failures_per_minute: 1 }))
    admission.failed('192.0.2.1', 0)
    admission.sweep(59_999)
    assert.equal(admission.isFailing('192.0.2.1', 59_999), true)
    admission.sweep(60_000)
    assert.equal(admission.isFailing('192.0.2.1', 0), false)
  })

  it('is bounded: the longest known address gives way', () => {
    const admission = new Admission(() => ({ ...DEFAULT_LIMITS, gateway_auth_failures_per_minute: 1 }))
    for (let i = 0; i <= 10_000; i++) admission.failed(`address ${i}`, 0)
    assert.equal(admission.isFailing('address 0', 0), false)
    assert.equal(admission.isFailing('address 1', 0), true)
  })

  it('leaves clients without a known address alone', () => {
    const admission = new Admission(() => ({ ...DEFAULT_LIMITS, gateway_auth_failures_per_minute: 1 }))
    admission.failed(undefined, 0)
    assert.equal(admission.isFailing(undefined, 0), false)
  })
})

describe('a place', () => {
  it('is in one count at a time and can be left twice', () => {
    const admission = new Admission(() => DEFAULT_LIMITS)
    const place = new Place('192.0.2.1')
    place.moveTo(admission.waiting)
    place.moveTo(admission.live)
    assert.deepEqual([admission.waiting.total, admission.live.of('192.0.2.1')], [0, 1])
    place.moveTo(undefined)
    place.moveTo(undefined)
    assert.deepEqual([admission.live.total, admission.live.of('192.0.2.1')], [0, 0])
  })
})
