import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { DEFAULT_TIMINGS } from '../../src/gateway/context.ts'
import { type Received, TestGateway, type TestSocket } from '../support/gateway.ts'

/** Two members; the first has been told that the second is there, and the second that the first is. */
async function pair(gateway: TestGateway): Promise<[TestSocket, TestSocket]> {
  const first = await gateway.identify(gateway.member(1))
  const second = await gateway.identify(gateway.member(2))
  await first.next('presence_update')
  await second.next('presence_update')
  return [first, second]
}

/** The payload of the next message, which must be a presence. */
const presence = async (socket: TestSocket) => (await socket.next('presence_update')).d

const payloads = (messages: Received[]) => messages.map(({ d }) => d)

describe('connecting', () => {
  it('tells nobody when nobody is there', async () => {
    await using gateway = await TestGateway.start()
    const socket = await gateway.identify(gateway.member(1))
    assert.deepEqual(await socket.rest(), [])
  })

  it('tells the others, and the newcomer of them', async () => {
    await using gateway = await TestGateway.start()
    const first = await gateway.identify(gateway.member(1))
    const second = await gateway.identify(gateway.member(2))
    assert.deepEqual(await presence(first), { user_id: 2, status: 'online' })
    assert.deepEqual(payloads(await second.rest()), [{ user_id: 1, status: 'online' }])
  })

  it('a second time tells the others nothing, and the newcomer of the own true presence first', async () => {
    await using gateway = await TestGateway.start()
    const [first, second] = await pair(gateway)
    first.send('presence_update', { status: 'invisible', custom_status: 'hidden' })
    assert.equal((await presence(second)).status, 'offline')
    const again = await gateway.identify(gateway.member(1))
    assert.deepEqual(payloads(await again.rest()), [
      { user_id: 1, status: 'invisible', custom_status: 'hidden' },
      { user_id: 2, status: 'online' },
    ])
    assert.deepEqual(await second.rest(), [])
  })

  it('tells of everybody, in more than one batch, as numbered events', async () => {
    await using gateway = await TestGateway.start()
    for (let userId = 2; userId <= 121; userId++) await gateway.identify(gateway.member(userId))
    const socket = await gateway.identify(gateway.member(1))
    const snapshot = await socket.rest()
    assert.deepEqual(
      snapshot.map(({ seq, d }) => [seq, d.user_id, d.status]),
      Array.from({ length: 120 }, (_, i) => [i + 2, i + 2, 'online']),
    )
  })

  it('can be resumed in the middle of what it tells', async () => {
    await using gateway = await TestGateway.start()
    gateway.limit('replay_buffer_events', 1)
    await gateway.identify(gateway.member(2))
    const token = gateway.member(1)
    const socket = await gateway.identify(token)
    await socket.next('presence_update')
    await socket.close()
    const again = await gateway.resume(token, socket.sessionId, 2)
    await again.next('resumed')
    assert.deepEqual(await again.rest(), [])
  })
})

describe('presence_update', () => {
  it('is echoed to all own sessions and told to the others', async () => {
    await using gateway = await TestGateway.start()
    const [first, second] = await pair(gateway)
    const own = await gateway.identify(gateway.member(1))
    await own.rest()
    first.send('presence_update', {
      status: 'idle',
      custom_status: 'tea',
      activity: { type: 'playing', name: 'chess' },
    })
    const expected = {
      user_id: 1,
      status: 'idle',
      custom_status: 'tea',
      activity: { type: 'playing', name: 'chess' },
    }
    for (const socket of [first, own, second]) assert.deepEqual(await presence(socket), expected)
    assert.deepEqual(gateway.gateway.presenceOf(1, 2), expected)
  })

  it('replaces everything, and tells the others only what changes for them', async () => {
    await using gateway = await TestGateway.start()
    const [first, second] = await pair(gateway)
    first.send('presence_update', { status: 'dnd', custom_status: 'busy' })
    assert.deepEqual(await presence(second), { user_id: 1, status: 'dnd', custom_status: 'busy' })
    first.send('presence_update', { status: 'dnd', custom_status: 'busy' })
    first.send('presence_update', {})
    assert.deepEqual(await presence(second), { user_id: 1, status: 'online' })
    assert.equal((await first.rest()).length, 3)
  })

  it('with invisible is offline for the others, and later changes are hidden from them', async () => {
    await using gateway = await TestGateway.start()
    const [first, second] = await pair(gateway)
    first.send('presence_update', { status: 'invisible', custom_status: 'hidden' })
    assert.deepEqual(await presence(first), { user_id: 1, status: 'invisible', custom_status: 'hidden' })
    assert.deepEqual(await presence(second), { user_id: 1, status: 'offline' })
    first.send('presence_update', { status: 'offline' })
    assert.deepEqual(await presence(first), { user_id: 1, status: 'invisible' })
    const third = await gateway.identify(gateway.member(3))
    assert.deepEqual(
      payloads(await third.rest()).map((d) => d.user_id),
      [2],
    )
    assert.deepEqual(gateway.gateway.presenceOf(1, 2), { user_id: 1, status: 'offline' })
    assert.deepEqual(gateway.gateway.presenceOf(1, 1), { user_id: 1, status: 'invisible' })
    await first.close()
    assert.deepEqual(
      payloads(await second.rest()).map((d) => d.user_id),
      [3],
    )
  })

  const refused: [what: string, d: object, code: string][] = [
    ['an unknown status', { status: 'banana' }, 'INVALID_STATUS'],
    ['a status that is no string', { status: 5 }, 'INVALID_STATUS'],
    ['a custom status of another type', { custom_status: 5 }, 'VALIDATION_ERROR'],
    ['a custom status with a text of another type', { custom_status: { text: 5 } }, 'VALIDATION_ERROR'],
    ['an expiry that is no number', { custom_status: { text: 'a', expiry: 'soon' } }, 'VALIDATION_ERROR'],
    ['an activity that is no object', { activity: 'chess' }, 'VALIDATION_ERROR'],
    ['an activity that is a list', { activity: [] }, 'VALIDATION_ERROR'],
    ['a large activity', { activity: { name: 'x'.repeat(600) } }, 'PAYLOAD_TOO_LARGE'],
  ]
  for (const [what, d, code] of refused) {
    it(`changes nothing for ${what}`, async () => {
      await using gateway = await TestGateway.start()
      const [first, second] = await pair(gateway)
      first.send('presence_update', { status: 'idle', ...d })
      const error = await first.next('error')
      assert.equal(error.d.code, code)
      assert.equal(typeof error.d.message, 'string')
      assert.deepEqual(await first.rest(), [])
      assert.deepEqual(await second.rest(), [])
    })
  }

  const customStatuses: [given: unknown, shown: string | undefined][] = [
    ['x'.repeat(200), 'x'.repeat(128)],
    ['👋'.repeat(200), '👋'.repeat(128)],
    ['', undefined],
    [null, undefined],
    [{ text: 'tea' }, 'tea'],
    [{ text: 'tea', emoji: '🍵' }, '🍵 tea'],
    [{ text: '', emoji: '🍵' }, '🍵'],
    [{ text: null, emoji: null, expiry: null }, undefined],
    [{}, undefined],
  ]
  for (const [given, shown] of customStatuses) {
    it(`shows the custom status ${JSON.stringify(given)?.slice(0, 40)} as ${shown?.slice(0, 10)}`, async () => {
      await using gateway = await TestGateway.start()
      const socket = await gateway.identify(gateway.member(1))
      socket.send('presence_update', { custom_status: given })
      assert.equal((await presence(socket)).custom_status, shown)
    })
  }

  it('measures an activity in characters of its JSON', async () => {
    await using gateway = await TestGateway.start()
    const socket = await gateway.identify(gateway.member(1))
    const activity = { name: '👋'.repeat(512 - '{"name":""}'.length) }
    socket.send('presence_update', { activity })
    assert.deepEqual((await presence(socket)).activity, activity)
    socket.send('presence_update', { activity: { name: `${activity.name}x` } })
    await socket.next('error')
  })

  it('keeps an activity with long integers as it is', async () => {
    await using gateway = await TestGateway.start()
    const [first, second] = await pair(gateway)
    first.send('presence_update', { activity: { id: 2n ** 60n } })
    assert.deepEqual((await presence(second)).activity, { id: 2n ** 60n })
  })
})

describe('the expiry of a custom status', () => {
  it('clears it as a change of its own', async () => {
    await using gateway = await TestGateway.start()
    const [first, second] = await pair(gateway)
    const expiry = Math.floor(gateway.clock.now() / 1000) + 20
    first.send('presence_update', { status: 'idle', custom_status: { text: 'tea', expiry } })
    assert.equal((await presence(first)).custom_status, 'tea')
    assert.equal((await presence(second)).custom_status, 'tea')
    gateway.clock.advance(19_000)
    assert.deepEqual(await first.rest(), [])
    gateway.clock.advance(1_000)
    assert.deepEqual(await presence(first), { user_id: 1, status: 'idle' })
    assert.deepEqual(await presence(second), { user_id: 1, status: 'idle' })
  })

  it('means nothing in the past', async () => {
    await using gateway = await TestGateway.start()
    const socket = await gateway.identify(gateway.member(1))
    socket.send('presence_update', { custom_status: { text: 'tea', expiry: 0 } })
    assert.equal((await presence(socket)).custom_status, 'tea')
    gateway.clock.advance(10_000)
    assert.deepEqual(await socket.rest(), [])
  })

  it('passes quietly while the user is away', async () => {
    await using gateway = await TestGateway.start()
    const [first, second] = await pair(gateway)
    const expiry = Math.floor(gateway.clock.now() / 1000) + 20
    first.send('presence_update', { status: 'idle', custom_status: { text: 'tea', expiry } })
    await presence(second)
    await presence(first)
    await first.close()
    assert.equal((await presence(second)).status, 'offline')
    gateway.clock.advance(30_000)
    const again = await gateway.resume(gateway.member(1), first.sessionId, first.lastSeq)
    await again.next('resumed')
    assert.deepEqual(await presence(second), { user_id: 1, status: 'idle' })
    assert.deepEqual(await again.rest(), [])
  })
})

describe('disconnecting', () => {
  it('is offline for the others with the last session', async () => {
    await using gateway = await TestGateway.start()
    const [first, second] = await pair(gateway)
    const other = await gateway.identify(gateway.member(1))
    await other.close()
    assert.deepEqual(await second.rest(), [])
    await first.close()
    assert.deepEqual(await presence(second), { user_id: 1, status: 'offline' })
    assert.deepEqual(gateway.gateway.presenceOf(1, 1), { user_id: 1, status: 'offline' })
  })

  it('keeps what was chosen for a resume, but not for a new session', async () => {
    await using gateway = await TestGateway.start()
    const [first, second] = await pair(gateway)
    const token = gateway.member(1)
    first.send('presence_update', { status: 'dnd', custom_status: 'busy' })
    await presence(first)
    await presence(second)
    await first.close()
    await presence(second)
    const again = await gateway.resume(token, first.sessionId, first.lastSeq)
    await again.next('resumed')
    assert.deepEqual(await presence(second), { user_id: 1, status: 'dnd', custom_status: 'busy' })
    await again.close()
    await presence(second)
    await gateway.identify(token)
    assert.deepEqual(await presence(second), { user_id: 1, status: 'online' })
  })

  it('is seen by sessions that are away, when they resume', async () => {
    await using gateway = await TestGateway.start()
    const [first, second] = await pair(gateway)
    await first.close()
    assert.equal((await presence(second)).status, 'offline')
    await second.close()
    const again = await gateway.resume(gateway.member(1), first.sessionId, first.lastSeq)
    assert.deepEqual(await presence(again), { user_id: 2, status: 'offline' })
    await again.next('resumed')
  })

  it('does not flicker when a connection is taken over', async () => {
    await using gateway = await TestGateway.start()
    const [first, second] = await pair(gateway)
    const again = await gateway.resume(gateway.member(1), first.sessionId, first.lastSeq)
    await again.next('resumed')
    await first.closed
    assert.deepEqual(await second.rest(), [])
  })

  it('is told as soon as the client says goodbye, before it drops the line', async () => {
    await using gateway = await TestGateway.start()
    const [first, second] = await pair(gateway)
    first.ws.close(1000)
    assert.equal((await presence(second)).status, 'offline')
  })
})

describe('who sees whom', () => {
  it('is members only', async () => {
    await using gateway = await TestGateway.start()
    const [first, second] = await pair(gateway)
    gateway.community.deleteMember(2)
    first.send('presence_update', { status: 'idle' })
    await presence(first)
    assert.deepEqual(await second.rest(), [])
    assert.deepEqual(gateway.gateway.presenceOf(1, 2), { user_id: 1, status: 'offline' })
  })
})

describe('patience', () => {
  const PATIENT = { ...DEFAULT_TIMINGS, patience: 200 }

  /** Lets the patience end; afterwards all that is due is on its way. */
  const wait = (gateway: TestGateway) => gateway.clock.advance(200)

  /** Two members; the first has been told all there is to tell. */
  async function acquainted(gateway: TestGateway): Promise<[TestSocket, TestSocket]> {
    const first = await gateway.identify(gateway.member(1))
    const second = await gateway.identify(gateway.member(2))
    wait(gateway)
    await first.rest()
    return [first, second]
  }

  it('lets presences wait for each other, but nothing else', async () => {
    await using gateway = await TestGateway.start(PATIENT)
    const first = await gateway.identify(gateway.member(1))
    await gateway.identify(gateway.member(2))
    await gateway.identify(gateway.member(3))
    gateway.send(1, 'now')
    await first.next('message_create')
    assert.deepEqual(await first.rest(), [])
    wait(gateway)
    assert.deepEqual([(await presence(first)).user_id, (await presence(first)).user_id], [2, 3])
  })

  it('tells a newcomer at once who is there, and nothing twice', async () => {
    await using gateway = await TestGateway.start(PATIENT)
    await gateway.identify(gateway.member(1))
    const second = await gateway.identify(gateway.member(2))
    const third = await gateway.identify(gateway.member(3))
    assert.deepEqual((await presence(second)).user_id, 1)
    assert.deepEqual([(await presence(third)).user_id, (await presence(third)).user_id], [1, 2])
    wait(gateway)
    assert.deepEqual(
      payloads(await second.rest()).map((d) => d.user_id),
      [3],
    )
    assert.deepEqual(await third.rest(), [])
  })

  it('says only what has come of several changes, and nothing if that is what it was', async () => {
    await using gateway = await TestGateway.start(PATIENT)
    const [first, second] = await acquainted(gateway)
    for (const status of ['idle', 'dnd', 'online']) second.send('presence_update', { status })
    await second.rest()
    wait(gateway)
    assert.deepEqual(await first.rest(), [])
    for (const status of ['idle', 'dnd']) second.send('presence_update', { status })
    await second.rest()
    wait(gateway)
    assert.deepEqual(payloads(await first.rest()), [{ user_id: 2, status: 'dnd' }])
  })

  it('tells who came in between what is now, also if the others have nothing to be told', async () => {
    await using gateway = await TestGateway.start(PATIENT)
    const [first, second] = await acquainted(gateway)
    second.send('presence_update', { status: 'idle' })
    await second.rest()
    const third = await gateway.identify(gateway.member(3))
    assert.deepEqual(payloads(await third.rest()), [
      { user_id: 1, status: 'online' },
      { user_id: 2, status: 'idle' },
    ])
    second.send('presence_update', { status: 'online' })
    await second.rest()
    wait(gateway)
    assert.deepEqual(payloads(await third.rest()), [{ user_id: 2, status: 'online' }])
    assert.deepEqual(
      payloads(await first.rest()).map((d) => d.user_id),
      [3],
    )
  })

  it('tells what is now, also if that is what it was, when somebody has asked in between', async () => {
    await using gateway = await TestGateway.start(PATIENT)
    const [first, second] = await acquainted(gateway)
    second.send('presence_update', { status: 'idle' })
    await second.rest()
    assert.equal(gateway.gateway.presenceOf(2, 1).status, 'idle')
    second.send('presence_update', { status: 'online' })
    await second.rest()
    wait(gateway)
    assert.deepEqual(payloads(await first.rest()), [{ user_id: 2, status: 'online' }])
    wait(gateway)
    assert.deepEqual(await first.rest(), [])
  })

  it('leaves nobody online for whoever blocks them before all are told that they have gone', async () => {
    await using gateway = await TestGateway.start(PATIENT)
    const [first, second] = await acquainted(gateway)
    await second.close()
    gateway.community.blocks.add(1, 2)
    gateway.gateway.sightChanged(1, 2)
    assert.deepEqual(payloads(await first.rest()), [{ user_id: 2, status: 'offline' }])
    wait(gateway)
    assert.deepEqual(await first.rest(), [])
  })

  it('leaves nobody online for whoever unblocked them for the moment in which they were', async () => {
    await using gateway = await TestGateway.start(PATIENT)
    const first = await gateway.identify(gateway.member(1))
    gateway.community.blocks.add(1, 2)
    const second = await gateway.identify(gateway.member(2))
    gateway.community.blocks.delete(1, 2)
    gateway.gateway.sightChanged(1, 2)
    assert.deepEqual(payloads(await first.rest()), [{ user_id: 2, status: 'online' }])
    await second.close()
    wait(gateway)
    assert.deepEqual(payloads(await first.rest()), [{ user_id: 2, status: 'offline' }])
  })

  it('keeps a block that was set meanwhile', async () => {
    await using gateway = await TestGateway.start(PATIENT)
    const first = await gateway.identify(gateway.member(1))
    const second = await gateway.identify(gateway.member(2))
    const third = await gateway.identify(gateway.member(3))
    for (const socket of [first, second, third]) await socket.rest()
    wait(gateway)
    for (const socket of [first, second, third]) await socket.rest()
    second.send('presence_update', { status: 'idle' })
    await second.rest()
    gateway.community.blocks.add(1, 2)
    wait(gateway)
    assert.deepEqual(await first.rest(), [])
    assert.deepEqual(payloads(await third.rest()), [{ user_id: 2, status: 'idle' }])
  })

  it('is longer when very many lose their connection at once: who is back soon was never gone', async () => {
    await using gateway = await TestGateway.start(PATIENT)
    const witness = await gateway.identify(gateway.member(1))
    const lost = []
    for (let userId = 2; userId <= 122; userId++) lost.push(await gateway.identify(gateway.member(userId)))
    wait(gateway)
    await witness.rest()
    await Promise.all(lost.map((socket) => socket.close()))
    gateway.clock.advance(2_000)
    assert.deepEqual(await witness.rest(), [])
    for (const [i, socket] of lost.slice(0, 10).entries())
      await (await gateway.resume(gateway.member(i + 2), socket.sessionId, socket.lastSeq)).next('resumed')
    gateway.clock.advance(1_000)
    assert.deepEqual(
      payloads(await witness.rest()),
      Array.from({ length: 111 }, (_, i) => ({ user_id: i + 12, status: 'offline' })),
    )
  })
})
