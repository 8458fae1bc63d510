import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { memberBan, mlsProposal } from '@vox/protocol'
import type { Happening } from '../../src/events/spaces.ts'
import type { BacklogSource } from '../../src/gateway/backlog.ts'
import { TestGateway, type TestSocket } from '../support/gateway.ts'

/** What user 1 is owed; pages are handed over when the test says so. */
class Owed implements BacklogSource {
  readonly #waiting: PromiseWithResolvers<readonly Happening[]>[] = []
  #asked: () => void = () => {}

  mayOwe(userId: number): boolean {
    return userId === 1
  }

  async begin(_userId: number, open: Parameters<BacklogSource['begin']>[1]): Promise<void> {
    open({
      next: () => {
        const page = Promise.withResolvers<readonly Happening[]>()
        this.#waiting.push(page)
        this.#asked()
        return page.promise
      },
    })
  }

  /** The next page that is asked for. */
  async #next(): Promise<PromiseWithResolvers<readonly Happening[]>> {
    const page = this.#waiting.shift()
    if (page) return page
    await new Promise<void>((resolve) => {
      this.#asked = resolve
    })
    return this.#next()
  }

  /** Hands a page of relays over; an empty one is the last. */
  async hand(...relays: string[]): Promise<void> {
    const page = await this.#next()
    page.resolve(relays.map((data) => ({ event: mlsProposal, data: { data, sender_id: 2 } }) as Happening))
  }

  async break(): Promise<void> {
    const page = await this.#next()
    page.reject(new Error('the database is gone'))
  }
}

/** A gateway on which user 2 is online and user 1 is owed something. */
async function start(): Promise<{ gateway: TestGateway; owed: Owed }> {
  const gateway = await TestGateway.start()
  gateway.feed(7)
  const owed = new Owed()
  gateway.gateway.beginWith(owed)
  await gateway.identify(gateway.member(2))
  return { gateway, owed }
}

/** What is told next, in a word each. */
async function told(socket: TestSocket, count: number): Promise<string[]> {
  const words: string[] = []
  while (words.length < count) {
    const { type, d } = await socket.next()
    words.push(d.data ?? d.body ?? d.status ?? type)
  }
  return words
}

describe('a session whose user is owed something', () => {
  it('is told that first, then what happened meanwhile, then who is online', async () => {
    const { gateway, owed } = await start()
    await using _ = gateway
    const socket = await gateway.identify(gateway.member(1))
    gateway.send(7, 'meanwhile')
    await owed.hand('first', 'second')
    assert.deepEqual(await told(socket, 2), ['first', 'second'])
    gateway.send(7, 'later')
    await owed.hand('third')
    await owed.hand()
    assert.deepEqual(await told(socket, 4), ['third', 'meanwhile', 'later', 'online'])
    gateway.send(7, 'live')
    assert.deepEqual(await told(socket, 1), ['live'])
    assert.equal(socket.lastSeq, 8)
  })

  it('goes on where it was when it is resumed, and says so in between', async () => {
    const { gateway, owed } = await start()
    await using _ = gateway
    const token = gateway.member(1)
    const socket = await gateway.identify(token)
    await owed.hand('first', 'second')
    assert.deepEqual(await told(socket, 1), ['first'])
    await socket.close()
    gateway.send(7, 'away')
    await owed.hand('third')
    const again = await gateway.resume(token, socket.sessionId, 2)
    assert.deepEqual(await told(again, 2), ['second', 'resumed'])
    await owed.hand()
    assert.deepEqual(await told(again, 3), ['third', 'away', 'online'])
    assert.deepEqual(await again.rest(), [])
  })

  it('holds back no more than its buffer holds; then it goes on with that', async () => {
    const { gateway, owed } = await start()
    await using _ = gateway
    gateway.limit('replay_buffer_events', 5)
    const socket = await gateway.identify(gateway.member(1))
    await owed.hand('first')
    assert.deepEqual(await told(socket, 1), ['first'])
    const live = ['1', '2', '3', '4', '5']
    for (const body of live) gateway.send(7, body)
    assert.deepEqual(await socket.rest(), [])
    gateway.send(7, '6')
    assert.deepEqual(await told(socket, 7), [...live, '6', 'online'])
    await owed.hand('too late')
    assert.deepEqual(await socket.rest(), [])
  })

  it('holds back no more when it is away; then its buffer overflows like every other', async () => {
    const { gateway } = await start()
    await using _ = gateway
    gateway.limit('replay_buffer_events', 5)
    const token = gateway.member(1)
    const socket = await gateway.identify(token)
    await socket.close()
    for (const body of ['1', '2', '3', '4', '5', '6', '7']) gateway.send(7, body)
    assert.equal((await (await gateway.resume(token, socket.sessionId, 1)).closed)[0], 4010)
  })

  it('is closed when that cannot be looked up, which operators learn, and may try again', async () => {
    const { gateway, owed } = await start()
    await using _ = gateway
    const token = gateway.member(1)
    const socket = await gateway.identify(token)
    gateway.send(7, 'meanwhile')
    await owed.break()
    assert.deepEqual(await socket.closed, [4000, 'UNKNOWN_ERROR'])
    assert.equal(gateway.errors.length, 1)
    const again = await gateway.resume(token, socket.sessionId, 1)
    await owed.hand('first')
    await owed.hand()
    assert.deepEqual(await told(again, 4), ['resumed', 'first', 'meanwhile', 'online'])
  })

  it('learns why it is ended', async () => {
    const { gateway } = await start()
    await using _ = gateway
    const socket = await gateway.identify(gateway.member(1))
    gateway.community.deleteMember(1)
    gateway.bus.publish({ event: memberBan, data: { user_id: 1 }, audience: { to: 'members', and: [1] } })
    gateway.gateway.endUser(1)
    await socket.next('member_ban')
    assert.deepEqual(await socket.closed, [4004, 'AUTH_FAILED'])
  })
})
