import { hintsOf, type TSchema } from '@vox/protocol'

/** The JSON Schema keywords that declarations of events use. */
interface JsonSchema {
  type?: string
  enum?: readonly string[]
  format?: string
  nullable?: boolean
  minimum?: number
  maximum?: number
  minLength?: number
  maxLength?: number
  properties?: Record<string, TSchema>
  additionalProperties?: TSchema | boolean
  required?: readonly string[]
  items?: TSchema
}

/** `code`: as the server's code hands it out, 64-bit integers being `bigint`; `wire`: as a client has parsed it. */
export type Form = 'code' | 'wire'

const INT64_MAX = 2n ** 63n - 1n

/**
 * What is wrong with a payload, if anything. Unlike the decoder of input it forgives nothing: no key that is not
 * declared, no null where none is declared, no number out of its range, no integer as text.
 */
export function problemOf(schema: TSchema, value: unknown, form: Form, path = 'd'): string | undefined {
  const json = schema as JsonSchema
  if (value === null) return json.nullable ? undefined : `${path} is null`
  return problemOfType(json, value, form, path) ?? problemOfRule(schema, value, path)
}

function problemOfRule(schema: TSchema, value: unknown, path: string): string | undefined {
  const { check, min } = hintsOf(schema)
  if (Array.isArray(value) && typeof min === 'number' && value.length < min) return `${path} has too few elements`
  const problem = check?.(value as never)
  return problem && `${path}: ${problem}`
}

function problemOfType(json: JsonSchema, value: unknown, form: Form, path: string): string | undefined {
  switch (json.type) {
    case 'string':
      return problemOfText(json, value, path)
    case 'integer':
      return json.format === 'int64' ? problemOfInt64(json, value, form, path) : problemOfInteger(json, value, path)
    case 'boolean':
      return typeof value === 'boolean' ? undefined : `${path} is no boolean`
    case 'array':
      return problemOfList(json, value, form, path)
    case 'object':
      return problemOfObject(json, value, form, path)
    default:
      return `${path} is declared as ${json.type}, which nobody checks`
  }
}

function problemOfText({ enum: words, minLength = 0, maxLength = Infinity }: JsonSchema, value: unknown, path: string) {
  if (typeof value !== 'string') return `${path} is no string`
  if (!value.isWellFormed()) return `${path} has a lone surrogate`
  if (words && !words.includes(value)) return `${path} is ${value}, none of ${words.join(', ')}`
  return value.length < minLength || value.length > maxLength ? `${path} is too short or too long` : undefined
}

function problemOfInteger({ minimum = -Infinity, maximum = Infinity }: JsonSchema, value: unknown, path: string) {
  if (!Number.isSafeInteger(value)) return `${path} is ${String(value)}, no integer that a double holds exactly`
  return (value as number) < minimum || (value as number) > maximum ? `${path} is ${value}, out of range` : undefined
}

function problemOfInt64({ minimum = 0 }: JsonSchema, value: unknown, form: Form, path: string) {
  const isLong = typeof value === 'bigint' || (form === 'wire' && Number.isSafeInteger(value))
  if (!isLong) return `${path} is ${typeof value}, no 64-bit integer`
  const long = BigInt(value as bigint | number)
  return long < BigInt(minimum) || long > INT64_MAX ? `${path} is ${long}, out of range` : undefined
}

function problemOfList({ items }: JsonSchema, value: unknown, form: Form, path: string) {
  if (!Array.isArray(value)) return `${path} is no list`
  return items && firstProblem(value.map((item, i) => () => problemOf(items, item, form, `${path}[${i}]`)))
}

function problemOfObject(json: JsonSchema, value: unknown, form: Form, path: string) {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return `${path} is no object`
  const { properties = {}, required = [], additionalProperties = false } = json
  const given = Object.entries(value).filter(([, field]) => field !== undefined)
  const names = new Set(given.map(([name]) => name))
  const missing = required.find((name) => !names.has(name))
  if (missing) return `${path}.${missing} is missing`
  return firstProblem(
    given.map(([name, field]) => () => {
      // A key such as `__proto__` is found in every object, whoever declared it.
      const schema = Object.hasOwn(properties, name) ? (properties[name] ?? false) : additionalProperties
      if (typeof schema === 'boolean') return schema ? undefined : `${path}.${name} is not declared`
      return problemOf(schema, field, form, `${path}.${name}`)
    }),
  )
}

function firstProblem(checks: (() => string | undefined)[]): string | undefined {
  for (const check of checks) {
    const problem = check()
    if (problem) return problem
  }
  return undefined
}
