import type { IncomingMessage } from 'node:http'
import {
  ApiError,
  decode,
  type Endpoint,
  type FormFile,
  hintsOf,
  holds,
  type Limits,
  lowestMissing,
  Permission,
  type ReplyOf,
  type RequiredPermission,
  type Static,
} from '@vox/protocol'
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import type { Community } from '../community/community.ts'
import { serializerOf } from '../serialize.ts'
import type { Spool } from '../storage/spool.ts'
import { type Caller, type Credentials, identify, type SessionSource } from './authenticate.ts'
import { jsonBody, readBody, refuseDeclared, tooLarge } from './body.ts'
import { chargeFor, limitRate } from './charge.ts'
import { acceptsOnlyJson, Download, sendDownload } from './download.ts'
import { fileTooLarge, formLimit, readForm, type UploadedFile } from './form.ts'
import type { RateLimiter } from './rate-limiter.ts'

declare module 'fastify' {
  interface FastifyContextConfig {
    endpoint?: Endpoint
  }
  interface FastifyRequest {
    /** The client's address, found once per request (spec 01, section 8.7). */
    address: string | undefined
    /** Whom the `Authorization` header names, if anybody. */
    credentials: Credentials | undefined
  }
}

/** What a handler gets: everything decoded, the caller proven, the declared permission checked. */
export interface Call<E extends Endpoint> {
  params: Static<E['params']>
  query: Static<E['query']>
  body: E['body'] extends undefined ? undefined : Received<Static<NonNullable<E['body']>>>
  /** Null on endpoints without authentication. */
  caller: E['auth'] extends 'none' ? null : Caller
  /** The client's address; undefined when it cannot be known. */
  address: string | undefined
}

/** A body as the server has it: files with their bytes. */
type Received<B> = { [Field in keyof B]: B[Field] extends FormFile ? UploadedFile : B[Field] }

/** Answers a call with the plain reply or, on endpoints declared so, a download; refuses by throwing an ApiError. */
export type Handler<E extends Endpoint> = (call: Call<E>) => Promise<ReplyOf<E> | Download> | ReplyOf<E> | Download

/** Binds handlers to endpoints. */
export type Mount = <E extends Endpoint>(endpoint: E, handler: Handler<E>) => void

/** What the pipeline asks while a request passes through it. */
export interface PipelineContext {
  sessions: SessionSource
  community: Community
  /** Undefined when rate limiting is switched off. */
  rateLimiter: RateLimiter | undefined
  limits(): Limits
  /** Where uploads wait while they are received. */
  spool: Spool
  /** Whether a token is the webhook's. */
  isTokenOf(webhookId: number, token: string): Promise<boolean>
  /** The feed a thread belongs to. */
  feedOfThread(threadId: number): Promise<number | undefined>
  /** Whether a user takes part in a conversation. */
  takesPart(userId: number, dmId: number): Promise<boolean>
}

/**
 * Gives `mount` for an HTTP server. Every request takes the steps of spec 01, section 2.3: rate limit, declared size,
 * authentication, permission; then the body is read, after which authentication and permission are asked once more, and
 * everything is decoded; then the handler looks at the state.
 */
export function createMount(http: FastifyInstance, context: PipelineContext): Mount {
  http.removeAllContentTypeParsers()
  http.addContentTypeParser('*', (request: FastifyRequest, payload: IncomingMessage) => parseBody(request, payload))

  async function parseBody(request: FastifyRequest, payload: IncomingMessage): Promise<unknown> {
    if (request.routeOptions.config.endpoint?.filePart) return undefined
    const bytes = await readBody(payload, context.limits().max_request_body)
    return request.routeOptions.config.endpoint?.body ? jsonBody(bytes, request.headers['content-type']) : undefined
  }

  return (endpoint, handler) => {
    const { reply: schema } = endpoint
    http.route({
      method: endpoint.download ? [endpoint.method, 'HEAD'] : endpoint.method,
      url: `/api/v1${endpoint.path}`,
      config: { endpoint },
      onRequest: (request, reply) => admit(endpoint, request, reply, context),
      handler: async (request, reply) => {
        // Refusals too: the demand for a second factor carries a ticket.
        if (endpoint.noStore) reply.header('cache-control', 'no-store')
        await using form = await formOf(endpoint, request, context)
        if (endpoint.body && endpoint.auth !== 'none') await authorizeAgain(endpoint, request, context)
        const result = await handler(callOf(endpoint, request, form?.values ?? request.body, context.limits()))
        if (result instanceof Download && !acceptsOnlyJson(request)) return sendDownload(request, reply, result)
        const value = result instanceof Download ? await result.toJson() : result
        reply.code(endpoint.status)
        if (!schema) return reply.send()
        return reply.type('application/json; charset=utf-8').send(serializerOf(schema)(value))
      },
    })
  }
}

/** Steps 2 to 5: everything that is decided before the body is looked at. */
async function admit(endpoint: Endpoint, request: FastifyRequest, reply: FastifyReply, context: PipelineContext) {
  // The router lets `/feeds/` pass as `/feeds/:feed_id` with nothing in the place of the id.
  if (Object.values(request.params as Segments).includes('')) throw new ApiError('NOT_FOUND')
  request.credentials = await identify(request.headers.authorization, context.sessions)
  const isWebhook = endpoint.forWebhook && (await knowsToken(request.params as Segments, context))
  await limitRate(reply, chargeFor(request, endpoint, isWebhook), context.rateLimiter)
  await refuseDeclaredSize(endpoint, request, context.limits())
  if (endpoint.forWebhook && !isWebhook) throw new ApiError('WEBHOOK_TOKEN_INVALID')
  const caller = await authorize(endpoint, request, context)
  if (caller && endpoint.forParticipants) await demandPart(caller, request.params as Segments, context)
}

/**
 * A body takes as long as its sender likes: who is banned or loses a permission while it comes is refused after all.
 * Whether they take part in a conversation is asked again by what writes there.
 */
async function authorizeAgain(endpoint: Endpoint, request: FastifyRequest, context: PipelineContext): Promise<void> {
  request.credentials = await identify(request.headers.authorization, context.sessions)
  await authorize(endpoint, request, context)
}

/** Steps 4 and 5; nobody where nobody is asked for. */
async function authorize(
  endpoint: Endpoint,
  request: FastifyRequest,
  context: PipelineContext,
): Promise<Caller | undefined> {
  if (endpoint.auth === 'none') return undefined
  const caller = await authenticated(endpoint, request.credentials)
  resolveUserSegment(endpoint, request, caller)
  if (endpoint.refusesGuests && context.community.accounts.remote.has(caller.userId))
    throw new ApiError('FORBIDDEN', { message: 'Guests do this on their home server.' })
  if (endpoint.requires) await demand(endpoint.requires, caller, request.params as Segments, context)
  return caller
}

type Segments = Record<string, string | number>

/** Whether the path holds the token of the webhook that it names. */
async function knowsToken({ webhook_id, token }: Segments, { isTokenOf }: PipelineContext): Promise<boolean> {
  const webhookId = /^\d+$/.test(String(webhook_id)) ? Number(webhook_id) : 0
  return isId(webhookId) && isTokenOf(webhookId, String(token))
}

function refuseDeclaredSize({ filePart }: Endpoint, { raw }: FastifyRequest, limits: Limits): Promise<void> {
  const { max_request_body: maxBody, file_upload_max_bytes: maxFile } = limits
  if (filePart === undefined) return refuseDeclared(raw, maxBody, tooLarge)
  return refuseDeclared(raw, formLimit(maxFile), () => fileTooLarge(maxFile))
}

async function authenticated({ auth }: Endpoint, credentials: Credentials | undefined): Promise<Caller> {
  if (!credentials) throw new ApiError('VALIDATION_ERROR', { message: 'The Authorization header is required.' })
  if (credentials.failure) throw credentials.failure
  const { session } = credentials
  const admitted = session.standing === 'active' || (session.standing === 'former' && auth === 'session-or-former')
  if (!admitted) throw new ApiError('BANNED')
  return { userId: session.userId, sessionId: session.sessionId }
}

/** Replaces `@me`, and decides what any other text in the place of a user id answers (spec 01, section 6.4). */
function resolveUserSegment(endpoint: Endpoint, request: FastifyRequest, caller: Caller): void {
  const segments = request.params as Segments
  for (const [name, schema] of Object.entries(endpoint.params.properties)) {
    const { user } = hintsOf(schema)
    if (!user) continue
    if (segments[name] === '@me') segments[name] = caller.userId
    else if (user === 'INVALID_USER_ID') segments[name] = anyUserId(String(segments[name]))
  }
}

/** An integer that is no possible id becomes 0, the id of nobody. */
function anyUserId(segment: string): number {
  if (!/^-?\d+$/.test(segment)) throw new ApiError('INVALID_USER_ID')
  const id = Number(segment)
  return isId(id) ? id : 0
}

const isId = (number: number): boolean => Number.isInteger(number) && number > 0 && number < 2 ** 32

async function demandPart({ userId }: Caller, segments: Segments, { takesPart }: PipelineContext): Promise<void> {
  const dmId = Number(segments.dm_id)
  if (!isId(dmId) || !(await takesPart(userId, dmId))) throw new ApiError('NOT_DM_PARTICIPANT')
}

async function demand(required: RequiredPermission, { userId }: Caller, segments: Segments, context: PipelineContext) {
  const { community } = context
  const isSelf = Number(segments.user_id) === userId
  if (required.unlessSelf && isSelf) return
  if (required.unlessOwner && community.accounts.bots.get(Number(segments.user_id))?.ownerId === userId) return
  const space = required.in && (await spaceIn(required.in, Number(segments[`${required.in}_id`]), context))
  const inSpace = space && (!required.concealing || community.sees(userId, space))
  const held = inSpace ? community.permissionsIn(userId, space) : community.permissions(userId)
  if (required.or && holds(held, Permission[required.or])) return
  demandPermission(held, Permission[(isSelf && required.ofSelf) || required.permission])
}

async function spaceIn(place: 'feed' | 'room' | 'thread', id: number, { feedOfThread }: PipelineContext) {
  if (place !== 'thread') return { type: place, id }
  const feedId = isId(id) ? await feedOfThread(id) : undefined
  return feedId === undefined ? undefined : { type: 'feed' as const, id: feedId }
}

/** Throws `MISSING_PERMISSIONS` unless `held` has all of `required`. */
export function demandPermission(held: bigint, required: bigint): void {
  if (holds(held, required)) return
  const missing = lowestMissing(held, required)
  const named = missing && { message: `The permission ${missing.toUpperCase()} is missing.` }
  throw new ApiError('MISSING_PERMISSIONS', { ...named, fields: { missing_permission: missing } })
}

/** The form that an endpoint takes instead of JSON. */
function formOf({ filePart }: Endpoint, { raw }: FastifyRequest, { limits, spool }: PipelineContext) {
  return filePart === undefined
    ? undefined
    : readForm(raw, { filePart, maxFile: limits().file_upload_max_bytes, spool })
}

/** Step 6: decodes path, query and body. */
function callOf<E extends Endpoint>(endpoint: E, request: FastifyRequest, body: unknown, limits: Limits): Call<E> {
  const { credentials } = request
  const session = credentials?.session
  return {
    params: decode(endpoint.params, request.params, limits),
    query: decode(endpoint.query, lastValues(request.query as Record<string, unknown>), limits),
    body: endpoint.body && decode(endpoint.body, bodyOf(endpoint, body), limits),
    caller: endpoint.auth === 'none' || !session ? null : { userId: session.userId, sessionId: session.sessionId },
    address: request.address,
  } as Call<E>
}

function bodyOf(endpoint: Endpoint, body: unknown): unknown {
  if (body !== undefined) return body
  if (endpoint.emptyBody) return {}
  throw new ApiError('VALIDATION_ERROR', { message: 'A JSON body is required (Content-Type: application/json).' })
}

/** Of a repeated query parameter the last one counts. */
function lastValues(query: Record<string, unknown>): Record<string, unknown> {
  return Object.fromEntries(
    Object.entries(query).map(([name, value]) => [name, Array.isArray(value) ? value.at(-1) : value]),
  )
}
