import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { ENDPOINTS } from '../src/endpoints/index.ts'
import {
  accepting,
  codePoints,
  DEFAULT_LIMITS,
  DecodeError,
  Dictionary,
  decode,
  Fields,
  Flag,
  Id,
  Int64,
  Integer,
  JsonObject,
  List,
  Maybe,
  Nullable,
  OneOf,
  OpenFields,
  parseJson,
  QueryFlag,
  refine,
  Snowflake,
  stringifyJson,
  Text,
  type TSchema,
  Type,
} from '../src/index.ts'
import { keysAmong } from './support/keys.ts'

const INT64_MAX = 2n ** 63n - 1n

/** Decodes JSON text, as it comes from the wire. */
const read = (schema: TSchema, json: string): unknown => decode(schema, parseJson(json), DEFAULT_LIMITS)

/** The table of spec 01, section 2.2: what each type makes of an input, or that it refuses it. */
const REFUSED = Symbol('refused')
const TYPE_RULES: Readonly<
  Record<string, { schema: TSchema; rules: readonly (readonly [json: string, result: unknown])[] }>
> = {
  'an integer': {
    schema: Integer(-5, 4294967295),
    rules: [
      ['0', 0],
      ['4294967295', 4294967295],
      ['-5', -5],
      ['5.0', 5],
      ['5e0', 5],
      ['-0', 0],
      ['"17"', 17],
      ['"-5"', -5],
      ['"007"', 7],
      ['4294967296', REFUSED],
      ['-6', REFUSED],
      ['"4294967296"', REFUSED],
      ['5.5', REFUSED],
      ['1e400', REFUSED],
      ['9223372036854775807', REFUSED],
      ['123456789012345678901234567890', REFUSED],
      ['""', REFUSED],
      ['"5.0"', REFUSED],
      ['"+5"', REFUSED],
      ['" 5"', REFUSED],
      ['"5\\n"', REFUSED],
      ['"0x5"', REFUSED],
      ['"5n"', REFUSED],
      ['"٣"', REFUSED],
      ['"five"', REFUSED],
      ['true', REFUSED],
      ['false', REFUSED],
      ['null', REFUSED],
      ['[5]', REFUSED],
      ['{}', REFUSED],
    ],
  },
  'a 64-bit integer': {
    schema: Int64,
    rules: [
      ['0', 0n],
      ['-0', 0n],
      ['5', 5n],
      ['5.0', 5n],
      ['9007199254740993', 9007199254740993n],
      ['9223372036854775807', INT64_MAX],
      ['4611686018427387904.0', 4611686018427387904n],
      ['"9223372036854775807"', INT64_MAX],
      ['"5"', 5n],
      ['9223372036854775808', REFUSED],
      ['"9223372036854775808"', REFUSED],
      ['-1', REFUSED],
      ['"-1"', REFUSED],
      ['5.5', REFUSED],
      ['1e19', REFUSED],
      ['1e400', REFUSED],
      ['123456789012345678901234567890', REFUSED],
      ['"123456789012345678901234567890"', REFUSED],
      ['"1e3"', REFUSED],
      ['""', REFUSED],
      ['true', REFUSED],
      ['null', REFUSED],
      ['[]', REFUSED],
      ['{}', REFUSED],
    ],
  },
  'a snowflake': {
    schema: Snowflake,
    rules: [
      ['1', 1n],
      ['9223372036854775807', INT64_MAX],
      ['0', REFUSED],
      ['"0"', REFUSED],
    ],
  },
  'an id': {
    schema: Id,
    rules: [
      ['1', 1],
      ['4294967295', 4294967295],
      ['0', REFUSED],
      ['4294967296', REFUSED],
    ],
  },
  'a boolean': {
    schema: Flag,
    rules: [
      ['true', true],
      ['false', false],
      ['1', true],
      ['0', false],
      ['"true"', true],
      ['"TRUE"', true],
      ['"False"', false],
      ['"1"', true],
      ['"0"', false],
      ['2', REFUSED],
      ['-1', REFUSED],
      ['0.5', REFUSED],
      ['9007199254740993', REFUSED],
      ['"yes"', REFUSED],
      ['"on"', REFUSED],
      ['" true"', REFUSED],
      ['""', REFUSED],
      ['null', REFUSED],
      ['["true"]', REFUSED],
      ['[]', REFUSED],
      ['{}', REFUSED],
    ],
  },
  'a boolean of a query': {
    schema: QueryFlag,
    rules: [
      ['"true"', true],
      ['"False"', false],
      ['"1"', true],
      ['"0"', false],
      ['"yes"', true],
      ['"NO"', false],
      ['"On"', true],
      ['"off"', false],
      ['"maybe"', REFUSED],
      ['""', REFUSED],
      ['"y"', REFUSED],
    ],
  },
  'a string': {
    schema: Text(),
    rules: [
      ['""', ''],
      ['"  as sent\\t"', '  as sent\t'],
      ['"e\\u0301"', 'e\u0301'],
      ['"\\ud83d\\ude00"', '😀'],
      ['"\\ud83d"', REFUSED],
      ['"\\ude00\\ud83d"', REFUSED],
      ['"a\\u0000b"', REFUSED],
      ['5', REFUSED],
      ['9007199254740993', REFUSED],
      ['true', REFUSED],
      ['null', REFUSED],
      ['["a"]', REFUSED],
      ['{}', REFUSED],
    ],
  },
  'an enumeration': {
    schema: OneOf('text', 'forum'),
    rules: [
      ['"forum"', 'forum'],
      ['"Forum"', REFUSED],
      ['" forum"', REFUSED],
      ['"voice"', REFUSED],
      ['"toString"', REFUSED],
      ['0', REFUSED],
      ['null', REFUSED],
      ['["text"]', REFUSED],
    ],
  },
  'an array': {
    schema: List(Id, { min: 1, max: 2 }),
    rules: [
      ['[1]', [1]],
      ['[1, "2"]', [1, 2]],
      ['[]', REFUSED],
      ['[1, 2, 3]', REFUSED],
      ['[null]', REFUSED],
      ['1', REFUSED],
      ['"1,2"', REFUSED],
      ['{"0": 1, "length": 1}', REFUSED],
      ['null', REFUSED],
    ],
  },
  'an object': {
    schema: Fields({ id: Id, name: Maybe(Text()) }),
    rules: [
      ['{"id": 1}', { id: 1 }],
      ['{"id": 1, "name": "a"}', { id: 1, name: 'a' }],
      ['{"id": 1, "name": null}', { id: 1 }],
      ['{"id": 1, "unknown": [], "__proto__": {"name": "a"}}', { id: 1 }],
      ['{}', REFUSED],
      ['{"id": null}', REFUSED],
      ['{"name": "a"}', REFUSED],
      ['[]', REFUSED],
      ['"{}"', REFUSED],
      ['null', REFUSED],
    ],
  },
  'any object': {
    schema: JsonObject,
    rules: [
      ['{}', {}],
      ['{"a": [null, true, 9007199254740993, {"b": "c"}]}', { a: [null, true, 9007199254740993n, { b: 'c' }] }],
      ['{"a": [{"b": "\\ud83d"}]}', REFUSED],
      ['{"a": {"b\\u0000": 1}}', REFUSED],
      ['[]', REFUSED],
      ['"a"', REFUSED],
      ['null', REFUSED],
    ],
  },
  'an object of integers': {
    schema: Dictionary(Integer(0)),
    rules: [
      ['{}', {}],
      ['{"a": 1, "b": "2", "toString": 3}', { a: 1, b: 2, toString: 3 }],
      ['{"a": -1}', REFUSED],
      ['{"a": null}', REFUSED],
      ['{"a\\u0000": 1}', REFUSED],
      ['[1]', REFUSED],
      ['null', REFUSED],
    ],
  },
  'a nullable field': {
    schema: Fields({ topic: Maybe(Nullable(Text())), category_id: Nullable(Id) }),
    rules: [
      ['{"topic": null, "category_id": null}', { topic: null, category_id: null }],
      ['{"category_id": 1}', { category_id: 1 }],
      ['{"topic": "a"}', REFUSED],
      ['{"category_id": "null"}', REFUSED],
    ],
  },
}

describe('the type rules', () => {
  for (const [type, { schema, rules }] of Object.entries(TYPE_RULES))
    for (const [json, result] of rules)
      if (result === REFUSED)
        it(`refuse ${json} as ${type}`, () => assert.throws(() => read(schema, json), DecodeError))
      else it(`read ${json} as ${type}`, () => assert.deepEqual(read(schema, json), result))
})

describe('lengths', () => {
  it('count code points', () => {
    const four = Text({ min: 4, max: 4 })
    for (const fits of ['abcd', '😀😀😀😀', 'a😀b😀', 'e\u0301e\u0301'])
      assert.equal(decode(four, fits, DEFAULT_LIMITS), fits)
    for (const other of ['abc', '😀😀', '😀😀😀😀😀', 'abcde']) assert.throws(() => decode(four, other, DEFAULT_LIMITS))
  })

  it('allow 4000 emoji in a message and no more', () => {
    const body = Text({ max: 'message_body_max' })
    assert.equal(decode(body, '😀'.repeat(4000), DEFAULT_LIMITS), '😀'.repeat(4000))
    assert.throws(() => decode(body, '😀'.repeat(4001), DEFAULT_LIMITS), /at most 4000 characters/)
  })

  it('follow the limits at the time of the call', () => {
    const schema = Fields({
      name: Maybe(Text({ min: 'username_min', max: 'username_max' })),
      ids: Maybe(List(Id, { max: 'bulk_delete_max' })),
      days: Maybe(Integer(0, 'ban_delete_days_max')),
    })
    const tight = { ...DEFAULT_LIMITS, username_min: 2, username_max: 3, bulk_delete_max: 1, ban_delete_days_max: 7 }
    const fits = { name: 'a', ids: [1, 2], days: 14 }
    assert.deepEqual(decode(schema, fits, DEFAULT_LIMITS), fits)
    assert.throws(() => decode(schema, { days: 15 }, DEFAULT_LIMITS), /days: must lie between 0 and 14/)
    assert.throws(() => decode(schema, { days: 8 }, tight), /days: must lie between 0 and 7/)
    assert.throws(() => decode(schema, { name: 'a' }, tight), /name: must have at least 2 characters/)
    assert.throws(() => decode(schema, { name: 'abcd' }, tight), /name: must have at most 3 characters/)
    assert.throws(() => decode(schema, { ids: [1, 2] }, tight), /ids: must have at most 1 elements/)
  })

  it('are what iterating over the string counts', () => {
    fc.assert(fc.property(fc.string({ unit: 'grapheme' }), (s) => assert.equal(codePoints(s), [...s].length)))
  })
})

describe('DecodeError', () => {
  const schema = Fields({ embeds: List(Fields({ title: Text({ max: 3 }), url: Maybe(Text()) })) })

  it('names the field, however deep it lies', () => {
    const input = { embeds: [{ title: 'a' }, { title: 'long' }] }
    assert.throws(() => decode(schema, input, DEFAULT_LIMITS), {
      name: 'DecodeError',
      field: 'embeds[1].title',
      message: 'embeds[1].title: must have at most 3 characters',
    })
  })

  it('names the field that is missing', () => {
    assert.throws(() => decode(schema, {}, DEFAULT_LIMITS), { field: 'embeds', message: 'embeds: is required' })
  })

  it('names no field when the whole input is wrong', () => {
    assert.throws(() => decode(schema, undefined, DEFAULT_LIMITS), { field: '', message: 'a JSON object is required' })
  })

  it('does not repeat the input', () => {
    for (const secret of ['hunter2', { password: 'hunter2' }, ['hunter2']])
      assert.throws(
        () => decode(Fields({ password: Id }), { password: secret }, DEFAULT_LIMITS),
        (error: Error) => !error.message.includes('hunter2'),
      )
  })
})

describe('decode', () => {
  it('applies the rules of refine to what was decoded', () => {
    const even = refine(Integer(), (n) => (n % 2 === 0 ? undefined : 'must be even'))
    assert.equal(decode(even, '4', DEFAULT_LIMITS), 4)
    assert.throws(() => decode(Fields({ n: even }), { n: 3 }, DEFAULT_LIMITS), { message: 'n: must be even' })
  })

  it('asks no rule about null', () => {
    const never = Nullable(refine(Integer(), () => 'never right'))
    assert.equal(decode(never, null, DEFAULT_LIMITS), null)
    assert.throws(() => decode(never, 1, DEFAULT_LIMITS), DecodeError)
  })

  it('brings other forms into the main form before it checks them', () => {
    const list = accepting(List(Id), (raw) => (Array.isArray(raw) ? raw : [raw]))
    assert.deepEqual(decode(list, 5, DEFAULT_LIMITS), [5])
    assert.deepEqual(decode(list, [5], DEFAULT_LIMITS), [5])
    assert.throws(() => decode(list, 'a', DEFAULT_LIMITS), DecodeError)
  })

  it('does not read fields that the input merely inherits', () => {
    const schema = Fields({ constructor: Maybe(JsonObject), toString: Maybe(Text()) })
    assert.deepEqual(decode(schema, {}, DEFAULT_LIMITS), {})
  })

  it('refuses at declaration what it cannot decode', () => {
    assert.throws(() => decode(Type.Unsafe({ type: 'number' }), 1, DEFAULT_LIMITS), TypeError)
    assert.throws(() => decode(Type.Unsafe({ type: 'array' }), [], DEFAULT_LIMITS), TypeError)
  })
})

/** One of everything, nested, with values that fit it. */
const Everything = Fields({
  id: Id,
  offset: Integer(-10, 10),
  permissions: Int64,
  msg_id: Maybe(Snowflake),
  name: Text({ min: 1, max: 5 }),
  bio: Maybe(Nullable(Text({ max: 'bio_max' }))),
  flag: Flag,
  kind: OneOf('text', 'forum'),
  ids: List(Snowflake, { max: 3 }),
  rows: Maybe(List(Fields({ a: Id, b: Maybe(Nullable(Flag)) }))),
  extra: Nullable(JsonObject),
  counts: Dictionary(Integer()),
})

const wellFormed = fc.string({ unit: 'grapheme' }).filter((s) => !s.includes('\0'))
const int64 = (min: bigint) => fc.bigInt({ min, max: INT64_MAX })
const everything = fc.record(
  {
    id: fc.integer({ min: 1, max: 2 ** 32 - 1 }),
    offset: fc.integer({ min: -10, max: 10 }),
    permissions: int64(0n),
    msg_id: int64(1n),
    name: fc.array(fc.constantFrom('a', 'é', '😀', ' '), { minLength: 1, maxLength: 5 }).map((parts) => parts.join('')),
    bio: fc.option(wellFormed),
    flag: fc.boolean(),
    kind: fc.constantFrom('text', 'forum'),
    ids: fc.array(int64(1n), { maxLength: 3 }),
    rows: fc.array(
      fc.record(
        { a: fc.integer({ min: 1, max: 9 }), b: fc.option(fc.boolean()) },
        { requiredKeys: ['a'], noNullPrototype: true },
      ),
    ),
    extra: fc.option(
      fc.dictionary(keysAmong(wellFormed), fc.oneof(wellFormed, fc.integer(), fc.boolean()), { noNullPrototype: true }),
    ),
    counts: fc.dictionary(keysAmong(wellFormed), fc.integer(), { noNullPrototype: true }),
  },
  {
    requiredKeys: ['id', 'offset', 'permissions', 'name', 'flag', 'kind', 'ids', 'extra', 'counts'],
    noNullPrototype: true,
  },
)

describe('a value that fits its schema', () => {
  it('comes back from the wire as it was', () => {
    fc.assert(fc.property(everything, (value) => assert.deepEqual(read(Everything, stringifyJson(value)), value)))
  })
})

describe('arbitrary input', () => {
  const declared = Object.values(ENDPOINTS)
    .flatMap((section) => Object.values(section))
    .flatMap(({ params, query, body }) => [params, query, ...(body ? [body] : [])])
  const schemas = [
    Everything,
    ...declared,
    ...Object.values(TYPE_RULES).map(({ schema }) => schema),
    List(Everything),
    Nullable(Everything),
    Text({ min: 'username_min', max: 'username_max' }),
  ]
  const scalar = fc.oneof(
    fc.string({ unit: 'binary' }),
    fc.constantFrom('1', '-1', 'true', 'YES', 'text', '9223372036854775807', '9223372036854775808', '1'.repeat(400)),
    fc.double(),
    fc.integer(),
    fc.bigInt(),
    fc.boolean(),
    fc.constantFrom(null, undefined),
  )
  const { value: anything } = fc.letrec<{ value: unknown }>((tie) => ({
    value: fc.oneof(
      { maxDepth: 4, withCrossShrink: true },
      scalar,
      fc.array(tie('value'), { maxLength: 4 }),
      fc.dictionary(fc.oneof(fc.string(), fc.constantFrom('__proto__', 'id', 'name')), tie('value')),
    ),
  }))
  /** For an object, one that has its fields, whatever is in them. */
  const aimedAt = (schema: TSchema): fc.Arbitrary<unknown> => {
    const fields = Object.keys('properties' in schema ? (schema.properties as object) : {})
    return fc.record(Object.fromEntries(fields.map((name) => [name, anything])), { requiredKeys: [] })
  }
  const attempts = fc
    .constantFrom(...schemas)
    .chain((schema) => fc.tuple(fc.constant(schema), fc.oneof(anything, aimedAt(schema))))
  const nearlyEverything = fc.tuple(everything, fc.constantFrom(...Object.keys(Everything.properties)), anything)

  const endsWell = (schema: TSchema, input: unknown) => {
    let value: unknown
    try {
      value = decode(schema, input, DEFAULT_LIMITS)
    } catch (error) {
      assert.ok(error instanceof DecodeError, `threw ${error}`)
      assert.ok(error.message.length > 0)
      return
    }
    assert.deepEqual(decode(schema, value, DEFAULT_LIMITS), value, 'a decoded value decodes to itself')
  }

  it('ends in a value or a DecodeError', () => {
    fc.assert(
      fc.property(attempts, ([schema, input]) => endsWell(schema, input)),
      { numRuns: 2000 },
    )
  })

  it('ends so as well when a single field is wrong', () => {
    fc.assert(
      fc.property(nearlyEverything, ([value, name, field]) => endsWell(Everything, { ...value, [name]: field })),
    )
  })
})

describe('an object with open fields', () => {
  const schema = OpenFields({ id: Id, name: Maybe(Text()) })

  it('keeps what it does not name, and decodes what it does', () => {
    assert.deepEqual(read(schema, '{"id":"7","name":null,"more":{"deep":[1]}}'), { id: 7, more: { deep: [1] } })
    assert.throws(() => read(schema, '{"id":0,"more":1}'), DecodeError)
    assert.throws(() => read(schema, '{"id":1,"more":"\\u0000"}'), DecodeError)
  })

  it('takes a key that names a prototype for a key', () => {
    const decoded = read(schema, '{"id":1,"__proto__":{"admin":true}}') as Record<string, unknown>
    assert.equal(decoded.admin, undefined)
    assert.equal(stringifyJson(decoded), '{"__proto__":{"admin":true},"id":1}')
  })
})
