import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { BATCH } from '../../src/gateway/event-batch.ts'
import { EncodedEvent } from '../../src/gateway/frames.ts'
import { PresencePages } from '../../src/gateway/presence-pages.ts'

const event = (userId: number, version = 0) => new EncodedEvent('p', `"${userId} ${version}"`, 0)

describe('pages of presences', () => {
  const user = fc.integer({ min: 1, max: 3 * BATCH })
  const change = fc.oneof(
    { weight: 3, arbitrary: user.map((id) => ({ id, isVisible: true })) },
    { weight: 2, arbitrary: user.map((id) => ({ id, isVisible: false })) },
  )

  it('hold each visible user once, as last told, on pages that are not too long', () => {
    fc.assert(
      fc.property(fc.array(change, { size: 'max', maxLength: 400 }), (changes) => {
        const pages = new PresencePages()
        const visible = new Map<number, EncodedEvent>()
        for (const [version, { id, isVisible }] of changes.entries()) {
          const told = event(id, version)
          if (isVisible) pages.set(id, told)
          else pages.delete(id)
          if (isVisible) visible.set(id, told)
          else visible.delete(id)
          assert.equal(pages.get(id), visible.get(id))
          // Asked for in between, so that a batch that is not made anew would be noticed.
          if (version % 7 === 0) for (const page of pages) page.batch()
        }
        const batches = [...pages].map((page) => page.batch())
        assert.ok(batches.every(({ count }) => count >= 1 && count <= BATCH))
        assert.deepEqual(new Set(batches.flatMap(({ events }) => events)), new Set(visible.values()))
        assert.equal(
          batches.reduce((sum, { count }) => sum + count, 0),
          visible.size,
        )
      }),
    )
  })

  it('are the same batch for everybody, until somebody on the page changes', () => {
    const pages = new PresencePages()
    for (let id = 1; id <= 2 * BATCH; id++) pages.set(id, event(id))
    const batches = () => [...pages].map((page) => page.batch())
    const [first, second] = batches()
    assert.deepEqual(batches(), [first, second])
    pages.set(1, event(1, 1))
    const [changed, same] = batches()
    assert.notEqual(changed, first)
    assert.equal(same, second)
  })

  it('show who stays to whoever goes through them while others come and go', () => {
    const pages = new PresencePages()
    for (let id = 1; id <= 4 * BATCH; id++) pages.set(id, event(id))
    const seen = new Set<number>()
    let turn = 0
    for (const page of pages) {
      for (const id of page.users.keys()) seen.add(id)
      // Every second user goes, all of the page after the next one among them; some others come.
      for (let id = 2; id <= 4 * BATCH; id += 2) pages.delete(id)
      if (turn++ < 2) for (let id = 1; id <= 30; id++) pages.set(1000 * turn + id, event(id))
    }
    for (let id = 1; id <= 4 * BATCH; id += 2) assert.ok(seen.has(id), `${id}`)
  })
})
