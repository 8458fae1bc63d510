/**
 * Building blocks of the contract. A schema made here is four things at once: the TypeScript type (`Static`), the
 * decoder of input (decode.ts), the serialiser of output (fast-json-stringify reads it as JSON Schema) and the
 * documentation (OpenAPI 3.0, hence `nullable`).
 */
import Type, { type Static, type TArray, type TObject, type TProperties, type TSchema, type TUnsafe } from 'typebox'
import type { LimitName } from './limits.ts'

export { type Static, type TObject, type TProperties, type TSchema, Type }

/** A bound of a length: a fixed number, or the name of the limit whose value at the time of the request counts. */
export type Bound = number | LimitName

/** Marks what JSON Schema cannot say; read by decode.ts. */
export const HINTS = Symbol('vox.hints')

/** Decoding rules beside the JSON Schema keywords. */
export interface Hints {
  min?: Bound
  max?: Bound
  /** Brings other accepted forms of the input into the main form before it is checked. */
  before?: (raw: unknown) => unknown
  /** Says what is wrong with a decoded value, if anything. */
  check?: (value: never) => string | undefined
  /** A path segment that names a user: `@me` is accepted, and anything else answers `INVALID_USER_ID`. */
  user?: 'INVALID_USER_ID' | 'VALIDATION_ERROR'
}

type Hinted<T extends TSchema> = T & { [HINTS]?: Hints }

/** A copy of the schema with further rules. Copies properties one by one, because spreading would lose `Maybe`. */
function hint<T extends TSchema>(schema: T, hints: Hints): T {
  const copy: Hinted<T> = Object.defineProperties({} as T, Object.getOwnPropertyDescriptors(schema))
  copy[HINTS] = { ...copy[HINTS], ...hints }
  return copy
}

/** The decoding rules of a schema. */
export function hintsOf(schema: TSchema): Hints {
  return (schema as Hinted<TSchema>)[HINTS] ?? {}
}

/** Text; bounds count Unicode code points. */
export function Text(bounds: { min?: Bound; max?: Bound; description?: string } = {}): TUnsafe<string> {
  const { min, max, description } = bounds
  const schema = {
    type: 'string',
    ...(typeof min === 'number' && { minLength: min }),
    ...(typeof max === 'number' && { maxLength: max }),
    ...(description && { description }),
    ...(typeof max === 'string' && { 'x-max-limit': max }),
    ...(typeof min === 'string' && { 'x-min-limit': min }),
  }
  return hint(Type.Unsafe<string>(schema), { ...(min !== undefined && { min }), ...(max !== undefined && { max }) })
}

/** An integer that a double holds exactly; the largest one may be a limit's value. */
export function Integer(minimum = Number.MIN_SAFE_INTEGER, maximum: Bound = Number.MAX_SAFE_INTEGER): TUnsafe<number> {
  if (typeof maximum === 'number') return Type.Unsafe<number>({ type: 'integer', minimum, maximum })
  return hint(Type.Unsafe<number>({ type: 'integer', minimum, 'x-max-limit': maximum }), { max: maximum })
}

/** An entity id: 1 … 2^32 − 1. */
export const Id = Integer(1, 2 ** 32 - 1)

/** A 64-bit integer, always `bigint` in code: 0 … 2^63 − 1. Wire form is a plain number with all its digits. */
export const Int64 = Type.Unsafe<bigint>({ type: 'integer', format: 'int64', minimum: 0 })

/** A snowflake (message, audit entry, event-log entry): a positive {@link Int64}. */
export const Snowflake = Type.Unsafe<bigint>({ type: 'integer', format: 'int64', minimum: 1 })

/** Unix time in milliseconds. */
export const Milliseconds = Type.Unsafe<number>({ type: 'integer', description: 'Unix milliseconds' })

/** Unix time in seconds. */
export const Seconds = Type.Unsafe<number>({ type: 'integer', description: 'Unix seconds' })

/** `true` or `false`; on input also 0, 1 and these as text. */
export const Flag = Type.Unsafe<boolean>({ type: 'boolean' })

/** A {@link Flag} in a query, where it may also be yes, no, on or off. */
export const QueryFlag = accepting(Flag, (raw) => (typeof raw === 'string' ? queryWord(raw.toLowerCase()) : raw))

function queryWord(word: string): string {
  if (word === 'yes' || word === 'on') return 'true'
  if (word === 'no' || word === 'off') return 'false'
  return word
}

/** Any JSON object; kept as it came. */
export const JsonObject = Type.Unsafe<Record<string, unknown>>({ type: 'object', additionalProperties: true })

/** An object whose keys are free and whose values are all of one kind. */
export function Dictionary<T extends TSchema>(values: T): TUnsafe<Record<string, Static<T>>> {
  return Type.Unsafe<Record<string, Static<T>>>({ type: 'object', additionalProperties: values })
}

/** What a form says of a file in it, in the words of the browser's `File`; name and type are empty if left out. */
export interface FormFile {
  readonly name: string
  readonly type: string
  readonly size: number
}

/** A file in a form: an endpoint whose body has one takes `multipart/form-data` instead of JSON. */
export const FilePart = Type.Unsafe<FormFile>({ type: 'string', format: 'binary' })

/** One of the given words. */
export function OneOf<const T extends string>(...values: T[]): TUnsafe<T> {
  return Type.Unsafe<T>({ type: 'string', enum: values })
}

/** The value or `null`. */
export function Nullable<T extends TSchema>(schema: T): TUnsafe<Static<T> | null> {
  return { ...schema, nullable: true } as unknown as TUnsafe<Static<T> | null>
}

/** A list; bounds count elements. */
export function List<T extends TSchema>(items: T, bounds: { min?: Bound; max?: Bound } = {}): TArray<T> {
  return hint(Type.Array(items), bounds)
}

/** A field that may be left out. */
export const Maybe = Type.Optional

/** An object with these fields; unknown fields are dropped. */
export function Fields<T extends TProperties>(properties: T): TObject<T> {
  return Type.Object(properties)
}

/** An object with these fields; unknown fields are kept as they came. */
export function OpenFields<T extends TProperties>(properties: T): TObject<T> {
  return Type.Object(properties, { additionalProperties: true })
}

/** The same schema with a rule of its own; `check` returns what is wrong, if anything. */
export function refine<T extends TSchema>(schema: T, check: (value: Static<T>) => string | undefined): T {
  return hint(schema, { check: check as Hints['check'] & {} })
}

/** The same schema that also accepts other input forms, which `before` brings into the main form. */
export function accepting<T extends TSchema>(schema: T, before: (raw: unknown) => unknown): T {
  return hint(schema, { before })
}

/**
 * A path segment that names a user, `@me` included (spec 01, section 6.4). The default answers `INVALID_USER_ID`
 * to anything that is no integer; second segments and some paths answer `VALIDATION_ERROR`.
 */
export function UserSegment(failure: NonNullable<Hints['user']> = 'INVALID_USER_ID'): TUnsafe<number> {
  return hint(Integer(0, 2 ** 32 - 1), { user: failure })
}
