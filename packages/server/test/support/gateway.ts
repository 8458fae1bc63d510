import { once } from 'node:events'
import { createServer, request, type Server } from 'node:http'
import type { AddressInfo, Socket } from 'node:net'
import { zstdDecompressSync } from 'node:zlib'
import {
  DEFAULT_EVERYONE_PERMISSIONS,
  DEFAULT_LIMITS,
  GATEWAY_EVENTS,
  type LimitName,
  MAX_SERVER_MESSAGE,
  messageCreate,
  Permission,
  parseJson,
  stringifyJson,
} from '@vox/protocol'
import { WebSocket } from 'ws'
import { Community } from '../../src/community/community.ts'
import { LocalBus } from '../../src/events/bus.ts'
import { type AuthFailure, DEFAULT_TIMINGS, type Identity, type Timings } from '../../src/gateway/context.ts'
import { Gateway } from '../../src/gateway/gateway.ts'
import type { VoiceRooms } from '../../src/gateway/voice.ts'
import { TestClock } from './clock.ts'
import { problemOf } from './payloads.ts'

/** A server message as a client reads it. */
export interface Received {
  type: string
  seq?: number
  // biome-ignore lint/suspicious/noExplicitAny: tests look into payloads of every shape
  d?: any
}

/** Id of the role that every member of the test community has. */
export const EVERYONE = 1

/**
 * A gateway on a bare HTTP server, with a real community and bus, a clock that stands still, and tokens that the test
 * hands out. The address of a client is what it says in the header `x-address`.
 */
export class TestGateway {
  readonly clock = new TestClock()
  readonly community = new Community()
  readonly bus = new LocalBus()
  readonly gateway: Gateway
  readonly errors: object[] = []
  readonly used: number[] = []
  /** Who takes part in which conversation. */
  readonly conversations = new Map<number, readonly number[]>()
  readonly #limits = { ...DEFAULT_LIMITS }
  readonly #tokens = new Map<string, Identity | AuthFailure>()
  readonly #sockets = new Set<TestSocket>()
  readonly #server: Server
  /** Runs while a token is looked up. */
  beforeAnswer: () => Promise<void> | void = () => {}

  constructor(timings: Timings = { ...DEFAULT_TIMINGS, closeTimeout: 200, patience: 0 }, voiceRooms?: VoiceRooms) {
    this.community.setRole({ id: EVERYONE, position: 0, permissions: DEFAULT_EVERYONE_PERMISSIONS, builtin: true })
    this.gateway = new Gateway({
      community: this.community,
      bus: this.bus,
      clock: this.clock,
      log: { debug: () => {}, error: (details) => this.errors.push(details) },
      limits: () => this.#limits,
      authenticate: async (token) => {
        const identity = this.#tokens.get(token) ?? 'unknown'
        await this.beforeAnswer()
        return identity
      },
      use: async (authSessionId) => {
        this.used.push(authSessionId)
        return this.identityOf(authSessionId)?.expiresAt
      },
      participantsOf: async (dmId) => this.conversations.get(dmId) ?? [],
      serverInfo: () => ({ name: 'Test', icon: undefined }),
      clientAddress: ({ headers }) => headers['x-address']?.toString(),
      timings,
      ...(voiceRooms && { voiceRooms }),
    })
    this.#server = createServer((_request, response) => response.writeHead(404).end())
    this.#server.on('upgrade', (request, socket, head) => this.gateway.handleUpgrade(request, socket, head))
  }

  static async start(timings?: Timings, voiceRooms?: VoiceRooms): Promise<TestGateway> {
    const test = new TestGateway(timings, voiceRooms)
    await new Promise<void>((resolve) => test.#server.listen(0, '127.0.0.1', resolve))
    return test
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port
  }

  limit(name: LimitName, value: number): void {
    this.#limits[name] = value
  }

  /** Makes the user a member and returns a token of theirs; the auth session has the given id. */
  member(userId: number, { authSessionId = userId, roles = [] as number[], ...identity }: Partial<MemberOptions> = {}) {
    this.community.setMember(userId, roles)
    const token = `vox_sess_${userId}_${authSessionId}`
    this.#tokens.set(token, {
      userId,
      authSessionId,
      expiresAt: this.clock.now() + 30 * 86_400_000,
      displayName: `User ${userId}`,
      isBot: false,
      ...identity,
    })
    return token
  }

  identityOf(authSessionId: number): Identity | undefined {
    for (const identity of this.#tokens.values())
      if (typeof identity === 'object' && identity.authSessionId === authSessionId) return identity
    return undefined
  }

  setToken(token: string, answer: Identity | AuthFailure): void {
    this.#tokens.set(token, answer)
  }

  /** Makes a feed that these roles do not see. */
  feed(id: number, hiddenFrom: readonly number[] = []): void {
    this.community.setFeed({
      id,
      name: `feed-${id}`,
      type: 'text',
      topic: null,
      categoryId: null,
      position: id,
      nsfw: false,
      slowmodeSeconds: 0,
      overrides: hiddenFrom.map((targetId) => ({
        targetType: 'role',
        targetId,
        allow: 0n,
        deny: Permission.VIEW_SPACE,
      })),
    })
  }

  /** Publishes a message in a feed. */
  send(feedId: number, body: string): void {
    this.bus.publish({
      event: messageCreate,
      data: { msg_id: 2n ** 62n, author_id: 1, body, timestamp: 1, feed_id: feedId },
      audience: { to: 'viewers', space: { type: 'feed', id: feedId } },
    })
  }

  /** Opens a socket; nothing has been read of it yet. */
  async open({ query = '', address }: OpenOptions = {}): Promise<TestSocket> {
    const socket = new TestSocket(`ws://127.0.0.1:${this.port}/gateway${query}`, address)
    this.#sockets.add(socket)
    await socket.opened
    return socket
  }

  /** Opens a socket and identifies; `hello` and `ready` have been read. */
  async identify(token: string, options: OpenOptions = {}): Promise<TestSocket> {
    const socket = await this.open(options)
    await socket.next('hello')
    socket.send('identify', { token })
    await socket.next('ready')
    return socket
  }

  /** Opens a socket and resumes; `hello` has been read. */
  async resume(token: string, sessionId: string, lastSeq: number, options: OpenOptions = {}): Promise<TestSocket> {
    const socket = await this.open(options)
    await socket.next('hello')
    socket.send('resume', { token, session_id: sessionId, last_seq: lastSeq })
    return socket
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const socket of this.#sockets) socket.terminate()
    this.#server.closeAllConnections()
    this.#server.close()
    await this.gateway.close()
  }
}

interface MemberOptions extends Identity {
  roles: number[]
}

interface OpenOptions {
  query?: string
  address?: string
}

const CONTROL_MESSAGES = new Set(['hello', 'heartbeat_ack', 'resumed', 'error'])

const EVENTS = new Map(GATEWAY_EVENTS.map((event) => [event.type, event]))

/** What a client would take offence at in a message, if anything. */
function offenceIn({ type, seq, d }: Received, bytes: Buffer): string | undefined {
  if (bytes.length > MAX_SERVER_MESSAGE) return `has ${bytes.length} bytes`
  if (CONTROL_MESSAGES.has(type)) return seq === undefined ? undefined : 'has a seq'
  const event = EVENTS.get(type)
  if (!event) return 'is not declared'
  return Number.isSafeInteger(seq) ? problemOf(event.data, d, 'wire') : 'has no seq'
}

/** A client that keeps what it gets until the test asks for it, and looks at every message closely. */
export class TestSocket {
  readonly ws: WebSocket
  readonly opened: Promise<unknown>
  /** Close code and reason. */
  readonly closed: Promise<[code: number, reason: string]>
  readonly #received: (Received & { binary: boolean; bytes: Buffer })[] = []
  #arrived: () => void = () => {}
  /** The first thing that was wrong with a message. */
  #offence: string | undefined
  /** From `ready`. */
  sessionId = ''
  lastSeq = 0

  /** `ca` is the authority of the certificate at the other end, if that is none of the well-known ones. */
  constructor(url: string, address: string | undefined, ca?: string) {
    this.ws = new WebSocket(url, { headers: { ...(address && { 'x-address': address }) }, ...(ca && { ca }) })
    this.opened = once(this.ws, 'open')
    this.closed = new Promise((resolve) =>
      this.ws.on('close', (code, reason) => {
        resolve([code, reason.toString()])
        this.#arrived()
      }),
    )
    this.ws.on('message', (data, binary) => this.#keep(data as Buffer, binary))
    this.ws.on('error', () => {})
  }

  #keep(bytes: Buffer, binary: boolean): void {
    const text = (binary ? zstdDecompressSync(bytes) : bytes).toString()
    const message = parseJson(text) as Received
    if (message.type === 'ready') this.sessionId = message.d.session_id
    if (message.seq !== undefined) this.lastSeq = message.seq
    const offence = offenceIn(message, bytes)
    if (offence) this.#offence ??= `${message.type} ${offence}`
    this.#received.push({ ...message, binary, bytes })
    this.#arrived()
  }

  send(type: string, d?: unknown): void {
    this.sendText(stringifyJson({ type, ...(d !== undefined && { d }) }))
  }

  sendText(text: string): void {
    this.ws.send(text)
  }

  /** The next message, which must be of this type if one is given. */
  async next(type?: string): Promise<Received & { binary: boolean; bytes: Buffer }> {
    while (this.#received.length === 0) {
      if (this.ws.readyState === WebSocket.CLOSED) throw new Error(`closed while waiting for ${type ?? 'a message'}`)
      await new Promise<void>((resolve) => {
        this.#arrived = resolve
      })
    }
    if (this.#offence) throw new Error(this.#offence)
    const message = this.#received.shift()
    if (!message) throw new Error('unreachable')
    if (type && message.type !== type) throw new Error(`expected ${type}, got ${message.bytes.subarray(0, 200)}`)
    return message
  }

  /**
   * Everything that comes until the server has refused a command, which waits for those before it, and then answered a
   * heartbeat; two answers, because they overtake the events of their own turn.
   */
  async rest(): Promise<Received[]> {
    this.send('presence_update', { status: 'none' })
    const before = await this.#until(({ type, d }) => type === 'error' && d.code === 'INVALID_STATUS')
    this.send('heartbeat')
    return [...before, ...(await this.#until(({ type }) => type === 'heartbeat_ack'))]
  }

  async #until(isLast: (message: Received) => boolean): Promise<Received[]> {
    const messages: Received[] = []
    for (;;) {
      const { binary: _binary, bytes: _bytes, ...message } = await this.next()
      if (isLast(message)) return messages
      messages.push(message)
    }
  }

  /** Closes and waits until the server has noticed. */
  async close(): Promise<void> {
    this.ws.close(1000)
    await this.closed
  }

  terminate(): void {
    this.ws.terminate()
  }
}

/** A TCP connection after the upgrade, with nothing that speaks WebSocket on this side. */
export async function rawSocket(port: number) {
  const upgrade = request({
    port,
    host: '127.0.0.1',
    path: '/gateway',
    headers: {
      connection: 'Upgrade',
      upgrade: 'websocket',
      'sec-websocket-version': '13',
      'sec-websocket-key': 'dGhlIHNhbXBsZSBub25jZQ==',
    },
  })
  upgrade.end()
  const [, socket] = (await once(upgrade, 'upgrade')) as [unknown, Socket]
  return socket.on('error', () => {}).resume()
}
