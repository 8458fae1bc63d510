import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { Cleanup } from '../src/cleanup.ts'
import { TestClock } from './support/clock.ts'
import { keepingLog } from './support/log.ts'

const HOUR_MS = 3_600_000

describe('the clean-up', () => {
  it('runs every hour, first one hour after the start', async () => {
    const clock = new TestClock()
    const cleanup = new Cleanup({ clock, log: keepingLog().log })
    let runs = 0
    cleanup.add('things', async () => void runs++)
    clock.advance(HOUR_MS - 1)
    assert.equal(runs, 0)
    clock.advance(1)
    assert.equal(runs, 1)
    await new Promise(setImmediate)
    clock.advance(HOUR_MS)
    assert.equal(runs, 2)
    await cleanup.stop()
    clock.advance(HOUR_MS)
    assert.equal(runs, 2)
  })

  it('goes on after a step that fails, and logs it', async () => {
    const clock = new TestClock()
    const { log, records } = keepingLog()
    const cleanup = new Cleanup({ clock, log })
    const done: string[] = []
    cleanup.add('old things', async () => Promise.reject(new Error('no database')))
    cleanup.add('other things', async () => void done.push('other things'))
    clock.advance(HOUR_MS)
    await cleanup.stop()
    assert.deepEqual(done, ['other things'])
    assert.equal(records.length, 1)
    assert.equal(records[0]?.level, 'error')
    assert.equal(records[0]?.message, 'removing old things failed')
    assert.match(String(records[0]?.exception), /no database/)
  })

  it('begins no round while one is running, and stops when that is done', async () => {
    const clock = new TestClock()
    const cleanup = new Cleanup({ clock, log: keepingLog().log })
    const { promise, resolve } = Promise.withResolvers<void>()
    let runs = 0
    cleanup.add('things', () => {
      runs++
      return promise
    })
    clock.advance(3 * HOUR_MS)
    assert.equal(runs, 1)
    let stopped = false
    const stopping = cleanup.stop().then(() => {
      stopped = true
    })
    await new Promise(setImmediate)
    assert.equal(stopped, false)
    resolve()
    await stopping
  })
})
