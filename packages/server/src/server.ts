import type { AddressInfo } from 'node:net'
import type { FastifyInstance } from 'fastify'
import type { Logger } from 'pino'
import { Cleanup } from './cleanup.ts'
import { type Clock, systemClock } from './clock.ts'
import type { Config } from './config/config.ts'
import type { Env } from './config/environment.ts'
import { openControl } from './control/open.ts'
import { Probes } from './control/probes.ts'
import { openCore } from './core.ts'
import type { EventBus } from './events/bus.ts'
import { gatewayLogin } from './features/auth/gateway-login.ts'
import { auth } from './features/auth/index.ts'
import type { PasswordCost } from './features/auth/passwords.ts'
import { bots } from './features/bots/index.ts'
import { dms } from './features/dms/index.ts'
import { participantsOf, takesPart } from './features/dms/participants.ts'
import { embeds } from './features/embeds/index.ts'
import { emoji } from './features/emoji/index.ts'
import { files } from './features/files/index.ts'
import { FileLibrary } from './features/files/library.ts'
import { gifs } from './features/gifs/index.ts'
import { KLIPY_ORIGIN } from './features/gifs/klipy.ts'
import { CALLBACK_MS } from './features/interactions/callback.ts'
import { interactions } from './features/interactions/index.ts'
import { Interactions } from './features/interactions/interactions.ts'
import { LocalInteractions } from './features/interactions/open-interactions.ts'
import { invites } from './features/invites/index.ts'
import { keys } from './features/keys/index.ts'
import { members } from './features/members/index.ts'
import { messages } from './features/messages/index.ts'
import { moderation } from './features/moderation/index.ts'
import { relations } from './features/relations/index.ts'
import { roles } from './features/roles/index.ts'
import { search } from './features/search/index.ts'
import { Indexer } from './features/search/indexer.ts'
import { server } from './features/server/index.ts'
import { spaces } from './features/spaces/index.ts'
import { sync } from './features/sync/index.ts'
import { threads } from './features/threads/index.ts'
import { feedOfThread } from './features/threads/threads.ts'
import { users } from './features/users/index.ts'
import { webhooks } from './features/webhooks/index.ts'
import { isTokenOf } from './features/webhooks/token.ts'
import { Gateway } from './gateway/gateway.ts'
import { clientAddress } from './http/client-address.ts'
import { createHttp } from './http/http.ts'
import { Metrics } from './http/metrics.ts'
import { proxyNotice } from './http/proxy-notice.ts'
import { LocalRateLimiter } from './http/rate-limiter.ts'
import { observe } from './observe.ts'
import { Outbound } from './outbound/outbound.ts'
import { nameResolver } from './outbound/resolver.ts'
import type { Resolver } from './outbound/target.ts'
import type { Services } from './services.ts'
import { openSpool, openStorage } from './storage/open.ts'

/** How long a stop still tells newcomers with a 503 that it is one, while gateway clients leave. */
const GATEWAY_LEAVES_MS = 1_000

/**
 * How long running requests may take to finish during a shutdown, which may take 10 s in all: as long as the slowest
 * thing that one waits for, the callback of a bot, and a moment to post what comes of it.
 */
const REQUESTS_FINISH_MS = CALLBACK_MS + 1_000

/** Every capability that endpoints reach. */
const FEATURES = [
  auth,
  users,
  relations,
  members,
  invites,
  moderation,
  server,
  roles,
  spaces,
  threads,
  messages,
  dms,
  files,
  emoji,
  embeds,
  gifs,
  keys,
  webhooks,
  search,
  sync,
  bots,
  interactions,
]

export interface StartOptions {
  /** The environment variables that configure the server. */
  env: Env
  log: Logger
  clock?: Clock
  passwordCost?: PasswordCost
  /** Looks up the hosts of outgoing requests. */
  resolve?: Resolver
  /** What carries events to the gateway. */
  bus?: EventBus
  /** Where the GIF provider is, instead of where it really is. */
  gifOrigin?: string
}

export interface RunningServer {
  /** Where it listens, for example `http://127.0.0.1:8000`. */
  url: string
  config: Config
  /** Stops in order: no new work, gateway clients sent to resume, running requests finished, database closed. */
  close(): Promise<void>
}

/** Starts a server; resolves when it answers requests. What was opened before a failure is closed again. */
export async function startServer({
  env,
  log,
  clock = systemClock,
  passwordCost,
  resolve = nameResolver(),
  bus: givenBus,
  gifOrigin = KLIPY_ORIGIN,
}: StartOptions): Promise<RunningServer> {
  await using opened = new AsyncDisposableStack()

  const core = await openCore({ env, log, clock, passwordCost, bus: givenBus }, opened)
  const { config, db, community, bus, sessions } = core
  const port = (): number => (http.server.address() as AddressInfo).port
  const gateway = new Gateway({
    community,
    bus,
    clock,
    log: log.child({ logger: 'gateway' }),
    limits: () => config.limits,
    authenticate: (token) => gatewayLogin(services, token),
    use: (authSessionId) => sessions.touch(authSessionId),
    participantsOf: (dmId) => participantsOf(db.read, dmId),
    serverInfo: () => ({ name: config.get('server.name'), icon: config.get('server.icon') || undefined }),
    clientAddress: ({ socket, headers }) =>
      clientAddress(socket.remoteAddress, headers, config.get('network.trusted_proxies')),
  })
  sessions.onEnd((sessionId) => gateway.endAuthSession(sessionId))
  const cleanup = opened.adopt(new Cleanup({ clock, log: log.child({ logger: 'cleanup' }) }), (hourly) => hourly.stop())
  opened.use(new Indexer({ db, clock, log: log.child({ logger: 'search' }) }))
  const spool = await openSpool(config)
  cleanup.add('uploads that broke off', () => spool.removeAbandoned(clock.now()))
  const storage = opened.adopt(await openStorage(config, log), (backend) => backend.close())
  const library = new FileLibrary({ ...core, storage })
  const outbound = opened.adopt(
    new Outbound({ clock, resolve, exempt: () => config.get('network.outbound_allow') }),
    (requests) => requests.close(),
  )
  const inUse = opened.adopt(new Interactions({ core, outbound, open: new LocalInteractions() }), (waiting) =>
    waiting.close(),
  )
  const services: Services = {
    ...core,
    gateway,
    cleanup,
    storage,
    files: library,
    outbound,
    interactions: inUse,
    gifOrigin,
    port,
  }

  let stopping = false
  const metrics = new Metrics()
  observe(metrics, { db, community, gateway, spool })
  const http = await createHttp(
    {
      log: log.child({ logger: 'http' }),
      metrics,
      sessions,
      community,
      rateLimiter: config.get('ratelimit.enabled') ? new LocalRateLimiter(clock, config.rateLimits) : undefined,
      limits: () => config.limits,
      spool,
      trustedProxies: config.get('network.trusted_proxies'),
      corsOrigins: config.get('network.cors_origins'),
      isReady: () => (stopping ? Promise.resolve(false) : db.ping().then(yes, no)),
      serverName: () => config.get('server.name'),
      feedOfThread: (threadId) => feedOfThread(db.read, threadId),
      takesPart: (userId, dmId) => takesPart(db.read, userId, dmId),
      isTokenOf: (webhookId, token) => isTokenOf(db.read, webhookId, token),
    },
    (on) => {
      for (const feature of FEATURES) feature(services, on)
    },
  )
  log.warn('only one process may run on this database: sessions, presences and rate limits are in its memory')
  http.server.on('upgrade', (request, socket, head) => gateway.handleUpgrade(request, socket, head))
  opened.defer(() => stopServing(http, gateway, clock))

  const probes = new Probes(config.get('network.trusted_proxies'))
  const notice = proxyNotice({ config, log, port })
  http.server.on('request', probes.see).on('upgrade', probes.see).on('request', notice)
  const url = await http.listen({ host: config.get('network.host'), port: config.get('network.port') })
  opened.use(await openControl({ core, running: { url, probes } }))
  const closing = opened.move()
  return {
    url,
    config,
    close: async () => {
      stopping = true
      await closing.disposeAsync()
    },
  }
}

/**
 * Sends gateway clients away, accepts nothing new and lets running requests finish; those that take too long fail. The
 * HTTP server waits for its connections, and the gateway's are among them.
 */
async function stopServing(http: FastifyInstance, gateway: Gateway, clock: Clock): Promise<void> {
  const left = gateway.close()
  await Promise.race([left, new Promise<void>((resolve) => clock.after(GATEWAY_LEAVES_MS, resolve))])
  const patience = clock.after(REQUESTS_FINISH_MS, () => http.server.closeAllConnections())
  await Promise.all([left, http.close()])
  patience.cancel()
}

const yes = () => true
const no = () => false
