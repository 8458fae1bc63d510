import assert from 'node:assert/strict'
import type { Socket } from 'node:net'
import { describe, it } from 'node:test'
import { type CloseReason, DEFAULT_EVERYONE_PERMISSIONS, DEFAULT_LIMITS } from '@vox/protocol'
import fc from 'fast-check'
import { Community } from '../../src/community/community.ts'
import { LocalBus } from '../../src/events/bus.ts'
import { Announcements } from '../../src/gateway/announcements.ts'
import type { Connection } from '../../src/gateway/connection.ts'
import { DEFAULT_TIMINGS, type GatewayContext } from '../../src/gateway/context.ts'
import { FanOut } from '../../src/gateway/fan-out.ts'
import { FlushQueues } from '../../src/gateway/flush-queues.ts'
import { Hub } from '../../src/gateway/hub.ts'
import { Outbox } from '../../src/gateway/outbox.ts'
import { LocalPresences } from '../../src/gateway/presence.ts'
import type { Session } from '../../src/gateway/session.ts'
import { SessionTable } from '../../src/gateway/session-table.ts'
import { TestClock } from '../support/clock.ts'
import { FakeSocket } from '../support/fake-socket.ts'
import { EVERYONE } from '../support/gateway.ts'

/** Users beyond these only come and go. */
const WATCHERS = 4
const USERS = 230

/** The presences of a server whose sockets do what the test says. */
class Server {
  readonly clock = new TestClock()
  readonly community = new Community()
  readonly table = new SessionTable()
  readonly queues = new FlushQueues(this.clock, DEFAULT_TIMINGS.patience)
  readonly presences: LocalPresences
  readonly hub: Hub

  constructor(capacity: number) {
    const { clock, community, table } = this
    const bus = new LocalBus()
    const limits = { ...DEFAULT_LIMITS, replay_buffer_events: capacity }
    const context: GatewayContext = {
      community,
      bus,
      clock,
      log: { debug: assert.fail, error: assert.fail },
      limits: () => limits,
      authenticate: assert.fail,
      use: async () => Number.MAX_SAFE_INTEGER,
      participantsOf: async () => [],
      serverInfo: () => ({ name: 'Test', icon: undefined }),
      clientAddress: () => undefined,
    }
    community.setRole({ id: EVERYONE, position: 0, permissions: DEFAULT_EVERYONE_PERMISSIONS, builtin: true })
    for (let userId = 1; userId <= USERS; userId++) community.setMember(userId, [])
    const fanOut = new FanOut(table, context)
    const tell = fanOut.announce.bind(fanOut)
    this.presences = new LocalPresences(context, new Announcements(clock, DEFAULT_TIMINGS.patience, tell))
    this.hub = new Hub(context, DEFAULT_TIMINGS, table, this.presences)
    bus.subscribe((published) => fanOut.deliver(published))
  }
}

/** A client that keeps a picture of the others from what it is told, in order, and from what it asks for. */
class Client {
  readonly #server: Server
  readonly userId: number
  #socket = new FakeSocket()
  #session: Session | undefined
  #connection: Connection | undefined
  #lose: (() => void) | undefined
  #lastSeq = 0
  #read = 0
  readonly picture = new Map<number, string>()

  constructor(server: Server, userId: number) {
    this.#server = server
    this.userId = userId
  }

  get isConnected(): boolean {
    return this.#connection !== undefined
  }

  /** Resumes if it can; `isReading` is whether the socket takes more than a moment's bytes. */
  connect(isReading: boolean): void {
    if (this.isConnected) return
    const { hub } = this.#server
    const session = this.#session && hub.find(this.#session.id)
    this.#socket = new FakeSocket()
    this.#socket.isReading = isReading
    this.#read = 0
    const identity = { userId: this.userId, authSessionId: this.userId, displayName: 'x', isBot: false }
    const connection = this.#connect()
    const expiresAt = Number.MAX_SAFE_INTEGER
    if (session && session.log.oldest - 1 <= this.#lastSeq)
      hub.resume(session, this.#lastSeq, { ...identity, expiresAt }, connection)
    else {
      if (session) hub.end(session, 'REPLAY_EXHAUSTED')
      this.#lastSeq = 0
      this.picture.clear()
      hub.open({ ...identity, expiresAt }, connection)
      this.#session = connection.session
    }
  }

  #connect(): Connection {
    const { clock, queues, hub } = this.#server
    const close = (reason?: CloseReason) => {
      outbox.stop()
      const { session } = connection
      if (session?.connection === connection) hub.disconnected(session, reason)
      if (this.#connection === connection) this.#connection = undefined
    }
    const fail = (error: unknown) => assert.fail(String(error))
    const outbox = new Outbox(this.#socket as unknown as Socket, false, { clock, queues }, { close, fail })
    const connection = { outbox, close } as unknown as Connection
    this.#connection = connection
    this.#lose = close
    return connection
  }

  /** Loses the connection, with what it has not read of it. */
  drop(): void {
    this.#lose?.()
  }

  /** Takes what has been sent. */
  read(): void {
    if (!this.isConnected) return
    this.#socket.drain()
    this.#connection?.outbox.flush()
    const told = /\{"type":"([a-z_]+)","d":(\{[^}]*\}),"seq":(\d+)\}/g
    for (const [, type, d, seq] of this.#socket.written.slice(this.#read).matchAll(told)) {
      assert.equal(Number(seq), ++this.#lastSeq, 'no number is left out or comes twice')
      const { user_id, status } = JSON.parse(d ?? '')
      if (type === 'presence_update') this.picture.set(user_id, status)
    }
    this.#read = this.#socket.written.length
  }

  /** Reads until there is nothing more. */
  readAll(): void {
    this.#socket.isReading = true
    this.read()
    this.read()
  }

  /** Asks for one presence. */
  ask(userId: number): void {
    if (userId !== this.userId) this.picture.set(userId, this.#server.presences.shownTo(this.userId, userId).status)
  }

  check(): void {
    for (let userId = 1; userId <= USERS; userId++) {
      if (userId === this.userId) continue
      const { status } = this.#server.presences.shownTo(this.userId, userId)
      assert.equal(this.picture.get(userId) ?? 'offline', status, `${userId} for ${this.userId}`)
    }
  }
}

type Step =
  | { do: 'connect'; id: number; isReading: boolean }
  | { do: 'drop'; id: number }
  | { do: 'read'; id: number }
  | { do: 'choose'; id: number; status: 'online' | 'idle' | 'invisible' }
  | { do: 'ask' | 'block' | 'unblock'; id: number; other: number }
  | { do: 'wait'; ms: number }
  | { do: 'crowd'; goes: boolean; from: number }

/** A server and a client for each user. */
class Scenario {
  readonly #server: Server
  readonly #clients: Client[]

  constructor(capacity: number) {
    const server = new Server(capacity)
    this.#server = server
    this.#clients = Array.from({ length: USERS }, (_, i) => new Client(server, i + 1))
  }

  take(step: Step): void {
    if (step.do === 'wait') this.#server.clock.advance(step.ms)
    else if (step.do === 'crowd') this.#crowd(step.goes, step.from)
    else if (step.do === 'connect') this.#client(step.id).connect(step.isReading)
    else if (step.do === 'drop') this.#client(step.id).drop()
    else if (step.do === 'read') this.#client(step.id).read()
    else if (step.do === 'ask') this.#client(step.id).ask(step.other)
    else if (step.do !== 'choose') this.#setBlock(step.id, step.other, step.do === 'block')
    else if (this.#client(step.id).isConnected) this.#server.presences.choose(step.id, { status: step.status })
  }

  /** Everybody but a few comes, or goes. */
  #crowd(goes: boolean, from: number): void {
    for (const client of this.#clients.slice(from))
      if (goes) client.drop()
      else client.connect(true)
  }

  #setBlock(userId: number, otherId: number, isBlocked: boolean): void {
    const { community, presences } = this.#server
    if (userId === otherId) return
    const wereApart = community.blocks.areApart(userId, otherId)
    if (isBlocked) community.blocks.add(userId, otherId)
    else community.blocks.delete(userId, otherId)
    if (wereApart !== community.blocks.areApart(userId, otherId)) presences.sightChanged(userId, otherId)
  }

  /** Lets everything arrive. */
  settle(): void {
    for (const client of this.#clients) client.readAll()
    this.#server.clock.advance(5_000)
    for (const client of this.#clients) client.readAll()
  }

  check(): void {
    for (const client of this.#clients) if (client.isConnected) client.check()
  }

  #client(userId: number): Client {
    const client = this.#clients[userId - 1]
    return client ?? assert.fail(`no user ${userId}`)
  }
}

const id = fc.integer({ min: 1, max: WATCHERS })
const anybody = fc.oneof(id, fc.integer({ min: 1, max: USERS }))
const oneOf = <T>(...values: T[]) => fc.constantFrom(...values)

const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 4, arbitrary: fc.record({ do: oneOf('connect' as const), id: anybody, isReading: fc.boolean() }) },
  { weight: 3, arbitrary: fc.record({ do: oneOf('drop' as const), id: anybody }) },
  {
    weight: 3,
    arbitrary: fc.record({
      do: oneOf('choose' as const),
      id: anybody,
      status: oneOf('online' as const, 'idle' as const, 'invisible' as const),
    }),
  },
  { weight: 2, arbitrary: fc.record({ do: oneOf('read' as const), id }) },
  {
    weight: 4,
    arbitrary: fc.record({ do: oneOf('ask' as const, 'block' as const, 'unblock' as const), id, other: anybody }),
  },
  { weight: 2, arbitrary: fc.record({ do: oneOf('wait' as const), ms: oneOf(100, 200, 3_000) }) },
  { weight: 1, arbitrary: fc.record({ do: oneOf('crowd' as const), goes: fc.boolean(), from: oneOf(10, 100) }) },
)

const crowd = (goes: boolean): Step => ({ do: 'crowd', goes, from: 10 })
const connect = (id: number): Step => ({ do: 'connect', id, isReading: false })

/** What went wrong once, with the size of the buffers. */
const FOUND: [number, Step[]][] = [
  // Blocked before others were told that they had gone.
  [5, [crowd(false), connect(1), crowd(true), { do: 'block', id: 1, other: 11 }]],
  // Back at what they were before others were told, but somebody had asked in between.
  [1000, [connect(3), crowd(false), { do: 'ask', id: 3, other: 11 }, crowd(true)]],
  // Or the snapshot of a slow client told of what they were in between.
  [5, [connect(1), connect(12), crowd(false), connect(2), crowd(true), crowd(false), { do: 'drop', id: 11 }]],
]

describe('what a client knows of the others', () => {
  it('is how they look, after any history, once everything has arrived', () => {
    const capacity = oneOf(5, 60, 1000)
    fc.assert(
      fc.property(capacity, fc.array(step, { size: 'max', maxLength: 40 }), (events, history) => {
        const scenario = new Scenario(events)
        for (const next of history) scenario.take(next)
        scenario.settle()
        scenario.check()
      }),
      { numRuns: 50, examples: FOUND },
    )
  })
})
