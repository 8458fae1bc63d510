import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { MAX_DEPTH, parseJson, stringifyJson } from '../src/index.ts'
import { keysAmong } from './support/keys.ts'

const INT64_MAX = 2n ** 63n - 1n
const INT64_MIN = -(2n ** 63n)

const anyInt64 = fc.bigInt({ min: INT64_MIN, max: INT64_MAX })
const longInteger = anyInt64.filter((n) => n > Number.MAX_SAFE_INTEGER || n < Number.MIN_SAFE_INTEGER)
const plainNumber = fc
  .oneof(fc.maxSafeInteger(), fc.double({ noDefaultInfinity: true, noNaN: true }))
  .filter((n) => !Object.is(n, -0) && (Number.isSafeInteger(n) || !Number.isInteger(n)))
const text = fc.oneof(
  fc.string({ unit: 'binary' }),
  fc.string({ unit: fc.constantFrom('"', '\\', '[', '{', '}', ']') }),
)

const { value: wireValue } = fc.letrec<{ value: unknown }>((tie) => ({
  value: fc.oneof(
    { maxDepth: 5, withCrossShrink: true },
    fc.oneof(fc.constant(null), fc.boolean(), text, plainNumber, longInteger),
    fc.array(tie('value'), { maxLength: 4 }),
    fc.dictionary(keysAmong(text), tie('value'), { maxKeys: 4, noNullPrototype: true }),
  ),
}))

/** `levels` arrays and objects inside one another; which of the two, the bits of `shape` say. */
function nested(levels: number, shape: bigint, core: string): string {
  let json = core
  for (let level = 0; level < levels; level++)
    json = (shape >> BigInt(level)) & 1n ? `[1, ${json} ,2]` : `{"a" : 1, "b":${json}}`
  return json
}

describe('parseJson and stringifyJson', () => {
  it('bring every value back as it was, long integers as bigint', () => {
    fc.assert(fc.property(wireValue, (value) => assert.deepEqual(parseJson(stringifyJson(value)), value)))
  })

  it('keep every 64-bit integer digit for digit, wherever it stands', () => {
    fc.assert(
      fc.property(anyInt64, (n) => {
        for (const json of [`${n}`, `[${n}]`, `{"msg_id":${n}}`, `{"a":[{"b":${n}}],"c":"${n}"}`])
          assert.equal(stringifyJson(parseJson(json)), json)
      }),
    )
  })

  it('keep what plain JSON.parse would round', () => {
    assert.deepEqual(parseJson('{"permissions": 9223372036854775807}'), { permissions: INT64_MAX })
    assert.equal(stringifyJson({ permissions: INT64_MAX }), '{"permissions":9223372036854775807}')
    assert.equal(parseJson('-9223372036854775808'), INT64_MIN)
  })

  it('give a number up to 2^53 − 1 and a bigint beyond', () => {
    assert.equal(parseJson('9007199254740991'), 9007199254740991)
    assert.equal(parseJson('-9007199254740991'), -9007199254740991)
    assert.equal(parseJson('9007199254740992'), 9007199254740992n)
    assert.equal(parseJson('-9007199254740992'), -9007199254740992n)
  })

  it('keep a long integer that is written with a zero fraction', () => {
    assert.equal(parseJson('4611686018427387904.0'), 4611686018427387904n)
    assert.equal(parseJson('9007199254740993.00'), 9007199254740993n)
  })

  it('leave numbers that are no 64-bit integers to the schema', () => {
    assert.equal(parseJson('1'.repeat(30)), Number('1'.repeat(30)))
    assert.equal(parseJson('1234567890123456.5'), 1234567890123456.5)
    assert.equal(parseJson('1e400'), Number.POSITIVE_INFINITY)
  })

  it('let the last of two equal keys count', () => {
    assert.deepEqual(parseJson('{"a": 1, "a": 9007199254740993}'), { a: 9007199254740993n })
  })

  it('treat __proto__ as any other key', () => {
    const parsed = parseJson('{"__proto__": {"admin": 9007199254740993}}') as object
    assert.equal(Object.getPrototypeOf(parsed), Object.prototype)
    assert.equal(stringifyJson(parsed), '{"__proto__":{"admin":9007199254740993}}')
  })
})

describe('parseJson', () => {
  it('throws nothing but SyntaxError, whatever the text', () => {
    const piece = fc.constantFrom(
      '{',
      '}',
      '[',
      ']',
      '"',
      '\\',
      ':',
      ',',
      '1',
      '9007199254740993',
      '-',
      '.',
      'e',
      'null',
    )
    const garbage = fc.oneof(fc.string(), fc.string({ unit: piece, maxLength: 200 }))
    fc.assert(
      fc.property(garbage, (input) => {
        try {
          parseJson(input)
        } catch (error) {
          assert.ok(error instanceof SyntaxError, `threw ${error}`)
        }
      }),
    )
  })

  it('reads exactly the texts that JSON.parse reads', () => {
    fc.assert(
      fc.property(wireValue, fc.nat(), fc.constantFrom('', ',', '}', '"', ' '), (value, at, insert) => {
        const json = stringifyJson(value)
        const position = at % (json.length + 1)
        const damaged = json.slice(0, position) + insert + json.slice(position)
        assert.equal(accepts(parseJson, damaged), accepts(JSON.parse, damaged))
      }),
    )
  })

  it(`accepts ${MAX_DEPTH} levels and refuses one more, whatever brackets its strings hold`, () => {
    const shape = fc.bigInt({ min: 0n, max: 2n ** 65n })
    const core = text.map((inside) => JSON.stringify(inside))
    fc.assert(
      fc.property(shape, core, (bits, string) => {
        assert.doesNotThrow(() => parseJson(nested(MAX_DEPTH, bits, string)))
        assert.throws(() => parseJson(nested(MAX_DEPTH + 1, bits, string)), SyntaxError)
      }),
    )
  })

  it('counts nesting, not brackets', () => {
    assert.doesNotThrow(() => parseJson(`[${Array(1000).fill('[[]]').join()}]`))
    assert.doesNotThrow(() => parseJson(JSON.stringify('['.repeat(1000))))
    assert.doesNotThrow(() => parseJson(`{"${'{'.repeat(1000)}": "\\"${'['.repeat(1000)}"}`))
  })

  it('refuses a bomb of brackets without a stack overflow', () => {
    assert.throws(() => parseJson('['.repeat(1_000_000)), { name: 'SyntaxError', message: /64 levels/ })
  })
})

function accepts(parse: (json: string) => unknown, json: string): boolean {
  try {
    parse(json)
    return true
  } catch {
    return false
  }
}
