import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { cursorOf, pageOf, pageSize } from '../src/pages.ts'

describe('a page', () => {
  it('is as large as asked for, up to the configured size', () => {
    assert.equal(pageSize({ limit: 7 }, 200), 7)
    assert.equal(pageSize({ limit: 300 }, 200), 200)
    assert.equal(pageSize({}, 200), 100)
    assert.equal(pageSize({}, 60), 60)
    assert.equal(pageSize({}, 200, 50), 50)
  })

  it('names the key of its last item as text, with every digit', () => {
    assert.deepEqual(
      pageOf([{ id: 1 }, { id: 2 }], ({ id }) => id),
      { items: [{ id: 1 }, { id: 2 }], cursor: '2' },
    )
    assert.equal(
      cursorOf([9007199254740993n], (id) => id),
      '9007199254740993',
    )
  })

  it('names none when it is empty', () => {
    assert.deepEqual(
      pageOf([], () => 1),
      { items: [], cursor: null },
    )
  })
})
