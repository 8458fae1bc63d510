/**
 * Turns input from the wire into the values a schema describes, under the type rules of spec 01, section 2.2.
 *
 * Each schema is compiled once into nested closures. Unknown fields are dropped, `null` for a field that is not
 * nullable counts as left out, integers also come as decimal text, and bounds that name a limit use its value at the
 * time of the call. Every input ends in a value or in a {@link DecodeError}; nothing else is ever thrown.
 */
import type { TSchema } from 'typebox'
import type { Limits } from './limits.ts'
import { type Bound, HINTS, type Hints, hintsOf, type Static } from './schema.ts'

/** Input that a schema refuses; the message names the offending field. */
export class DecodeError extends Error {
  /** Path of the field, for example `embeds[0].title`; empty for the whole input. */
  readonly field: string

  constructor(field: string, problem: string) {
    super(field ? `${field}: ${problem}` : problem)
    this.name = 'DecodeError'
    this.field = field
  }
}

type Decoder = (value: unknown, limits: Limits, path: string) => unknown

interface JsonSchema {
  type?: string
  enum?: readonly string[]
  format?: string
  nullable?: boolean
  minimum?: number
  maximum?: number
  properties?: Record<string, TSchema>
  additionalProperties?: TSchema | boolean
  required?: readonly string[]
  items?: TSchema
  [HINTS]?: unknown
}

const compiled = new WeakMap<TSchema, Decoder>()

/**
 * Decodes `value`.
 *
 * @throws DecodeError if the schema refuses it.
 */
export function decode<T extends TSchema>(schema: T, value: unknown, limits: Limits): Static<T> {
  return decoderOf(schema)(value, limits, '') as Static<T>
}

function decoderOf(schema: TSchema): Decoder {
  let decoder = compiled.get(schema)
  if (!decoder) {
    decoder = compile(schema)
    compiled.set(schema, decoder)
  }
  return decoder
}

function compile(schema: TSchema): Decoder {
  const { nullable } = schema as JsonSchema
  const { before, check } = hintsOf(schema)
  const plain = compileType(schema)
  return (raw, limits, path) => {
    const value = before ? before(raw) : raw
    if (value === null && nullable) return null
    const decoded = plain(value, limits, path)
    const problem = check?.(decoded as never)
    if (problem) throw new DecodeError(path, problem)
    return decoded
  }
}

function compileType(schema: TSchema): Decoder {
  const json = schema as JsonSchema
  if (json.enum) return decodeEnum(json.enum)
  switch (json.type) {
    case 'string':
      return json.format === 'binary' ? decodeFile : decodeText(hintsOf(schema))
    case 'integer':
      return json.format === 'int64' ? decodeInt64(BigInt(json.minimum ?? 0)) : decodeInteger(json, hintsOf(schema))
    case 'boolean':
      return decodeFlag
    case 'array':
      return decodeList(json, hintsOf(schema))
    case 'object':
      return decodeObject(json)
    default:
      throw new TypeError(`no decoder for schema type ${json.type}`)
  }
}

const bound = (limit: Bound, limits: Limits): number => (typeof limit === 'number' ? limit : limits[limit])

function decodeText({ min, max }: { min?: Bound; max?: Bound }): Decoder {
  return (value, limits, path) => {
    if (typeof value !== 'string') throw new DecodeError(path, 'must be a string')
    checkText(value, path)
    if (max !== undefined && longerThan(value, bound(max, limits)))
      throw new DecodeError(path, `must have at most ${bound(max, limits)} characters`)
    if (min !== undefined && codePoints(value) < bound(min, limits))
      throw new DecodeError(path, `must have at least ${bound(min, limits)} characters`)
    return value
  }
}

/** Files do not come from JSON: whoever took the form apart has put them in their place. */
const decodeFile: Decoder = (value, _limits, path) => {
  if (typeof value !== 'object') throw new DecodeError(path, 'must be a file')
  return value
}

function checkText(value: string, path: string): void {
  if (!value.isWellFormed() || value.includes('\0'))
    throw new DecodeError(path, 'must not contain U+0000 or lone surrogates')
}

/** Number of Unicode code points, the unit of every length in the protocol. */
export function codePoints(text: string): number {
  let count = text.length
  for (let i = 0; i < text.length; i++) if ((text.charCodeAt(i) & 0xfc00) === 0xd800) count--
  return count
}

function longerThan(text: string, limit: number): boolean {
  return text.length > limit && codePoints(text) > limit
}

function decodeInteger({ minimum = Number.MIN_SAFE_INTEGER, maximum }: JsonSchema, { max }: Hints): Decoder {
  const most = max ?? maximum ?? Number.MAX_SAFE_INTEGER
  return (value, limits, path) => {
    const integer = typeof value === 'string' ? integerText(value) : value
    if (typeof integer !== 'number' && typeof integer !== 'bigint') throw new DecodeError(path, 'must be an integer')
    if (typeof integer === 'number' && !Number.isInteger(integer)) throw new DecodeError(path, 'must be an integer')
    if (integer < minimum || integer > bound(most, limits))
      throw new DecodeError(path, `must lie between ${minimum} and ${bound(most, limits)}`)
    return Number(integer) + 0 // + 0 turns −0 into 0
  }
}

const INT64_MAX = 2n ** 63n - 1n

function decodeInt64(minimum: bigint): Decoder {
  return (value, _limits, path) => {
    const integer = typeof value === 'string' ? integerText(value) : value
    const exact = typeof integer === 'bigint' || Number.isSafeInteger(integer)
    if (!exact) throw new DecodeError(path, 'must be an integer of at most 64 bits')
    const long = BigInt(integer as number | bigint)
    if (long < minimum || long > INT64_MAX) throw new DecodeError(path, `must lie between ${minimum} and ${INT64_MAX}`)
    return long
  }
}

function integerText(text: string): bigint | undefined {
  return text.length <= 20 && /^-?\d+$/.test(text) ? BigInt(text) : undefined
}

const FLAG_WORDS = new Map([
  ['true', true],
  ['1', true],
  ['false', false],
  ['0', false],
])

const decodeFlag: Decoder = (value, _limits, path) => {
  if (typeof value === 'boolean') return value
  const flag = typeof value === 'object' ? undefined : FLAG_WORDS.get(String(value).toLowerCase())
  if (flag === undefined) throw new DecodeError(path, 'must be true or false')
  return flag
}

function decodeEnum(words: readonly string[]): Decoder {
  return (value, _limits, path) => {
    if (typeof value !== 'string' || !words.includes(value))
      throw new DecodeError(path, `must be one of ${words.join(', ')}`)
    return value
  }
}

function decodeList({ items }: JsonSchema, { min, max }: { min?: Bound; max?: Bound }): Decoder {
  if (!items) throw new TypeError('a list schema needs items')
  const element = decoderOf(items)
  return (value, limits, path) => {
    if (!Array.isArray(value)) throw new DecodeError(path, 'must be an array')
    if (max !== undefined && value.length > bound(max, limits))
      throw new DecodeError(path, `must have at most ${bound(max, limits)} elements`)
    if (min !== undefined && value.length < bound(min, limits))
      throw new DecodeError(path, `must have at least ${bound(min, limits)} elements`)
    return value.map((item, index) => element(item, limits, `${path}[${index}]`))
  }
}

function decodeObject(json: JsonSchema): Decoder {
  if (json.properties) return decodeFields(json)
  return typeof json.additionalProperties === 'object' ? decodeDictionary(json.additionalProperties) : decodeJsonObject
}

function decodeFields({ properties = {}, required = [], additionalProperties }: JsonSchema): Decoder {
  const fields = Object.entries(properties).map(([name, schema]) => ({
    name,
    decoder: decoderOf(schema),
    nullable: (schema as JsonSchema).nullable === true,
    required: required.includes(name),
  }))
  return (value, limits, path) => {
    const input = plainObject(value, path)
    const result: Record<string, unknown> = {}
    for (const field of fields) {
      const given = Object.hasOwn(input, field.name) ? input[field.name] : undefined
      if (given === undefined || (given === null && !field.nullable)) {
        if (field.required) throw new DecodeError(join(path, field.name), 'is required')
      } else result[field.name] = field.decoder(given, limits, join(path, field.name))
    }
    return additionalProperties === true ? { ...undeclared(input, properties, path), ...result } : result
  }
}

/** The fields that a schema does not name, as they came. */
function undeclared(input: Record<string, unknown>, declared: Record<string, TSchema>, path: string): object {
  const others = Object.fromEntries(Object.entries(input).filter(([name]) => !Object.hasOwn(declared, name)))
  checkTexts(others, path)
  return others
}

function decodeDictionary(values: TSchema): Decoder {
  const decoder = decoderOf(values)
  return (value, limits, path) => {
    const entries = Object.entries(plainObject(value, path)).map(([name, item]) => {
      checkText(name, path)
      return [name, decoder(item, limits, join(path, name))]
    })
    return Object.fromEntries(entries)
  }
}

const decodeJsonObject: Decoder = (value, _limits, path) => {
  const object = plainObject(value, path)
  checkTexts(object, path)
  return object
}

function checkTexts(value: unknown, path: string): void {
  if (typeof value === 'string') checkText(value, path)
  else if (Array.isArray(value)) for (const item of value) checkTexts(item, path)
  else if (typeof value === 'object' && value !== null) {
    for (const [key, item] of Object.entries(value)) {
      checkText(key, path)
      checkTexts(item, join(path, key))
    }
  }
}

function plainObject(value: unknown, path: string): Record<string, unknown> {
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    throw new DecodeError(path, path ? 'must be an object' : 'a JSON object is required')
  return value as Record<string, unknown>
}

const join = (path: string, name: string): string => (path ? `${path}.${name}` : name)
