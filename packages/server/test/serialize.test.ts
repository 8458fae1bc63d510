import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { Dictionary, Fields, Int64, Integer, JsonObject, Maybe, Nullable, Text } from '@vox/protocol'
import { serializerOf } from '../src/serialize.ts'

describe('a serialiser', () => {
  it('writes what the schema declares, and leaves out what is not there', () => {
    const write = serializerOf(Fields({ name: Text(), topic: Nullable(Text()), icon: Maybe(Text()) }))
    assert.equal(write(Object.assign({ name: 'a', topic: null }, { secret: 1 })), '{"name":"a","topic":null}')
    assert.equal(serializerOf(Dictionary(Integer()))({ a: 1 }), '{"a":1}')
  })

  it('keeps every digit of 64-bit integers, also where the shape is free', () => {
    const write = serializerOf(Fields({ permissions: Int64, metadata: JsonObject }))
    assert.equal(
      write({ permissions: 2n ** 63n - 1n, metadata: { ids: [2n ** 53n + 1n] } }),
      '{"permissions":9223372036854775807,"metadata":{"ids":[9007199254740993]}}',
    )
  })
})
