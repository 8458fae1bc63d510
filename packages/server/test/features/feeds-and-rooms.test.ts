import assert from 'node:assert/strict'
import { it } from 'node:test'
import { createFeed, grant, lastAudit, registerAll } from '../support/community.ts'
import { forEachEngine } from '../support/engines.ts'
import { eventually } from '../support/eventually.ts'
import { freshPath } from '../support/folder.ts'
import { uploadText } from '../support/forms.ts'
import { connectAll, GatewayClient } from '../support/gateway-client.ts'
import { Client, failure, startTestServer } from '../support/server.ts'
import { countRows, runSql } from '../support/sql.ts'

async function create(client: Client, path: string, body: object): Promise<number> {
  const answer = await client.post(path, body)
  assert.equal(answer.status, 201)
  return answer.body.feed_id ?? answer.body.room_id ?? answer.body.category_id
}

forEachEngine('feeds and rooms', (engine) => {
  it('change as asked, with the fields that were given', async () => {
    await using server = await startTestServer(engine)
    const ada = await server.register('ada')
    await create(ada, '/feeds', { name: 'a', type: 'text', topic: 'Tea' })
    await create(ada, '/rooms', { name: 'r', type: 'voice', user_limit: 3 })
    const gateway = await GatewayClient.connect(server, ada)
    assert.equal((await ada.patch('/feeds/1', { topic: '', nsfw: true, type: 'forum' })).body.type, 'text')
    assert.equal((await ada.patch('/rooms/1', { bitrate: 96_000 })).body.bitrate, 96_000)
    assert.equal((await ada.patch('/feeds/1', {})).body.topic, null)
    assert.deepEqual(await gateway.told(), [
      ['feed_update', { feed_id: 1, topic: null, nsfw: true }],
      ['room_update', { room_id: 1, bitrate: 96_000 }],
    ])
    const { body } = await ada.get('/audit-log?event_type=feed.update')
    assert.deepEqual(body.entries[0].metadata, { topic: null, nsfw: true })
    assert.equal(failure(await ada.patch('/rooms/1', { bitrate: 1 })), '422 VALIDATION_ERROR')
    assert.equal(failure(await ada.patch('/rooms/9', { name: 'x' })), '404 SPACE_NOT_FOUND')
    assert.equal(failure(await ada.get('/rooms/9')), '404 SPACE_NOT_FOUND')
  })

  it('go with everything in them, once', async () => {
    await using server = await startTestServer(engine)
    const ada = await server.register('ada')
    const bob = await server.register('bob')
    await create(ada, '/feeds', { name: 'a', type: 'forum' })
    await create(ada, '/rooms', { name: 'r', type: 'voice' })
    await ada.post('/feeds/1/messages', { body: 'post' })
    await ada.put('/feeds/1/subscribers')
    const gateway = await GatewayClient.connect(server, bob)
    const answers = await Promise.all([ada.delete('/feeds/1'), ada.delete('/feeds/1'), ada.delete('/rooms/1')])
    assert.deepEqual(answers.map(({ status }) => status).sort(), [204, 204, 404])
    assert.deepEqual(await gateway.told(), [
      ['feed_delete', { feed_id: 1 }],
      ['room_delete', { room_id: 1 }],
    ])
    assert.equal(failure(await ada.get('/threads/1')), '404 SPACE_NOT_FOUND')
    assert.equal(await create(ada, '/feeds', { name: 'next', type: 'text' }), 2)
  })

  it('are managed only by those who see them', async () => {
    await using server = await startTestServer(engine)
    const ada = await server.register('ada')
    const bob = await server.register('bob')
    const { body: role } = await ada.post('/roles', { name: 'Builder', permissions: 1n << 24n, position: 5 })
    await ada.put(`/members/${bob.userId}/roles/${role.role_id}`)
    const hidden = [{ target_type: 'role', target_id: 1, allow: 0, deny: 1 }]
    await create(ada, '/feeds', { name: 'a', type: 'text', permission_overrides: hidden })
    await create(ada, '/rooms', { name: 'r', type: 'voice', permission_overrides: hidden })
    for (const answer of [
      await bob.patch('/feeds/1', { name: 'x' }),
      await bob.delete('/rooms/1'),
      await bob.put('/feeds/1/subscribers'),
      await bob.get('/feeds/1/threads'),
    ])
      assert.equal(failure(answer), '404 SPACE_NOT_FOUND')
    assert.deepEqual((await bob.get('/rooms')).body.items, [])
  })

  it('say whether the caller subscribes', async () => {
    await using server = await startTestServer(engine)
    const ada = await server.register('ada')
    const bob = await server.register('bob')
    await create(ada, '/feeds', { name: 'a', type: 'text' })
    const gateway = await GatewayClient.connect(server, bob)
    for (let i = 0; i < 2; i++) assert.equal((await bob.put('/feeds/1/subscribers')).status, 204)
    assert.equal((await bob.get('/feeds/1')).body.subscribed, true)
    assert.equal((await ada.get('/feeds/1')).body.subscribed, false)
    assert.equal((await bob.delete('/feeds/1/subscribers')).status, 204)
    const row = { feed_id: 1, user_id: bob.userId }
    assert.deepEqual(await gateway.told(), [
      ['feed_subscribe', row],
      ['feed_subscribe', row],
      ['feed_unsubscribe', row],
    ])
  })

  it('refuse what is not a name, a place or a number for them', async () => {
    await using server = await startTestServer(engine)
    const [ada, bob] = await registerAll(server, 'ada', 'bob')
    await create(ada, '/feeds', { name: 'a', type: 'text' })
    await create(ada, '/rooms', { name: 'r', type: 'voice' })
    await create(ada, '/categories', { name: 'c' })
    for (const [path, patches] of [
      ['/feeds/1', [{ name: '' }, { name: '\u200b' }, { name: 'x'.repeat(65) }, { topic: 'x'.repeat(257) }]],
      ['/feeds/1', [{ slowmode_seconds: 21_601 }, { slowmode_seconds: -1 }, { nsfw: 'x' }, { position: 0.5 }]],
      ['/rooms/1', [{ name: 'a\nb' }, { user_limit: 10_001 }, { bitrate: 7_999 }, { bitrate: 512_001 }]],
      ['/categories/1', [{ name: '' }, { position: -(2 ** 31) - 1 }, { position: 2 ** 31 }]],
    ] as const)
      for (const patch of patches) assert.equal(failure(await ada.patch(path, patch)), '422 VALIDATION_ERROR')
    for (const room of [{ name: 'x' }, { name: 'x', type: 'text' }, { type: 'voice' }])
      assert.equal(failure(await ada.post('/rooms', room)), '422 VALIDATION_ERROR')
    for (const path of ['/feeds/1', '/rooms/1', '/feeds/99', '/categories/1', '/categories/99'])
      for (const answer of [await bob.patch(path, { name: 5 }), await bob.delete(path)])
        assert.equal(failure(answer), '403 MISSING_PERMISSIONS')
    for (const path of ['/feeds/99', '/rooms/99', '/categories/99'])
      for (const answer of [await ada.patch(path, {}), await ada.delete(path), await ada.get(path)])
        assert.equal(failure(answer), '404 SPACE_NOT_FOUND')
    for (const path of ['/feeds/1', '/rooms/1'])
      assert.equal(failure(await ada.patch(path, { category_id: 99 })), '404 SPACE_NOT_FOUND')
    assert.equal(
      failure(await ada.post('/rooms', { name: 'x', type: 'stage', category_id: 99 })),
      '404 SPACE_NOT_FOUND',
    )
    assert.equal(failure(await ada.put('/feeds/99/subscribers')), '404 SPACE_NOT_FOUND')
  })

  it('that nothing is said about in a patch stay as they are, without event', async () => {
    await using server = await startTestServer(engine)
    const [ada] = await registerAll(server, 'ada')
    const category = await create(ada, '/categories', { name: 'c' })
    await create(ada, '/feeds', { name: 'a', type: 'text', category_id: category })
    await create(ada, '/rooms', { name: 'r', type: 'voice', category_id: category })
    const gateway = await GatewayClient.connect(server, ada)
    const { body: before } = await ada.get('/server/layout')
    for (const path of ['/feeds/1', '/rooms/1', '/categories/1'])
      for (const patch of [{}, { name: null, position: null, unknown: 5 }])
        assert.equal((await ada.patch(path, patch)).status, 200)
    assert.deepEqual((await ada.get('/server/layout')).body, before)
    assert.deepEqual(await gateway.told(), [])
    assert.equal((await lastAudit(ada))[0], 'room.create')
  })

  it('are created with what is said of them, for those who see them', async () => {
    await using server = await startTestServer(engine)
    const [ada, bob] = await registerAll(server, 'ada', 'bob')
    const [adas, bobs] = await connectAll(server, ada, bob)
    const hidden = [{ target_type: 'role', target_id: 1, allow: 0, deny: 1 }]
    const { body: category } = await ada.post('/categories', { name: 'c' })
    assert.deepEqual(category, { category_id: 1, name: 'c', position: 0 })
    const { body: room } = await ada.post('/rooms', { name: 'r', type: 'stage', category_id: 1, user_limit: 5 })
    const expected = { room_id: 1, name: 'r', type: 'stage', category_id: 1, position: 0, permission_overrides: [] }
    assert.deepEqual(room, { ...expected, topic: null, user_limit: 5, bitrate: 64_000 })
    assert.deepEqual((await bob.get('/rooms/1')).body, room)
    await create(ada, '/rooms', { name: 's', type: 'voice', permission_overrides: hidden })
    const told = [
      ['category_create', category],
      ['room_create', expected],
    ]
    const secret = { room_id: 2, name: 's', type: 'voice', position: 0, permission_overrides: hidden }
    assert.deepEqual(await adas?.told(), [...told, ['room_create', secret]])
    assert.deepEqual(await bobs?.told(), told)
    assert.deepEqual(await lastAudit(ada), ['room.create', ada.userId, 2, null])
  })

  it('change and go for those who see them, and for nobody else', async () => {
    await using server = await startTestServer(engine)
    const [ada, bob] = await registerAll(server, 'ada', 'bob')
    const feed = await createFeed(ada, { hidden: true })
    const sibling = await createFeed(ada)
    const [adas, bobs] = await connectAll(server, ada, bob)
    await ada.patch(`/feeds/${feed}`, { position: 1 })
    await ada.delete(`/feeds/${feed}`)
    const moved = ['feed_update', { feed_id: sibling, position: 0 }]
    assert.deepEqual(await bobs?.told(), [moved])
    assert.deepEqual(await adas?.told(), [
      ['feed_update', { feed_id: feed, position: 1 }],
      moved,
      ['feed_delete', { feed_id: feed }],
    ])
    assert.deepEqual(await lastAudit(ada), ['feed.delete', ada.userId, feed, { name: 'feed' }])
  })

  it('that are hidden answer like ones that do not exist, whatever is asked', async () => {
    await using server = await startTestServer(engine)
    const [ada, bob] = await registerAll(server, 'ada', 'bob')
    await grant(ada, bob, ['MANAGE_SPACES', 'MANAGE_ROLES'])
    const feed = await createFeed(ada, { hidden: true })
    const { body: parent } = await ada.post(`/feeds/${feed}/messages`, { body: 'x' })
    await ada.post(`/feeds/${feed}/threads`, { parent_msg_id: parent.msg_id, name: 't' })
    const ask = async (id: number) => [
      await bob.get(`/feeds/${id}`),
      await bob.patch(`/feeds/${id}`, { name: 'x' }),
      await bob.delete(`/feeds/${id}`),
      await bob.put(`/feeds/${id}/subscribers`),
      await bob.delete(`/feeds/${id}/subscribers`),
      await bob.get(`/feeds/${id}/threads`),
      await bob.post(`/feeds/${id}/threads`, { parent_msg_id: parent.msg_id, name: 't' }),
      await bob.put(`/feeds/${id}/threads/1/subscribers`),
      await bob.put(`/feeds/${id}/permissions/role/1`, { allow: 0, deny: 0 }),
      await bob.delete(`/feeds/${id}/permissions/role/1`),
    ]
    const unknown = await ask(99)
    for (const [n, answer] of (await ask(feed)).entries()) {
      assert.equal(failure(answer), '404 SPACE_NOT_FOUND')
      assert.deepEqual(answer.body, unknown[n]?.body)
    }
    for (const path of ['/threads/1', '/threads/99']) assert.equal(failure(await bob.get(path)), '404 SPACE_NOT_FOUND')
  })
})

forEachEngine('a large feed', (engine) => {
  const size = engine.name === 'sqlite' ? 100_000 : 20_000

  it('goes with everything in it, in one event, leaving nothing behind', async () => {
    await using server = await startTestServer(engine)
    const [ada, bob] = await registerAll(server, 'ada', 'bob')
    const [feed, other] = [await createFeed(ada), await createFeed(ada)]
    await ada.patch(`/feeds/${feed}`, { slowmode_seconds: 1 })
    const { body: parent } = await bob.post(`/feeds/${feed}/messages`, { body: 'x' })
    await ada.post(`/feeds/${feed}/threads`, { parent_msg_id: parent.msg_id, name: 't' })
    await ada.put(`/feeds/${feed}/subscribers`)
    await ada.put(`/feeds/${feed}/threads/1/subscribers`)
    await ada.put(`/feeds/${feed}/permissions/user/${bob.userId}`, { allow: 0, deny: 2 })
    const { body: invite } = await ada.post('/invites', { feed_id: feed })
    const { body: kept } = await ada.post(`/feeds/${other}/messages`, { body: 'kept' })
    await runSql(
      server.databaseUrl,
      `insert into messages (msg_id, feed_id, thread_id, author_id, body)
        with recursive n(i) as (select 1 union all select i + 1 from n where i < ${size})
        select i, ${feed}, case when i % 10 = 0 then 1 end, ${bob.userId}, 'message' from n`,
    )
    const gateway = await GatewayClient.connect(server, bob)
    const deletion = ada.delete(`/feeds/${feed}`)
    assert.equal((await bob.get('/server')).status, 200)
    assert.equal((await deletion).status, 204)
    const paths = [
      '',
      '/messages',
      `/messages/${parent.msg_id}`,
      '/threads',
      '/threads/1/messages',
      '/pins',
      '/webhooks',
    ]
    for (const client of [ada, bob])
      for (const path of [...paths.map((each) => `/feeds/${feed}${each}`), '/threads/1'])
        assert.match(failure(await client.get(path)), /^404 SPACE_NOT_FOUND|^40[34] M/, path)
    assert.equal((await bob.post(`/feeds/${other}/messages`, { body: 'meanwhile' })).status, 201)
    assert.deepEqual(
      (await gateway.told()).filter(([type]) => type !== 'message_create'),
      [['feed_delete', { feed_id: feed }]],
    )
    await eventually(async () =>
      assert.deepEqual(
        await countRows(
          server.databaseUrl,
          `select 1 from messages where feed_id = ${feed} or thread_id is not null`,
          ...['threads', 'thread_subscribers', 'feed_subscribers', 'permission_overrides', 'slow_mode_posts'].map(
            (table) => `select 1 from ${table}`,
          ),
          `select 1 from feeds where feed_id = ${feed}`,
          `select 1 from invites where feed_id is null`,
          `select 1 from messages`,
        ),
        [0, 0, 0, 0, 0, 0, 0, 1, 2],
      ),
    )
    assert.equal((await ada.get(`/feeds/${other}/messages/${kept.msg_id}`)).status, 200)
    const [listed] = (await ada.get('/invites')).body.items
    assert.deepEqual([listed.code, listed.feed_id], [invite.code, null])
  })
  it('shows nothing to anybody until the last of it is gone, also after a stop in between', async () => {
    const env = { VOX_DATABASE_URL: await engine.freshUrl(), VOX_STORAGE_PATH: freshPath() }
    const { ada, bob, feed, file, msg_id } = await (async () => {
      await using server = await startTestServer(engine, { env })
      const [ada, bob] = await registerAll(server, 'ada', 'bob')
      const feed = await createFeed(ada, { hidden: true })
      const file = await uploadText(ada, feed)
      const { msg_id } = (await ada.post(`/feeds/${feed}/messages`, { body: 'x', attachments: [file] })).body
      return { ada, bob, feed, file, msg_id }
    })()
    await runSql(
      env.VOX_DATABASE_URL,
      `insert into messages (msg_id, feed_id, body)
        with recursive n(i) as (select 1 union all select i + 1 from n where i < 20000) select i, ${feed}, 'm' from n`,
      `update feeds set deleted = ${engine.name === 'sqlite' ? '1' : 'true'} where feed_id = ${feed}`,
    )
    await using server = await startTestServer(engine, { env })
    const [owner, guest] = [new Client(server.url, ada.token), new Client(server.url, bob.token)]
    const asked = (client: Client) =>
      Promise.all([
        client.get(`/feeds/${feed}/messages/${msg_id}`),
        client.post('/interactions/component', { msg_id, component_id: 'x' }),
        client.get(`/files/${file}`),
      ])
    for (const answer of await asked(guest)) assert.match(failure(answer), /^40[34]/)
    for (const answer of (await asked(owner)).slice(0, 2)) assert.match(failure(answer), /^40[34]/)
    const left = [`select 1 from messages`, `select 1 from feeds where feed_id = ${feed}`]
    await eventually(async () => assert.deepEqual(await countRows(server.databaseUrl, ...left), [0, 0]))
    for (const answer of await asked(guest)) assert.match(failure(answer), /^40[34]/)
  })
})
