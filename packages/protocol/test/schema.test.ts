import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import {
  accepting,
  Dictionary,
  Fields,
  Flag,
  hintsOf,
  Id,
  Int64,
  Integer,
  List,
  Maybe,
  Nullable,
  OneOf,
  refine,
  Snowflake,
  Text,
  UserSegment,
} from '../src/index.ts'

/** A schema as the documentation and the serialiser see it. */
const documented = (schema: unknown) => JSON.parse(JSON.stringify(schema))

describe('schemas', () => {
  it('read as JSON Schema', () => {
    assert.deepEqual(documented(Text({ min: 1, max: 8, description: 'a name' })), {
      type: 'string',
      minLength: 1,
      maxLength: 8,
      description: 'a name',
    })
    assert.deepEqual(documented(Id), { type: 'integer', minimum: 1, maximum: 4294967295 })
    assert.deepEqual(documented(Integer(0, 'ban_delete_days_max')), {
      type: 'integer',
      minimum: 0,
      'x-max-limit': 'ban_delete_days_max',
    })
    assert.deepEqual(documented(Dictionary(Flag)), { type: 'object', additionalProperties: { type: 'boolean' } })
    assert.deepEqual(documented(Int64), { type: 'integer', format: 'int64', minimum: 0 })
    assert.deepEqual(documented(Snowflake), { type: 'integer', format: 'int64', minimum: 1 })
    assert.deepEqual(documented(Nullable(Flag)), { type: 'boolean', nullable: true })
    assert.deepEqual(documented(OneOf('text', 'forum')), { type: 'string', enum: ['text', 'forum'] })
    assert.deepEqual(documented(List(Id)), {
      type: 'array',
      items: { type: 'integer', minimum: 1, maximum: 4294967295 },
    })
  })

  it('name a configurable bound instead of its value', () => {
    assert.deepEqual(documented(Text({ min: 'username_min', max: 'username_max' })), {
      type: 'string',
      'x-min-limit': 'username_min',
      'x-max-limit': 'username_max',
    })
  })

  it('require the fields that are not Maybe', () => {
    const schema = Fields({ id: Id, name: Maybe(Text()), topic: Nullable(Text()), color: Maybe(Nullable(Id)) })
    assert.deepEqual(documented(schema).required, ['id', 'topic'])
  })

  it('keep Maybe when a rule is added around it', () => {
    const schema = Fields({
      refined: refine(Maybe(Text()), () => undefined),
      lenient: accepting(Maybe(Text()), (raw) => raw),
      inside: Maybe(refine(Text(), () => undefined)),
      id: Id,
    })
    assert.deepEqual(documented(schema).required, ['id'])
  })

  it('keep their decoding rules inside Maybe, Nullable and Fields', () => {
    const name = refine(Text({ max: 3 }), () => 'no')
    const { a, b } = Fields({ a: Maybe(name), b: Nullable(name) }).properties
    for (const wrapped of [a, b]) assert.deepEqual(hintsOf(wrapped), hintsOf(name))
  })

  it('leave the schema alone that they are made from', () => {
    const base = Text({ max: 3 })
    refine(base, () => 'no')
    accepting(base, String)
    Nullable(base)
    Maybe(base)
    assert.deepEqual(hintsOf(base), { max: 3 })
    assert.deepEqual(documented(base), { type: 'string', maxLength: 3 })
  })

  it('say which error a bad user segment is', () => {
    assert.equal(hintsOf(UserSegment()).user, 'INVALID_USER_ID')
    assert.equal(hintsOf(UserSegment('VALIDATION_ERROR')).user, 'VALIDATION_ERROR')
  })
})
