/**
 * The gateway on a bare HTTP server, `gateway.ts <members> [heartbeat ms]`: members are user 1, 2, …, and the token of
 * each is their id. Everybody sees the feeds but one, which is for the first few. Without a heartbeat interval it expects none.
 */
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { DEFAULT_EVERYONE_PERMISSIONS, DEFAULT_LIMITS, messageCreate, Permission } from '@vox/protocol'
import { systemClock } from '../../packages/server/src/clock.ts'
import { Community } from '../../packages/server/src/community/community.ts'
import { LocalBus } from '../../packages/server/src/events/bus.ts'
import { DEFAULT_TIMINGS } from '../../packages/server/src/gateway/context.ts'
import { Gateway } from '../../packages/server/src/gateway/gateway.ts'
import { message, SMALL_FEED } from './message.ts'
import { measured } from './rounds.ts'

const [members = 0, heartbeatInterval = 3_600_000] = process.argv.slice(2).map(Number)
const limits = { ...DEFAULT_LIMITS, connections_per_ip: 0 }
const expiresAt = Date.now() + 86_400_000

const community = new Community()
community.setRole({ id: 1, position: 0, permissions: DEFAULT_EVERYONE_PERMISSIONS, builtin: true })
for (let userId = 1; userId <= members; userId++) community.setMember(userId, [])

community.setFeed({
  id: SMALL_FEED.id,
  name: 'small',
  type: 'text',
  topic: null,
  categoryId: null,
  position: 0,
  nsfw: false,
  slowmodeSeconds: 0,
  overrides: [
    { targetType: 'role', targetId: 1, allow: 0n, deny: Permission.VIEW_SPACE },
    ...Array.from({ length: SMALL_FEED.viewers }, (_, i) => ({
      targetType: 'user' as const,
      targetId: i + 1,
      allow: Permission.VIEW_SPACE,
      deny: 0n,
    })),
  ],
})

const bus = new LocalBus()
const gateway = new Gateway({
  community,
  bus,
  clock: systemClock,
  log: console,
  limits: () => limits,
  authenticate: async (token) => ({
    userId: Number(token),
    authSessionId: Number(token),
    expiresAt,
    displayName: `User ${token}`,
    isBot: false,
  }),
  use: async () => expiresAt,
  participantsOf: async () => [],
  serverInfo: () => ({ name: 'Bench', icon: undefined }),
  clientAddress: () => undefined,
  timings: { ...DEFAULT_TIMINGS, heartbeatInterval },
})

/** Sends a message in the feed asked for, with a body of the size asked for. */
function send(parameters: URLSearchParams): void {
  const feedId = Number(parameters.get('feed') ?? message.feed_id)
  const size = parameters.get('size')
  bus.publish({
    event: messageCreate,
    data: { ...message, feed_id: feedId, ...(size && { body: 'x'.repeat(Number(size)) }) },
    audience: { to: 'viewers', space: { type: 'feed', id: feedId } },
  })
}

const answerMeasured = measured(send)
const server = createServer((request, response) => {
  if (request.url === '/sessions') response.end(JSON.stringify({ live: gateway.stats.liveSessions }))
  else answerMeasured(request, response)
})
server.on('upgrade', (request, socket, head) => gateway.handleUpgrade(request, socket, head))
server.listen(0, '127.0.0.1', () => console.log((server.address() as AddressInfo).port))
