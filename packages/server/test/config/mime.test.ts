import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { mimeAllowed, mimeList } from '../../src/config/mime.ts'

const allows = (list: string, type: string) => mimeAllowed(mimeList.parse(list) ?? assert.fail('not a list'), type)

describe('a list of media types', () => {
  it('allows everything when it is empty or says so', () => {
    assert.ok(allows('', 'application/x-anything'))
    assert.ok(allows('*/*', 'application/x-anything'))
  })
  it('allows the types it names and no others', () => {
    assert.ok(allows('image/png,image/gif', 'image/gif'))
    assert.ok(!allows('image/png,image/gif', 'image/gi'))
    assert.ok(!allows('image/png,image/gif', 'image/webp'))
  })
  it('allows a whole family, but not one whose name begins alike', () => {
    assert.ok(allows('image/*', 'image/svg+xml'))
    assert.ok(!allows('image/*', 'imagery/png'))
    assert.ok(!allows('image/*', 'video/mp4'))
  })
  it('ignores case and parameters on both sides', () => {
    assert.ok(allows('Text/Plain; charset=utf-8', 'text/PLAIN;charset=ascii'))
    assert.ok(allows('TEXT/*', ' text/html ; charset=utf-8'))
  })
  it('does not let a type with a star pass as a family', () => {
    assert.ok(!allows('image/png', 'image/*'))
    assert.ok(!allows('image/png', '*/*'))
  })
  it('does not allow an empty or malformed type', () => {
    assert.ok(!allows('image/png', ''))
    assert.ok(!allows('image/*', 'image'))
  })
})
