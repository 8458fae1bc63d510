import type { TObject, TSchema } from 'typebox'
import { type Endpoint, type EndpointError, errorStatus, type RequiredPermission } from './endpoint.ts'
import { ERRORS, type ErrorCode } from './errors.ts'
import { RATE_LIMITS, rateCategory } from './rate-limits.ts'
import { FilePart } from './schema.ts'

/** Errors any endpoint can answer, so that none declares them. */
const COMMON: readonly ErrorCode[] = ['VALIDATION_ERROR', 'PAYLOAD_TOO_LARGE', 'INTERNAL_ERROR']
const WITH_TOKEN: readonly ErrorCode[] = ['AUTH_FAILED', 'AUTH_EXPIRED', 'BANNED']

const ERROR_REFERENCE = { $ref: '#/components/schemas/Error' }

/** What the document says of the server it describes. */
export interface OpenApiInfo {
  title: string
  version: string
}

/**
 * The OpenAPI 3.0 document of a set of endpoints, keyed by section and name. Schemas go in as they are: what the server
 * validates and serialises by is what the reference shows.
 */
export function openApiDocument(
  sections: Readonly<Record<string, Readonly<Record<string, Endpoint>>>>,
  info: OpenApiInfo,
): Record<string, unknown> {
  const paths: Record<string, Record<string, unknown>> = {}
  for (const [section, endpoints] of Object.entries(sections))
    for (const [name, endpoint] of Object.entries(endpoints)) {
      const path = `/api/v1${endpoint.path.replaceAll(/:(\w+)/g, '{$1}')}`
      paths[path] = { ...paths[path], [endpoint.method.toLowerCase()]: operation(section, name, endpoint) }
    }
  return {
    openapi: '3.0.3',
    info: { ...info, license: { name: 'Apache-2.0' }, description: INTRODUCTION },
    tags: Object.keys(sections).map((name) => ({ name })),
    paths,
    components: {
      securitySchemes: { session: { type: 'http', scheme: 'bearer', description: 'A session or bot token.' } },
      schemas: { Error: ERROR_SCHEMA },
      examples: ERROR_EXAMPLES,
    },
  }
}

const INTRODUCTION = `To call it from here, get a token from \`/auth/register\` or \`/auth/login\` and hand it to "Authorize".

Ids of messages and permission sets are JSON numbers beyond 2^53: read and write them with a parser
that keeps all digits. Lengths count Unicode code points; an \`x-max-limit\` names the server limit that bounds a field.
Every error has the same form, and every rate-limited answer carries \`X-RateLimit-*\` headers.`

const ERROR_SCHEMA = {
  type: 'object',
  required: ['error'],
  properties: {
    error: {
      type: 'object',
      required: ['code', 'message'],
      properties: {
        code: { type: 'string', enum: Object.keys(ERRORS) },
        message: { type: 'string', description: 'For people; never to be parsed.' },
        retry_after_ms: { type: 'integer', minimum: 1, description: 'On every 429.' },
        missing_permission: { type: 'string', description: 'With MISSING_PERMISSIONS.' },
      },
    },
  },
}

const ERROR_EXAMPLES = Object.fromEntries(
  Object.entries(ERRORS).map(([code, { message }]) => [code, { value: { error: { code, message } } }]),
)

const exampleReferences = (codes: readonly ErrorCode[]) =>
  Object.fromEntries(codes.map((code) => [code, { $ref: `#/components/examples/${code}` }]))

function operation(section: string, name: string, endpoint: Endpoint): Record<string, unknown> {
  return {
    operationId: name,
    tags: [section],
    summary: endpoint.summary,
    description: description(endpoint),
    ...(endpoint.auth !== 'none' && { security: [{ session: [] }] }),
    parameters: [...parameters('path', endpoint.params), ...parameters('query', endpoint.query)],
    ...(endpoint.body && {
      requestBody: {
        required: !endpoint.emptyBody,
        content: { [endpoint.filePart ? 'multipart/form-data' : 'application/json']: { schema: endpoint.body } },
      },
    }),
    responses: { ...success(endpoint), ...failures(endpoint) },
  }
}

const categoryOf = ({ method, path }: Pick<Endpoint, 'method' | 'path'>) => rateCategory(method, `/api/v1${path}`)

function description({ method, path, requires, forParticipants, forWebhook, refusesGuests }: Endpoint): string {
  const category = categoryOf({ method, path })
  const { burst, refill } = RATE_LIMITS[category]
  const circle = forParticipants ? 'For participants only. ' : ''
  const guests = refusesGuests ? 'Not for guests. ' : ''
  const whose = forWebhook ? ', of the webhook' : ''
  const rate = `${circle}${guests}Rate category \`${category}\`${whose}: ${burst} at once, ${refill} more per second.`
  if (!requires) return rate
  const where = requires.in ? ` in the ${requires.in}` : ''
  const either = requires.or ? ` or \`${requires.or}\`` : ''
  return `Needs the permission \`${requires.permission}\`${either}${where}${forSelf(requires)}. ${rate}`
}

function forSelf({ unlessSelf, unlessOwner, ofSelf }: RequiredPermission): string {
  if (ofSelf) return `, or \`${ofSelf}\` when the user is yourself`
  const exempt = [unlessSelf && 'the user is yourself', unlessOwner && 'you own the bot'].filter(Boolean)
  return exempt.length > 0 ? ` unless ${exempt.join(' or ')}` : ''
}

function parameters(place: 'path' | 'query', schema: TObject) {
  const required: readonly string[] | undefined = schema.required
  return Object.entries(schema.properties).map(([name, property]) => ({
    name,
    in: place,
    required: place === 'path' || required?.includes(name) === true,
    schema: property,
  }))
}

function success({ status, reply, download }: Endpoint): Record<number, unknown> {
  if (!reply) return { [status]: { description: 'Done; no content.' } }
  const json = { 'application/json': { schema: reply as TSchema } }
  if (!download) return { [status]: { description: 'Done.', content: json } }
  const bytes = { '*/*': { schema: FilePart as TSchema } }
  return {
    [status]: { description: 'The bytes; JSON to those who accept nothing else.', content: { ...bytes, ...json } },
    206: { description: 'The range that was asked for.', content: bytes },
    304: { description: 'What `If-None-Match` names is still right.' },
  }
}

/** Every error an endpoint can answer: its own, and those that come with being an endpoint (spec 01, section 5). */
export function possibleErrors(endpoint: Endpoint): readonly EndpointError[] {
  const tooFast: ErrorCode = categoryOf(endpoint) === 'auth' ? 'AUTH_RATE_LIMITED' : 'RATE_LIMITED'
  return [...endpoint.errors, ...COMMON, tooFast, ...(endpoint.auth === 'none' ? [] : WITH_TOKEN)]
}

function failures(endpoint: Endpoint): Record<number, unknown> {
  const codes = new Map<number, ErrorCode[]>()
  for (const error of possibleErrors(endpoint)) {
    const { code, status } = errorStatus(error)
    const listed = codes.get(status) ?? []
    if (!listed.includes(code)) codes.set(status, [...listed, code])
  }
  return Object.fromEntries(
    [...codes].map(([status, names]) => [
      status,
      {
        description: names.map((code) => `\`${code}\`: ${ERRORS[code].message}`).join(' '),
        content: { 'application/json': { schema: ERROR_REFERENCE, examples: exampleReferences(names) } },
      },
    ]),
  )
}
