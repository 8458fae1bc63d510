import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { Blocks } from '../../src/community/blocks.ts'

const [ALICE, BOB, CAROL] = [1, 2, 3]

describe('Blocks', () => {
  it('have a direction and set both sides apart', () => {
    const blocks = new Blocks()
    blocks.add(ALICE, BOB)
    assert.ok(blocks.hasBlocked(ALICE, BOB))
    assert.ok(!blocks.hasBlocked(BOB, ALICE))
    assert.ok(blocks.areApart(ALICE, BOB) && blocks.areApart(BOB, ALICE))
    assert.ok(!blocks.areApart(ALICE, CAROL))
  })

  it('list who was blocked and by whom', () => {
    const blocks = new Blocks()
    blocks.add(ALICE, BOB)
    blocks.add(CAROL, ALICE)
    assert.deepEqual([...blocks.blockedBy(ALICE)], [BOB])
    assert.deepEqual([...blocks.blockersOf(ALICE)], [CAROL])
    assert.deepEqual([...blocks.apartFrom(ALICE)], [BOB, CAROL])
    assert.deepEqual([...blocks.apartFrom(4)], [])
  })

  it('end on one side only', () => {
    const blocks = new Blocks()
    blocks.add(ALICE, BOB)
    blocks.add(BOB, ALICE)
    blocks.delete(ALICE, BOB)
    blocks.delete(ALICE, CAROL)
    assert.ok(blocks.areApart(ALICE, BOB))
    blocks.delete(BOB, ALICE)
    assert.ok(!blocks.areApart(ALICE, BOB))
    assert.deepEqual([...blocks.apartFrom(ALICE)], [])
  })
})
