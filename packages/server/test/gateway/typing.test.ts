import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { Permission } from '@vox/protocol'
import { EVERYONE, TestGateway, type TestSocket } from '../support/gateway.ts'

const FEED = 7

/** Two members who see the feed and each other. */
async function pair(gateway: TestGateway): Promise<[TestSocket, TestSocket]> {
  gateway.feed(FEED)
  const first = await gateway.identify(gateway.member(1))
  const second = await gateway.identify(gateway.member(2))
  await first.rest()
  await second.rest()
  return [first, second]
}

describe('typing', () => {
  it('reaches all who see the feed, the own sessions included, under both names', async () => {
    await using gateway = await TestGateway.start()
    const [first, second] = await pair(gateway)
    first.send('typing', { feed_id: FEED })
    for (const socket of [first, second])
      assert.deepEqual((await socket.next('typing_start')).d, { user_id: 1, feed_id: FEED })
    second.send('typing_start', { feed_id: FEED, dm_id: null })
    for (const socket of [first, second])
      assert.deepEqual((await socket.next('typing_start')).d, { user_id: 2, feed_id: FEED })
  })

  it('is heard once in 5 s per feed and session', async () => {
    await using gateway = await TestGateway.start()
    const [first, second] = await pair(gateway)
    gateway.feed(8)
    const other = await gateway.identify(gateway.member(1))
    for (const socket of [first, first, other]) socket.send('typing', { feed_id: FEED })
    first.send('typing', { feed_id: 8 })
    await first.rest()
    await other.rest()
    assert.equal((await second.rest()).length, 3)
    gateway.clock.advance(4_999)
    first.send('typing', { feed_id: FEED })
    await first.rest()
    assert.deepEqual(await second.rest(), [])
    gateway.clock.advance(1)
    first.send('typing', { feed_id: FEED })
    await second.next('typing_start')
  })

  it('is dropped where the sender may not write, without a throttle', async () => {
    await using gateway = await TestGateway.start()
    const [first, second] = await pair(gateway)
    const everyone = (permissions: bigint) =>
      gateway.community.setRole({ id: EVERYONE, position: 0, permissions, builtin: true })
    everyone(Permission.VIEW_SPACE)
    first.send('typing', { feed_id: FEED })
    everyone(Permission.SEND_MESSAGES)
    first.send('typing', { feed_id: FEED })
    await first.rest()
    everyone(Permission.VIEW_SPACE | Permission.SEND_IN_THREADS)
    first.send('typing', { feed_id: 99 })
    first.send('typing', { feed_id: 0 })
    first.send('typing', { dm_id: FEED })
    assert.deepEqual(await first.rest(), [])
    assert.deepEqual(await second.rest(), [])
    first.send('typing', { feed_id: FEED })
    await second.next('typing_start')
  })

  it('does not reach those who do not see the feed', async () => {
    await using gateway = await TestGateway.start()
    gateway.community.setRole({ id: 5, position: 1, permissions: 0n, builtin: false })
    const [first] = await pair(gateway)
    gateway.feed(FEED, [5])
    const outsider = await gateway.identify(gateway.member(3, { roles: [5] }))
    await outsider.rest()
    first.send('typing', { feed_id: FEED })
    outsider.send('typing', { feed_id: FEED })
    assert.equal((await first.rest()).filter(({ type }) => type === 'typing_start').length, 1)
    assert.deepEqual(await outsider.rest(), [])
  })

  it('is not kept for sessions that are away', async () => {
    await using gateway = await TestGateway.start()
    const [first, second] = await pair(gateway)
    await first.close()
    assert.equal((await second.next('presence_update')).d.status, 'offline')
    second.send('typing', { feed_id: FEED })
    await second.next('typing_start')
    const again = await gateway.resume(gateway.member(1), first.sessionId, first.lastSeq)
    assert.deepEqual((await again.next('resumed')).d, { seq: first.lastSeq })
  })

  it('is refused with neither or both ids, or one that is no integer', async () => {
    await using gateway = await TestGateway.start()
    const [first] = await pair(gateway)
    for (const d of [
      undefined,
      {},
      { feed_id: null },
      { feed_id: FEED, dm_id: 1 },
      { feed_id: `${FEED}` },
      { feed_id: 1.5 },
      { feed_id: -1 },
      { feed_id: 2n ** 60n },
      { feed_id: [FEED] },
      { dm_id: 'x' },
    ]) {
      first.send('typing', d)
      assert.equal((await first.next('error')).d.code, 'VALIDATION_ERROR')
    }
    assert.deepEqual(await first.rest(), [])
  })
})

describe('typing in a conversation', () => {
  const DM = 7

  it('reaches those who take part in it, the own sessions included', async () => {
    await using gateway = await TestGateway.start()
    const [first, second] = await pair(gateway)
    const own = await gateway.identify(gateway.member(1))
    const outsider = await gateway.identify(gateway.member(3))
    gateway.conversations.set(DM, [1, 2])
    for (const socket of [first, second, own, outsider]) await socket.rest()
    first.send('typing', { dm_id: DM })
    for (const socket of [first, second, own])
      assert.deepEqual((await socket.next('typing_start')).d, { user_id: 1, dm_id: DM })
    outsider.send('typing', { dm_id: DM })
    outsider.send('typing', { dm_id: 8 })
    for (const socket of [outsider, first]) assert.deepEqual(await socket.rest(), [])
  })

  it('is heard once in 5 s, whatever the same session types in the feed with the same number', async () => {
    await using gateway = await TestGateway.start()
    const [first, second] = await pair(gateway)
    gateway.conversations.set(DM, [1, 2])
    first.send('typing', { feed_id: FEED })
    for (let time = 0; time < 2; time++) first.send('typing', { dm_id: DM })
    await first.rest()
    assert.deepEqual(
      (await second.rest()).map(({ d }) => d),
      [
        { user_id: 1, feed_id: FEED },
        { user_id: 1, dm_id: DM },
      ],
    )
    gateway.clock.advance(5_000)
    first.send('typing', { dm_id: DM })
    await second.next('typing_start')
  })

  it('is dropped, and costs no connection, while who takes part cannot be looked up', async () => {
    await using gateway = await TestGateway.start()
    const [first] = await pair(gateway)
    gateway.conversations.get = () => {
      throw new Error('the database is unavailable')
    }
    first.send('typing', { dm_id: DM })
    assert.deepEqual(await first.rest(), [])
    gateway.conversations.get = () => [1]
    first.send('typing', { dm_id: DM })
    await first.next('typing_start')
  })

  it('does not pass a block, in either direction', async () => {
    await using gateway = await TestGateway.start()
    const [first, second] = await pair(gateway)
    const third = await gateway.identify(gateway.member(3))
    await third.rest()
    gateway.conversations.set(DM, [1, 2, 3])
    gateway.community.blocks.add(1, 2)
    first.send('typing', { dm_id: DM })
    second.send('typing', { dm_id: DM })
    for (const user_id of [1, 2]) assert.deepEqual((await third.next('typing_start')).d, { user_id, dm_id: DM })
    for (const [socket, user_id] of [
      [first, 1],
      [second, 2],
    ] as const)
      assert.deepEqual(
        (await socket.rest()).filter(({ type }) => type === 'typing_start').map(({ d }) => d),
        [{ user_id, dm_id: DM }],
      )
  })
})
