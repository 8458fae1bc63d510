import assert from 'node:assert/strict'
import { it } from 'node:test'
import { DEFAULT_EVERYONE_PERMISSIONS, Permission } from '@vox/protocol'
import { createFeed, grant, registerAll } from '../support/community.ts'
import { forEachEngine } from '../support/engines.ts'
import { TestSocket } from '../support/gateway.ts'
import { connectAll, GatewayClient, type Told } from '../support/gateway-client.ts'
import { failure, startTestServer } from '../support/server.ts'
import { countRows } from '../support/sql.ts'

const { VIEW_SPACE, ADMINISTRATOR } = Permission
const HIDE = { allow: 0, deny: VIEW_SPACE }
const SHOW = { allow: VIEW_SPACE, deny: 0 }

const typesOf = (told: readonly Told[] | undefined) => told?.map(([type]) => type)

forEachEngine('losing and gaining sight of a space', (engine) => {
  it('by an override of a user is told to that user alone, after the change itself', async () => {
    await using server = await startTestServer(engine)
    const [ada, bob, cid] = await registerAll(server, 'ada', 'bob', 'cid')
    await ada.post('/feeds', { name: 'tea', type: 'forum', topic: 'Leaves' })
    const [bobs, cids] = await connectAll(server, bob, cid)
    await ada.put(`/feeds/1/permissions/user/${bob.userId}`, HIDE)
    await ada.put(`/feeds/1/permissions/user/${bob.userId}`, SHOW)
    const target = { space_type: 'feed', space_id: 1, target_type: 'user', target_id: bob.userId }
    const lost = ['permission_override_update', { ...target, allow: 0, deny: 1 }]
    const gained = ['permission_override_update', { ...target, allow: 1, deny: 0 }]
    const shown = { target_type: 'user', target_id: bob.userId, allow: 1, deny: 0 }
    const feed = { feed_id: 1, name: 'tea', type: 'forum', topic: 'Leaves', position: 0, permission_overrides: [shown] }
    assert.deepEqual(await bobs?.told(), [lost, ['feed_delete', { feed_id: 1 }], gained, ['feed_create', feed]])
    assert.deepEqual(await cids?.told(), [lost, gained])
  })

  it('by an override of a role is told to those who hold it', async () => {
    await using server = await startTestServer(engine)
    const [ada, bob, cid] = await registerAll(server, 'ada', 'bob', 'cid')
    const role = await grant(ada, bob, [])
    const feed = await createFeed(ada, { hidden: true })
    const [adas, bobs, cids] = await connectAll(server, ada, bob, cid)
    await ada.put(`/feeds/${feed}/permissions/role/${role}`, SHOW)
    await ada.delete(`/feeds/${feed}/permissions/role/${role}`)
    const events = ['permission_override_update', 'permission_override_delete']
    assert.deepEqual(typesOf(await adas?.told()), events)
    assert.deepEqual(typesOf(await bobs?.told()), [events[0], 'feed_create', events[1], 'feed_delete'])
    assert.deepEqual(await cids?.told(), [])
  })

  it('by a role that is given and taken is told to its holder alone, space by space in their order', async () => {
    await using server = await startTestServer(engine)
    const [ada, bob, cid] = await registerAll(server, 'ada', 'bob', 'cid')
    const role = await grant(ada, cid, [])
    const [first, second] = [await createFeed(ada, { hidden: true }), await createFeed(ada, { hidden: true })]
    await ada.patch(`/feeds/${second}`, { position: 0 })
    await ada.post('/rooms', {
      name: 'r',
      type: 'voice',
      permission_overrides: [{ target_type: 'role', target_id: 1, ...HIDE }],
    })
    for (const space of [`feeds/${first}`, `feeds/${second}`, 'rooms/1'])
      await ada.put(`/${space}/permissions/role/${role}`, SHOW)
    const [bobs, cids] = await connectAll(server, bob, cid)
    await ada.put(`/members/${bob.userId}/roles/${role}`)
    await ada.delete(`/members/${bob.userId}/roles/${role}`)
    const assignment = { role_id: role, user_id: bob.userId }
    const told = (await bobs?.told()) ?? []
    assert.deepEqual(
      told.slice(0, 4).map(([type, d]) => [type, (d as { feed_id?: number }).feed_id]),
      [
        ['role_assign', undefined],
        ['feed_create', second],
        ['feed_create', first],
        ['room_create', undefined],
      ],
    )
    assert.deepEqual(told.slice(4), [
      ['role_revoke', assignment],
      ['feed_delete', { feed_id: second }],
      ['feed_delete', { feed_id: first }],
      ['room_delete', { room_id: 1 }],
    ])
    assert.deepEqual(await cids?.told(), [
      ['role_assign', assignment],
      ['role_revoke', assignment],
    ])
  })

  it('by a change of @everyone is told to all but administrators, and by other bits to nobody', async () => {
    await using server = await startTestServer(engine)
    const [ada, bob] = await registerAll(server, 'ada', 'bob')
    await createFeed(ada)
    await createFeed(ada)
    const [adas, bobs] = await connectAll(server, ada, bob)
    await ada.patch('/roles/1', { permissions: DEFAULT_EVERYONE_PERMISSIONS & ~VIEW_SPACE })
    assert.deepEqual(typesOf(await bobs?.told()), ['role_update', 'feed_delete', 'feed_delete'])
    await ada.patch('/roles/1', { permissions: 0, color: 3 })
    assert.deepEqual(typesOf(await bobs?.told()), ['role_update'])
    await ada.patch('/roles/1', { permissions: DEFAULT_EVERYONE_PERMISSIONS })
    assert.deepEqual(typesOf(await bobs?.told()), ['role_update', 'feed_create', 'feed_create'])
    assert.deepEqual(typesOf(await adas?.told()), ['role_update', 'role_update', 'role_update'])
  })

  it('by becoming administrator, or ceasing to be one, is told as well', async () => {
    await using server = await startTestServer(engine)
    const [ada, bob] = await registerAll(server, 'ada', 'bob')
    const role = await grant(ada, bob, [])
    await createFeed(ada, { hidden: true })
    const gateway = await GatewayClient.connect(server, bob)
    await ada.patch(`/roles/${role}`, { permissions: ADMINISTRATOR })
    await ada.delete(`/roles/${role}`)
    assert.deepEqual(typesOf(await gateway.told()), ['role_update', 'feed_create', 'role_delete', 'feed_delete'])
  })

  it('reaches a session that resumes, and everybody else by the layout', async () => {
    await using server = await startTestServer(engine)
    const [ada, bob] = await registerAll(server, 'ada', 'bob')
    await createFeed(ada)
    const gateway = await GatewayClient.connect(server, bob)
    const { sessionId, lastSeq } = gateway.socket
    await gateway.socket.close()
    await ada.put(`/feeds/1/permissions/user/${bob.userId}`, HIDE)
    const resumed = new TestSocket(`${server.url.replace('http', 'ws')}/gateway`, undefined)
    await resumed.next('hello')
    resumed.send('resume', { token: bob.token, session_id: sessionId, last_seq: lastSeq })
    const replayed = [await resumed.next(), await resumed.next(), await resumed.next()]
    assert.deepEqual(
      replayed.map(({ type }) => type),
      ['permission_override_update', 'feed_delete', 'resumed'],
    )
    assert.equal(failure(await bob.get('/feeds/1')), '404 SPACE_NOT_FOUND')
  })

  it('is not kept for sync: the change itself is', async () => {
    await using server = await startTestServer(engine)
    const [ada, bob] = await registerAll(server, 'ada', 'bob')
    await createFeed(ada)
    await GatewayClient.connect(server, bob)
    await ada.put('/feeds/1/permissions/role/1', HIDE)
    await ada.delete('/feeds/1/permissions/role/1')
    const kept = (type: string) => `select 1 from event_log where type = '${type}'`
    assert.deepEqual(
      await countRows(
        server.databaseUrl,
        ...['permission_override_update', 'permission_override_delete', 'feed_create', 'feed_delete'].map(kept),
      ),
      [1, 1, 1, 0],
    )
  })
})
