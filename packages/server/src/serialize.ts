import type { Static, TSchema } from '@vox/protocol'
import fastJson from 'fast-json-stringify'

// Objects of any shape (`JsonObject`) are written by plain JSON.stringify, which by itself refuses bigint.
Object.defineProperty(BigInt.prototype, 'toJSON', {
  value(this: bigint) {
    return JSON.rawJSON(this.toString())
  },
})

const compiled = new WeakMap<TSchema, (value: never) => string>()

/**
 * The function that writes values of a schema as JSON text: declared fields only, `bigint` with all digits. Compiled on
 * first use, because compiling every schema at start would cost a good part of the start-up time.
 */
export function serializerOf<T extends TSchema>(schema: T): (value: Static<T>) => string {
  let serialize = compiled.get(schema)
  if (!serialize) {
    serialize = fastJson(schema as object) as (value: never) => string
    compiled.set(schema, serialize)
  }
  return serialize as (value: Static<T>) => string
}
