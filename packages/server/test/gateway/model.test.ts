import { describe, it } from 'node:test'
import { UnitOfWork } from '../../src/events/work.ts'
import { SnowflakeSource } from '../../src/ids.ts'
import { openTestDatabase } from '../support/database.ts'
import { sqlite } from '../support/engines.ts'
import { EVERYONE, TestGateway } from '../support/gateway.ts'
import { ModelClient } from './model/client.ts'
import { HOLDINGS, ModelCommunity } from './model/community.ts'
import { Random } from './model/random.ts'
import { type ModelFeed, World } from './model/world.ts'

const STEPS = 10_000
const USERS = 8
const ROLES = [EVERYONE, 2, 3, 4]
/** Small, so that buffers overflow now and then. */
const BUFFER = 60
const RESUME_WINDOW_S = 300
const MESSAGES_PER_FEED = 20

/** The gateway, the picture and the lane, doing at random what a community does, beside the model. */
class Scenario {
  readonly #random: Random
  readonly #gateway: TestGateway
  readonly #world: World
  readonly #community: ModelCommunity
  readonly #clients: ModelClient[]
  readonly #steps: [weight: number, step: () => Promise<void> | void][] = [
    [45, () => this.#inFeed((feed) => this.#community.post(this.#user(), feed))],
    [12, () => this.#inFeed((feed) => this.#onMessage(feed, (id) => this.#community.edit(feed, id)))],
    [12, () => this.#inFeed((feed) => this.#onMessage(feed, (id) => this.#community.deleteMessage(feed, id)))],
    [4, () => this.#changeRoles()],
    [2, () => this.#community.setRole(this.#role(), this.#random.of(HOLDINGS) ?? 0n)],
    [5, () => this.#inFeed((feed) => this.#changeSight(feed))],
    [1, () => this.#createFeed()],
    [1, () => this.#inFeed((feed) => this.#community.deleteFeed(feed))],
    [1, () => this.#comeOrGo()],
    [8, () => this.#drop()],
    [14, () => this.#connect()],
    [1, () => this.#takeOver()],
    [2, () => this.#read()],
    [3, () => this.#wait()],
  ]

  constructor(seed: number, gateway: TestGateway, work: UnitOfWork) {
    this.#random = new Random(seed)
    this.#gateway = gateway
    this.#world = new World(BUFFER, RESUME_WINDOW_S * 1000)
    this.#community = new ModelCommunity(this.#world, gateway, work)
    const users = Array.from({ length: USERS }, (_, index) => index + 1)
    this.#clients = users.flatMap((userId) => {
      const token = gateway.member(userId)
      this.#world.members.set(userId, new Set())
      return [1, 2].map(() => new ModelClient(userId, token, gateway, this.#world))
    })
    // Everybody has blocked everybody: so no presence comes between the events.
    for (const one of users) for (const other of users) if (one < other) gateway.community.blocks.add(one, other)
    for (const role of ROLES) this.#community.setRole(role, HOLDINGS[role % 3] ?? 0n)
    for (let i = 0; i < 4; i++) this.#createFeed()
  }

  async run(steps: number): Promise<void> {
    const choices = this.#steps.flatMap(([weight, step]) => Array.from({ length: weight }, () => step))
    for (let n = 0; n < steps; n++) {
      try {
        await this.#random.of(choices)?.()
      } catch (cause) {
        throw new Error(`step ${n}: ${(cause as Error).message}`, { cause })
      }
    }
    await this.#community.settled()
    for (const client of this.#clients) if (this.#world.members.has(client.userId)) await client.connect()
    await this.#readAll()
  }

  // --- what members do ----------------------------------------------------------------------------------------------

  #inFeed(act: (feed: ModelFeed) => void): void {
    const feed = this.#random.of(this.#world.feeds.values())
    if (feed) act(feed)
  }

  #onMessage({ messages }: ModelFeed, act: (id: number) => void): void {
    const id = this.#random.of(messages.keys())
    if (id !== undefined) act(id)
  }

  #changeSight(feed: ModelFeed): void {
    const sight = this.#random.of(['allow', 'deny', undefined] as const)
    const isRole = this.#random.chance(60)
    this.#community.setSight(feed, isRole ? 'role' : 'user', isRole ? this.#role() : this.#user(), sight)
    if (feed.messages.size > MESSAGES_PER_FEED)
      for (const id of [...feed.messages.keys()].slice(0, -MESSAGES_PER_FEED)) this.#community.deleteMessage(feed, id)
  }

  #changeRoles(): void {
    const userId = this.#random.of(this.#world.members.keys())
    if (userId !== undefined) this.#community.toggleRole(userId, this.#random.of(ROLES.slice(1)) ?? 0)
  }

  #createFeed(): void {
    if (this.#world.feeds.size > 8) return
    const isHidden = this.#random.chance(40)
    this.#community.createFeed(new Map(isHidden ? [[`role ${this.#role()}`, 'deny']] : []))
  }

  async #comeOrGo(): Promise<void> {
    const userId = this.#user()
    if (!this.#world.members.has(userId)) {
      this.#community.join(userId)
      return
    }
    await this.#community.settled()
    this.#community.expel(userId)
    await this.#community.settled()
    for (const client of this.#clients) if (client.userId === userId) await client.expelled()
  }

  // --- what clients do; the server has done everything before, so that the model knows what they find ---------------

  async #drop(): Promise<void> {
    const client = this.#random.of(this.#clients.filter(({ isConnected }) => isConnected))
    await this.#community.settled()
    await client?.drop(this.#random.below(BUFFER), this.#gateway.clock.now())
    if (this.#random.chance(40)) client?.change(this.#random)
  }

  async #connect(): Promise<void> {
    const isWaiting = (client: ModelClient) => !client.isConnected && this.#world.members.has(client.userId)
    const client = this.#random.of(this.#clients.filter(isWaiting))
    await this.#community.settled()
    await client?.connect()
  }

  async #takeOver(): Promise<void> {
    const client = this.#random.of(this.#clients.filter(({ isConnected }) => isConnected))
    await this.#community.settled()
    await client?.read()
    client?.goBack(this.#random.below(BUFFER))
    await client?.connect()
  }

  async #read(): Promise<void> {
    await this.#community.settled()
    await this.#random.of(this.#clients)?.read()
  }

  async #readAll(): Promise<void> {
    for (const client of this.#clients) await client.read()
  }

  /** Time passes; whoever is connected sends a heartbeat before it is too late. */
  async #wait(): Promise<void> {
    await this.#community.settled()
    this.#gateway.clock.advance(this.#random.below(60_000))
    this.#world.forgetOutlived(this.#gateway.clock.now())
    await this.#readAll()
  }

  #user(): number {
    return 1 + this.#random.below(USERS)
  }

  #role(): number {
    return this.#random.of(ROLES) ?? EVERYONE
  }
}

describe('a community whose members come, go and lose their connections', () => {
  const seed = Number(process.env.VOX_TEST_SEED ?? Math.floor(Math.random() * 2 ** 31))

  it(`tells every client exactly what it may see, in order (VOX_TEST_SEED=${seed})`, async () => {
    await using gateway = await TestGateway.start()
    await using database = await openTestDatabase(await sqlite.freshUrl())
    gateway.limit('replay_buffer_events', BUFFER)
    gateway.limit('resume_window_seconds', RESUME_WINDOW_S)
    gateway.limit('gateway_messages_per_minute', 1_000_000)
    const ids = new SnowflakeSource(gateway.clock, 0, 0n)
    const work = new UnitOfWork(database, { ids, bus: gateway.bus, community: gateway.community })
    await new Scenario(seed, gateway, work).run(STEPS)
  })
})
