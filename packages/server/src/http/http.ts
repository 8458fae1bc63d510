import { randomUUID } from 'node:crypto'
import { STATUS_CODES } from 'node:http'
import type { Socket } from 'node:net'
import cors from '@fastify/cors'
import { ApiError } from '@vox/protocol'
import Fastify, { type FastifyInstance, type FastifyReply, type FastifyRequest } from 'fastify'
import type { Logger } from 'pino'
import type { Cidr } from '../config/networks.ts'
import { maskUrl } from '../log.ts'
import { clientAddress } from './client-address.ts'
import { failureAnswerer } from './failures.ts'
import type { Metrics } from './metrics.ts'
import { createMount, type Mount, type PipelineContext } from './pipeline.ts'
import { mountReference } from './reference.ts'

/** Longest path segment: a reaction is up to 255 characters, each up to 12 bytes percent-encoded. */
const MAX_SEGMENT = 4096

/**
 * How long a connection may be quiet in the middle of a request, and how long the whole of one may take to come: clients
 * that lose their network never say so, and their connections would stay for ever. A large file over a slow line fits.
 */
const QUIET_MS = 5 * 60_000
const ARRIVAL_MS = 60 * 60_000

interface HttpContext extends PipelineContext {
  log: Logger
  metrics: Metrics
  trustedProxies: readonly Cidr[]
  corsOrigins: readonly string[]
  /** Whether requests can be served: the database answers and the server is not shutting down. */
  isReady(): Promise<boolean>
  serverName(): string
}

/** Builds the HTTP side: what every request meets before and after its endpoint. */
export async function createHttp(context: HttpContext, mountFeatures: (on: Mount) => void): Promise<FastifyInstance> {
  const answer = failureAnswerer(context.log)
  const http: FastifyInstance = Fastify({
    // Fastify's own logging makes a child logger per request; the hooks below log what is worth a line.
    logger: false,
    genReqId: () => randomUUID(),
    requestIdHeader: false,
    exposeHeadRoutes: false,
    connectionTimeout: QUIET_MS,
    requestTimeout: ARRIVAL_MS,
    http: {
      // Clients that offer HTTP/2 with every request are answered as if they had not.
      shouldUpgradeCallback: ({ headers }) => headers.upgrade?.toLowerCase() === 'websocket',
      // Node would refuse without an envelope.
      requireHostHeader: false,
    },
    // What comes over a connection that is still open during the stop is answered like anything else.
    return503OnClosing: false,
    routerOptions: { maxParamLength: MAX_SEGMENT },
    frameworkErrors: (error, request, reply) => void answer(error, request, reply),
    clientErrorHandler: answerMalformed,
  })
  // Nothing is read of a body that no route takes; Fastify would first ask for its type.
  http.addHttpMethod('QUERY', { hasBody: false, overrideExisting: true })
  const paths = collectPaths(http)
  http.decorateRequest('address', undefined)
  http.decorateRequest('credentials', undefined)
  // What a client expects is no reason to refuse it.
  http.server.on('checkExpectation', (request, response) => http.server.emit('request', request, response))
  http.addHook('onRequest', async (request, reply) => {
    request.address = clientAddress(request.socket.remoteAddress, request.headers, context.trustedProxies)
    reply.header('x-request-id', request.id)
    if (request.headers.host === undefined && request.raw.httpVersion === '1.1')
      throw new ApiError('INVALID_OPERATION', { message: 'The Host header is required.' })
  })
  http.addHook('onResponse', async (request, reply) => {
    // During the stop a connection ends with its request: nobody waits for clients that would use it again.
    if (!http.server.listening) request.socket.destroySoon()
    const level = reply.statusCode >= 400 ? 'info' : 'debug'
    if (!context.log.isLevelEnabled(level)) return
    const { method, url, address, id } = request
    context.log[level](
      { method, path: maskUrl(url), status: reply.statusCode, address, ms: Math.round(reply.elapsedTime), request: id },
      'request',
    )
  })
  http.setErrorHandler(answer)
  http.setNotFoundHandler((request, reply) => {
    refuseOtherMethod(request, reply, paths)
    throw new ApiError('NOT_FOUND')
  })
  await allowOrigins(http, context.corsOrigins)
  context.metrics.mount(http)
  mountProbes(http, context)
  await mountReference(http)
  mountFeatures(createMount(http, context))
  return http
}

async function allowOrigins(http: FastifyInstance, origins: readonly string[]): Promise<void> {
  if (origins.length === 0) return
  await http.register(cors, {
    origin: [...origins],
    methods: ['GET', 'POST', 'PUT', 'PATCH', 'DELETE'],
    exposedHeaders: ['X-RateLimit-Limit', 'X-RateLimit-Remaining', 'X-RateLimit-Reset', 'Retry-After', 'X-Request-Id'],
    maxAge: 86_400,
  })
}

function mountProbes(http: FastifyInstance, { isReady, serverName }: HttpContext): void {
  const method = ['GET', 'HEAD']
  http.route({ method, url: '/health', handler: () => ({ status: 'ok' }) })
  http.route({
    method,
    url: '/ready',
    handler: async (_request, reply) =>
      (await isReady()) ? { status: 'ok' } : reply.code(503).send({ status: 'unavailable' }),
  })
  http.route({
    method,
    url: '/',
    handler: () => ({ name: serverName(), protocol_version: 1, min_version: 1, max_version: 1 }),
  })
}

/** A path that routes have. */
interface KnownPath {
  shape: RegExp
  methods: Set<string>
}

/** The paths of all routes that are added from now on. */
function collectPaths(http: FastifyInstance): ReadonlyMap<string, KnownPath> {
  const paths = new Map<string, KnownPath>()
  http.addHook('onRoute', ({ url, method }) => {
    if (url === '*') return
    const shape = url.split('/').map((segment) => (segment.startsWith(':') ? '[^/]+' : RegExp.escape(segment)))
    const pattern = `^${shape.join('/')}$`
    const known = paths.get(pattern) ?? { shape: new RegExp(pattern), methods: new Set() }
    paths.set(pattern, known)
    for (const name of [method].flat()) known.methods.add(name)
  })
  return paths
}

/** A known path with another method is 405, with the methods it knows (spec 01, section 1). */
function refuseOtherMethod(
  { url, method }: FastifyRequest,
  reply: FastifyReply,
  paths: ReadonlyMap<string, KnownPath>,
) {
  const [path = ''] = url.split('?', 1)
  const matching = [...paths.values()].filter(({ shape }) => shape.test(path))
  const allowed = matching.flatMap(({ methods }) => [...methods])
  if (allowed.length === 0 || allowed.includes(method)) return
  reply.header('allow', allowed.join(', '))
  throw new ApiError('INVALID_OPERATION', { status: 405, message: `Use ${allowed.join(' or ')} here.` })
}

/** Answers what is not even HTTP, a malformed length or an overlong header, and what did not come in time. */
function answerMalformed(error: Error & { code?: string }, socket: Socket): void {
  if (error.code === 'ECONNRESET' || !socket.writable) return
  const { status, message } = COMPLAINTS[error.code ?? ''] ?? MALFORMED
  const { envelope } = new ApiError('VALIDATION_ERROR', { message })
  const body = JSON.stringify(envelope)
  socket.end(
    `HTTP/1.1 ${status} ${STATUS_CODES[status]}\r\nContent-Type: application/json; charset=utf-8\r\nContent-Length: ${body.length}\r\nConnection: close\r\n\r\n${body}`,
  )
}

const MALFORMED = { status: 400, message: 'The request is not well-formed HTTP.' }

const COMPLAINTS: Readonly<Record<string, typeof MALFORMED>> = {
  HPE_HEADER_OVERFLOW: { status: 431, message: 'The request has too many headers, or too long ones.' },
  ERR_HTTP_REQUEST_TIMEOUT: { status: 408, message: 'The request took too long to come.' },
}
