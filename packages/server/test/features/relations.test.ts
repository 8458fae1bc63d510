import assert from 'node:assert/strict'
import { it } from 'node:test'
import { DEFAULT_TIMINGS } from '../../src/gateway/context.ts'
import { TestClock } from '../support/clock.ts'
import { auditTypes, type Member, registerAll } from '../support/community.ts'
import { forEachEngine } from '../support/engines.ts'
import { connectAll, GatewayClient } from '../support/gateway-client.ts'
import { Client, failure, startTestServer } from '../support/server.ts'
import { runSql } from '../support/sql.ts'

const START_S = Date.UTC(2026, 0, 1) / 1000

const friend = (target: Member, act = '') => `/users/@me/friends/${target.userId}${act}`
const blocked = (target: Member) => `/users/@me/blocks/${target.userId}`

/** Whom the owner's list shows, and how. */
async function listed(owner: Client, query = ''): Promise<Record<number, string>> {
  const { items } = (await owner.get(`/users/@me/friends${query}`)).body
  return Object.fromEntries(items.map(({ user_id, status }: { user_id: number; status: string }) => [user_id, status]))
}

forEachEngine('friends', (engine) => {
  it('ask, accept and are friends on both sides', async () => {
    const clock = new TestClock()
    await using server = await startTestServer(engine, { clock })
    const [, alice, bob, carol] = await registerAll(server, 'ada', 'alice', 'bob', 'carol')
    const [a, b, c] = await connectAll(server, alice, bob, carol)
    const pair = { user_id: alice.userId, target_id: bob.userId }
    assert.equal((await alice.put(friend(bob))).status, 204)
    assert.equal((await alice.put(friend(bob))).status, 204)
    for (const session of [a, b]) assert.deepEqual(await session?.told(), [['friend_request', pair]])
    assert.deepEqual(await listed(alice), { [bob.userId]: 'pending' })
    assert.deepEqual((await bob.get('/users/@me/friends')).body, {
      items: [
        {
          user_id: alice.userId,
          username: 'alice',
          display_name: 'alice',
          avatar: null,
          status: 'incoming',
          since: START_S,
        },
      ],
      cursor: String(alice.userId),
    })
    clock.advance(60_000)
    assert.equal((await bob.post(friend(alice, '/accept'))).status, 204)
    const added = ['friend_add', { user_id: bob.userId, target_id: alice.userId }]
    for (const session of [a, b]) assert.deepEqual(await session?.told(), [added])
    assert.deepEqual(await listed(alice), { [bob.userId]: 'accepted' })
    assert.deepEqual(await listed(bob), { [alice.userId]: 'accepted' })
    assert.equal((await alice.get('/users/@me/friends')).body.items[0].since, START_S + 60)
    assert.equal((await alice.put(friend(bob))).status, 204)
    assert.equal(failure(await bob.post(friend(alice, '/accept'))), '404 REQUEST_NOT_FOUND')
    for (const session of [a, b, c]) assert.deepEqual(await session?.told(), [])
  })

  it('become friends when both ask', async () => {
    await using server = await startTestServer(engine)
    const [alice, bob] = await registerAll(server, 'alice', 'bob')
    const [a] = await connectAll(server, alice)
    const answers = await Promise.all([alice.put(friend(bob)), bob.put(friend(alice))])
    assert.deepEqual(
      answers.map(({ status }) => status),
      [204, 204],
    )
    assert.deepEqual([await listed(alice), await listed(bob)], [{ 2: 'accepted' }, { 1: 'accepted' }])
    assert.deepEqual(
      (await a?.told())?.map(([type]) => type),
      ['friend_request', 'friend_add'],
    )
  })

  it('reject, and may be asked again', async () => {
    await using server = await startTestServer(engine)
    const [alice, bob] = await registerAll(server, 'alice', 'bob')
    await alice.put(friend(bob))
    const [a, b] = await connectAll(server, alice, bob)
    assert.equal(failure(await alice.post(friend(bob, '/accept'))), '404 REQUEST_NOT_FOUND')
    assert.equal(failure(await alice.post(friend(bob, '/reject'))), '404 REQUEST_NOT_FOUND')
    assert.equal((await bob.post(friend(alice, '/reject'))).status, 204)
    assert.equal(failure(await bob.post(friend(alice, '/reject'))), '404 REQUEST_NOT_FOUND')
    const rejected = ['friend_reject', { user_id: bob.userId, target_id: alice.userId }]
    for (const session of [a, b]) assert.deepEqual(await session?.told(), [rejected])
    for (const owner of [alice, bob]) assert.deepEqual(await listed(owner, '?status=pending'), {})
    assert.equal((await alice.put(friend(bob))).status, 204)
    assert.deepEqual(await listed(bob), { [alice.userId]: 'incoming' })
  })

  it('end whatever there is, and are silent when there is nothing', async () => {
    await using server = await startTestServer(engine)
    const [alice, bob] = await registerAll(server, 'alice', 'bob')
    const [a, b] = await connectAll(server, alice, bob)
    assert.equal((await alice.delete(friend(bob))).status, 204)
    await alice.put(friend(bob))
    assert.equal((await bob.delete(friend(alice))).status, 204)
    assert.deepEqual([await listed(alice), await listed(bob)], [{}, {}])
    const types = ['friend_request', 'friend_remove']
    for (const session of [a, b])
      assert.deepEqual(
        (await session?.told())?.map(([type]) => type),
        types,
      )
  })

  it('are found by status and a page at a time', async () => {
    await using server = await startTestServer(engine)
    const [alice, bob, carol, dan, eve] = await registerAll(server, 'alice', 'bob', 'carol', 'dan', 'eve')
    for (const target of [eve, bob, dan]) await alice.put(friend(target))
    await carol.put(friend(alice))
    await dan.put(friend(alice))
    assert.deepEqual(await listed(alice), { 2: 'pending', 3: 'incoming', 4: 'accepted', 5: 'pending' })
    assert.deepEqual(await listed(alice, '?status=pending'), { 2: 'pending', 5: 'pending' })
    assert.deepEqual(await listed(alice, '?status=incoming'), { 3: 'incoming' })
    assert.deepEqual(await listed(alice, '?status=accepted&limit=5'), { 4: 'accepted' })
    assert.deepEqual(await listed(alice, '?limit=2&after=2'), { 3: 'incoming', 4: 'accepted' })
    assert.equal(failure(await alice.get('/users/@me/friends?status=online')), '422 VALIDATION_ERROR')
  })

  it('are refused for oneself, for nobody, and for whom one has blocked', async () => {
    await using server = await startTestServer(engine)
    const [alice, bob, carol] = await registerAll(server, 'alice', 'bob', 'carol')
    assert.equal(failure(await alice.put(friend(alice))), '400 INVALID_TARGET')
    assert.equal(failure(await alice.put('/users/@me/friends/99')), '404 USER_NOT_FOUND')
    for (const target of ['@me', 'abc', '0'])
      assert.equal(failure(await alice.put(`/users/@me/friends/${target}`)), '422 VALIDATION_ERROR')
    await carol.delete('/members/@me')
    assert.equal(failure(await alice.put(friend(carol))), '404 USER_NOT_FOUND')
    await alice.put(blocked(bob))
    assert.equal(failure(await alice.put(friend(bob))), '403 USER_BLOCKED')
  })

  it('ask in vain who has blocked them: the other side notices nothing', async () => {
    await using server = await startTestServer(engine)
    const [alice, bob] = await registerAll(server, 'alice', 'bob')
    await bob.put(blocked(alice))
    const [a, b] = await connectAll(server, alice, bob)
    assert.equal((await alice.put(friend(bob))).status, 204)
    assert.deepEqual(await listed(alice), { [bob.userId]: 'pending' })
    assert.deepEqual(await listed(bob), {})
    for (const act of ['/accept', '/reject'])
      assert.equal(failure(await bob.post(friend(alice, act))), '404 REQUEST_NOT_FOUND')
    assert.equal((await bob.delete(friend(alice))).status, 204)
    assert.deepEqual(await listed(alice), { [bob.userId]: 'pending' })
    assert.deepEqual(
      (await a?.told())?.map(([type]) => type),
      ['friend_request'],
    )
    assert.deepEqual(await b?.told(), [])
    await bob.delete(blocked(alice))
    assert.deepEqual(await listed(bob), { [alice.userId]: 'incoming' })
    await bob.put(blocked(alice))
    await alice.put(friend(bob))
    await b?.told()
    assert.equal((await alice.delete(friend(bob))).status, 204)
    assert.deepEqual(await b?.told(), [])
  })

  it('belong to their owner, and to administrators', async () => {
    await using server = await startTestServer(engine)
    const [ada, alice, bob] = await registerAll(server, 'ada', 'alice', 'bob')
    const paths = ['/users/2/friends', '/users/2/blocks', '/users/2/dm-settings']
    for (const path of paths) {
      assert.equal(failure(await bob.get(path)), '403 MISSING_PERMISSIONS', path)
      assert.equal((await ada.get(path)).status, 200, path)
      assert.equal(failure(await ada.get(path.replace('2', '99'))), '404 USER_NOT_FOUND', path)
      assert.equal(failure(await ada.get(path.replace('2', 'abc'))), '400 INVALID_USER_ID', path)
    }
    assert.equal(failure(await bob.put('/users/2/friends/3')), '403 MISSING_PERMISSIONS')
    assert.equal(failure(await bob.put('/users/99/friends/3')), '403 MISSING_PERMISSIONS')
    assert.equal((await ada.put('/users/2/friends/3')).status, 204)
    assert.equal((await ada.put('/users/2/blocks/1')).status, 204)
    assert.deepEqual((await alice.get('/users/@me/blocks')).body, { blocked_user_ids: [1] })
    assert.deepEqual(await auditTypes(ada), [])
  })

  it('are so many and no more', async () => {
    await using server = await startTestServer(engine)
    const [ada, bob, cid] = await registerAll(server, 'ada', 'bob', 'cid')
    await server.close()
    const numbers = Array.from({ length: 2000 }, (_, i) => i + 10)
    await runSql(
      server.databaseUrl,
      `insert into users (user_id, username, username_key, created_at, joined_at) values ${numbers.map((n) => `(${n}, 'u${n}', 'u${n}', 0, 0)`)}`,
      `insert into friends (user_id, friend_id, status, since) values ${numbers.map((n) => `(1, ${n}, 'pending', 0)`)}`,
      `insert into friends (user_id, friend_id, status, since) values ${numbers.map((n) => `(2, ${n}, 'incoming', 0)`)}`,
      `insert into friends (user_id, friend_id, status, since) values (1, 3, 'incoming', 0), (3, 1, 'pending', 0)`,
    )
    await using again = await startTestServer(engine, { env: { VOX_DATABASE_URL: server.databaseUrl } })
    const [a, c] = [ada, cid].map(({ token }) => new Client(again.url, token))
    assert.equal(failure(await (a as Client).put(friend(bob))), '400 INVALID_OPERATION')
    assert.equal(failure(await (a as Client).post(friend(cid, '/accept'))), '400 INVALID_OPERATION')
    assert.equal(failure(await (c as Client).put(friend(bob))), '400 INVALID_OPERATION')
    assert.equal((await (a as Client).post(friend(cid, '/reject'))).status, 204)
  })
})

forEachEngine('blocks', (engine) => {
  it('are set once, listed, lifted once, and told to both', async () => {
    await using server = await startTestServer(engine)
    const [alice, bob, carol] = await registerAll(server, 'alice', 'bob', 'carol')
    const [a, b, c] = await connectAll(server, alice, bob, carol)
    for (const target of [carol, bob, bob]) assert.equal((await alice.put(blocked(target))).status, 204)
    assert.deepEqual((await alice.get('/users/@me/blocks')).body, { blocked_user_ids: [2, 3] })
    assert.deepEqual((await bob.get('/users/@me/blocks')).body, { blocked_user_ids: [] })
    const pair = (target_id: number) => ({ user_id: 1, target_id })
    assert.deepEqual(await a?.told(), [
      ['block_add', pair(3)],
      ['block_add', pair(2)],
    ])
    assert.deepEqual(await b?.told(), [['block_add', pair(2)]])
    for (let i = 0; i < 2; i++) assert.equal((await alice.delete(blocked(bob))).status, 204)
    for (const session of [a, b]) assert.deepEqual(await session?.told(), [['block_remove', pair(2)]])
    assert.deepEqual(await c?.told(), [['block_add', pair(3)]])
  })

  it('end friendships and requests, in this order of events', async () => {
    await using server = await startTestServer(engine)
    const [alice, bob, carol] = await registerAll(server, 'alice', 'bob', 'carol')
    const [, b, c] = await connectAll(server, alice, bob, carol)
    await alice.put(friend(bob))
    await alice.put(blocked(bob))
    const types = async (session: typeof b) => (await session?.told())?.map(([type]) => type)
    assert.deepEqual(await types(b), ['friend_request', 'block_add', 'friend_remove'])
    await alice.put(friend(carol))
    await carol.put(friend(alice))
    await carol.put(blocked(alice))
    assert.deepEqual(await types(c), ['friend_request', 'friend_add', 'block_add', 'friend_remove'])
    await carol.delete(blocked(alice))
    assert.deepEqual([await listed(alice), await listed(bob), await listed(carol)], [{}, {}, {}])
  })

  it('end a request that the other side was not to notice without its noticing', async () => {
    await using server = await startTestServer(engine)
    const [alice, bob] = await registerAll(server, 'alice', 'bob')
    await bob.put(blocked(alice))
    await alice.put(friend(bob))
    const [a, b] = await connectAll(server, alice, bob)
    await alice.put(blocked(bob))
    const types = async (session: typeof b) => (await session?.told())?.map(([type]) => type)
    assert.deepEqual(await types(a), ['block_add', 'friend_remove'])
    assert.deepEqual(await types(b), ['block_add'])
  })

  it('are refused for oneself and for nobody', async () => {
    await using server = await startTestServer(engine)
    const [alice, bob] = await registerAll(server, 'alice', 'bob')
    assert.equal(failure(await alice.put(blocked(alice))), '400 INVALID_TARGET')
    assert.equal(failure(await alice.put('/users/@me/blocks/99')), '404 USER_NOT_FOUND')
    assert.equal(failure(await alice.put('/users/@me/blocks/@me')), '422 VALIDATION_ERROR')
    assert.equal((await alice.delete('/users/@me/blocks/99')).status, 204)
    await bob.delete('/members/@me')
    assert.equal((await alice.put(blocked(bob))).status, 204)
  })

  it('are so many and no more', async () => {
    await using server = await startTestServer(engine)
    const [ada, bob] = await registerAll(server, 'ada', 'bob')
    await server.close()
    const numbers = Array.from({ length: 5000 }, (_, i) => i + 10)
    await runSql(
      server.databaseUrl,
      `insert into users (user_id, username, username_key, created_at, joined_at) values ${numbers.map((n) => `(${n}, 'u${n}', 'u${n}', 0, 0)`)}`,
      `insert into blocks (user_id, blocked_id) values ${numbers.map((n) => `(1, ${n})`)}`,
    )
    await using again = await startTestServer(engine, { env: { VOX_DATABASE_URL: server.databaseUrl } })
    const reader = new Client(again.url, ada.token)
    assert.equal((await reader.get('/users/@me/blocks')).body.blocked_user_ids.length, 5000)
    assert.equal((await reader.put('/users/@me/blocks/10')).status, 204)
    assert.equal(failure(await reader.put(blocked(bob))), '400 INVALID_OPERATION')
    assert.equal((await reader.delete('/users/@me/blocks/10')).status, 204)
    assert.equal((await reader.put(blocked(bob))).status, 204)
  })

  it('hide two users from each other, live, in snapshots and over REST', async () => {
    const clock = new TestClock()
    await using server = await startTestServer(engine, { clock })
    const [alice, bob, carol] = await registerAll(server, 'alice', 'bob', 'carol')
    const [a, b, c] = await connectAll(server, alice, bob, carol)
    const presences = async (session: typeof a) => {
      clock.advance(DEFAULT_TIMINGS.patience)
      return session?.presences()
    }
    for (const session of [a, b, c]) await presences(session)
    const seen = async (viewer: Client, user: Member) =>
      (await viewer.get(`/users/${user.userId}/presence`)).body.status
    assert.equal(await seen(alice, bob), 'online')

    await alice.put(blocked(bob))
    const offline = (user_id: number) => ({ user_id, status: 'offline' })
    assert.deepEqual(await presences(a), [offline(2)])
    assert.deepEqual(await presences(b), [offline(1)])
    assert.deepEqual(await presences(c), [])
    assert.deepEqual([await seen(alice, bob), await seen(bob, alice)], ['offline', 'offline'])
    assert.equal(await seen(carol, bob), 'online')
    const { snapshot } = await GatewayClient.connect(server, alice)
    assert.deepEqual(snapshot, [
      { user_id: 1, status: 'online' },
      { user_id: 3, status: 'online' },
    ])
    await bob.put(blocked(alice))
    assert.deepEqual(await presences(a), [])

    b?.socket.send('presence_update', { status: 'dnd', custom_status: 'busy' })
    assert.deepEqual(await b?.presences(), [{ user_id: 2, status: 'dnd', custom_status: 'busy' }])
    assert.deepEqual(await presences(c), [{ user_id: 2, status: 'dnd', custom_status: 'busy' }])
    assert.deepEqual(await presences(a), [])

    await alice.delete(blocked(bob))
    assert.deepEqual(await presences(a), [])
    await bob.delete(blocked(alice))
    assert.deepEqual(await presences(a), [{ user_id: 2, status: 'dnd', custom_status: 'busy' }])
    assert.deepEqual(await presences(b), [{ user_id: 1, status: 'online' }])
    assert.deepEqual(await presences(c), [])
  })

  it('hide typing', async () => {
    const clock = new TestClock()
    await using server = await startTestServer(engine, { clock })
    const [alice, bob, carol] = await registerAll(server, 'alice', 'bob', 'carol')
    const { feed_id } = (await alice.post('/feeds', { name: 'feed', type: 'text' })).body
    await carol.put(blocked(bob))
    const [a, b, c] = await connectAll(server, alice, bob, carol)
    b?.socket.send('typing', { feed_id })
    await b?.told()
    clock.advance(DEFAULT_TIMINGS.patience)
    assert.deepEqual(await b?.told(), [['typing_start', { user_id: 2, feed_id }]])
    assert.deepEqual(await a?.told(), [['typing_start', { user_id: 2, feed_id }]])
    assert.deepEqual(await c?.told(), [])
  })
})

forEachEngine('settings of direct messages', (engine) => {
  it('let everybody write until the owner says otherwise', async () => {
    await using server = await startTestServer(engine)
    const [ada, bob] = await registerAll(server, 'ada', 'bob')
    const path = '/users/@me/dm-settings'
    assert.deepEqual((await bob.get(path)).body, { dm_permission: 'everyone' })
    for (const dm_permission of ['nobody', 'friends_only', 'mutual_servers', 'everyone', 'nobody']) {
      assert.deepEqual((await bob.patch(path, { dm_permission })).body, { dm_permission })
      assert.deepEqual((await bob.get(path)).body, { dm_permission })
    }
    assert.equal(failure(await bob.patch(path, { dm_permission: 'friends' })), '422 VALIDATION_ERROR')
    assert.equal(failure(await bob.patch(path, {})), '422 VALIDATION_ERROR')
    assert.equal(failure(await bob.patch('/users/1/dm-settings', {})), '403 MISSING_PERMISSIONS')
    assert.equal(failure(await ada.patch('/users/99/dm-settings', { dm_permission: 'nobody' })), '404 USER_NOT_FOUND')
    assert.deepEqual((await ada.patch('/users/2/dm-settings', { dm_permission: 'everyone' })).status, 200)
    assert.deepEqual((await ada.get(path)).body, { dm_permission: 'everyone' })
  })
})
