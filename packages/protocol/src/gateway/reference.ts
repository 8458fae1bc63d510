/** The list of events as a page for client authors; `npm run generate` writes it. */
import type { TSchema } from '../schema.ts'
import type { GatewayEvent } from './event.ts'
import { GATEWAY_EVENTS } from './events.ts'

interface JsonSchema {
  type: string
  format?: string
  enum?: readonly string[]
  nullable?: boolean
  description?: string
  minimum?: number
  maximum?: number
  items?: TSchema
  properties?: Record<string, TSchema>
  required?: readonly string[]
  additionalProperties?: boolean
}

const INTRODUCTION = `# Events of the gateway

Written by \`npm run generate\` from the declarations in \`packages/protocol/src/gateway/events\`, against which the tests
compare every event that the server sends. [The gateway](gateway.md) says how they come and who receives them.

\`name?\` is left out when there is no value, never null; \`T|null\` is always there and may be null. \`u32\` is an id,
\`i64\` an integer that may exceed 2^53 (a plain JSON number with all its digits), \`ms\` and \`s\` are Unix times.
"Kept for" names the categories under which \`POST /api/v1/sync\` finds the event after an absence.
`

/** The page: every event with its payload. */
export function eventReference(): string {
  return `${INTRODUCTION}\n${GATEWAY_EVENTS.map(section).join('\n')}`
}

function section({ type, data, sync }: GatewayEvent): string {
  const kept = sync.length > 0 ? `\nKept for ${sync.map((category) => `\`${category}\``).join(', ')}.\n` : ''
  return `## ${type}\n\n${fieldsOf(data)
    .map(([name, text]) => `- \`${name}: ${text}\`\n`)
    .join('')}${kept}`
}

function fieldsOf(schema: TSchema): [name: string, type: string][] {
  const { properties = {}, required = [] } = schema as unknown as JsonSchema
  return Object.entries(properties).map(([name, field]) => [required.includes(name) ? name : `${name}?`, typeOf(field)])
}

function typeOf(schema: TSchema): string {
  const json = schema as unknown as JsonSchema
  return plainTypeOf(json, schema) + (json.nullable ? '|null' : '')
}

function plainTypeOf(json: JsonSchema, schema: TSchema): string {
  switch (json.type) {
    case 'string':
      return json.enum?.map((word) => `"${word}"`).join('|') ?? 'string'
    case 'integer':
      return integerType(json)
    case 'array':
      return json.items ? `${typeOf(json.items)}[]` : 'array'
    case 'object':
      return json.properties
        ? `{${fieldsOf(schema)
            .map(([name, type]) => `${name}: ${type}`)
            .join(', ')}}`
        : 'object'
    default:
      return json.type
  }
}

function integerType({ format, description, maximum }: JsonSchema): string {
  if (format === 'int64') return 'i64'
  if (description === 'Unix milliseconds') return 'ms'
  if (description === 'Unix seconds') return 's'
  return maximum === 2 ** 32 - 1 ? 'u32' : 'integer'
}
