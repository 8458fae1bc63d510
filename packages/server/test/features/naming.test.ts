import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { declaredType, displayName } from '../../src/features/files/naming.ts'

describe('displayName', () => {
  it('is the first name that is given', () => {
    assert.equal(displayName('a.txt', 'b.txt'), 'a.txt')
    assert.equal(displayName(undefined, 'b.txt'), 'b.txt')
    assert.equal(displayName('', 'b.txt'), 'b.txt')
    assert.equal(displayName(undefined, ''), 'upload')
  })

  it('has no separators and control characters, and otherwise stays as it is', () => {
    assert.equal(displayName('../../etc/passwd'), '....etcpasswd')
    assert.equal(displayName('C:\\x\\y.txt'), 'C:xy.txt')
    assert.equal(displayName('a\r\nb\0\u0085c'), 'abc')
    assert.equal(displayName('Ünï "x" 😀.txt'), 'Ünï "x" 😀.txt')
    assert.equal(displayName('/\\\n'), 'upload')
  })

  it('has at most 255 characters', () => {
    assert.equal(displayName('😀'.repeat(300)), '😀'.repeat(255))
  })
})

describe('declaredType', () => {
  it('is in lower case and without parameters', () => {
    assert.equal(declaredType('Text/HTML; charset=utf-8'), 'text/html')
    assert.equal(declaredType(' image/svg+xml '), 'image/svg+xml')
    assert.equal(declaredType('application/x!#$%&.^_`|~-'), 'application/x!#$%&.^_`|~-')
  })

  it('is missing when it has not the form of a type', () => {
    for (const text of [
      undefined,
      '',
      'text',
      'text/',
      '/plain',
      'a/b/c',
      'a b/c',
      'ä/b',
      'a/b\r\nc',
      `a/${'b'.repeat(126)}`,
    ])
      assert.equal(declaredType(text), undefined)
    assert.equal(declaredType(`a/${'b'.repeat(125)}`)?.length, 127)
  })
})
