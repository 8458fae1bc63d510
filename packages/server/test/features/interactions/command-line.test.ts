import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { commandLine, paramsOf } from '../../../src/features/interactions/command-line.ts'

const params = (text: string, ...declared: string[]) => paramsOf(commandLine(text)?.words ?? [], declared)

describe('a command line', () => {
  it('begins with a slash and a name', () => {
    assert.deepEqual(commandLine('/roll sides=20 secret'), { name: 'roll', words: ['sides=20', 'secret'] })
    assert.deepEqual(commandLine('/roll'), { name: 'roll', words: [] })
    assert.deepEqual(commandLine('//x'), { name: '/x', words: [] })
    for (const text of ['/', '/ x', '/\nx', ' /roll', 'roll', '', null, undefined])
      assert.equal(commandLine(text), undefined)
  })

  it('is split at white space of every kind and any amount', () => {
    assert.deepEqual(commandLine('/a\u00a0b\n\n\tc\u2003\u3000d '), { name: 'a', words: ['b', 'c', 'd'] })
  })

  it('gives texts to names and true to bare words, and the later word wins', () => {
    assert.deepEqual(params('/roll sides=20 secret'), { sides: '20', secret: true })
    assert.deepEqual(params('/echo text=a=b'), { text: 'a=b' })
    assert.deepEqual(params('/x a=1 a=2 b b= =c'), { a: '2', b: '', '': 'c' })
    assert.deepEqual(params('/x __proto__=1'), Object.fromEntries([['__proto__', '1']]))
  })

  it('fills declared parameters that are not named with its bare words, in order', () => {
    assert.deepEqual(params('/roll 20', 'sides'), { 20: true, sides: '20' })
    assert.deepEqual(params('/roll 3 sides=6 x', 'sides', 'count', 'note'), {
      3: true,
      x: true,
      sides: '6',
      count: '3',
      note: 'x',
    })
    assert.deepEqual(params('/roll 20 secret', 'sides', 'secret'), { 20: true, sides: '20', secret: true })
    assert.deepEqual(params('/roll a b', 'only'), { a: true, b: true, only: 'a' })
    assert.deepEqual(params('/roll', 'sides'), {})
  })

  it('may be any text', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), fc.array(fc.string()), (text, declared) => {
        const line = commandLine(`/${text}`)
        for (const value of Object.values(paramsOf(line?.words ?? [], declared)))
          assert.ok(value === true || typeof value === 'string')
      }),
    )
  })
})
