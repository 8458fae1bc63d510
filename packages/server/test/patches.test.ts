import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { cleared, isEmpty } from '../src/patches.ts'

describe('a patch', () => {
  it('clears by empty text where that means to clear, and keeps what is not given', () => {
    assert.deepEqual(cleared({ name: '', icon: '', topic: 'x', size: 0 }, 'icon', 'topic'), {
      name: '',
      icon: null,
      topic: 'x',
      size: 0,
    })
    assert.deepEqual(cleared<{ icon?: string }, 'icon'>({}, 'icon'), {})
  })

  it('is empty when nothing is given', () => {
    assert.ok(isEmpty({}))
    assert.ok(!isEmpty({ name: null }))
  })
})
