import assert from 'node:assert/strict'
import { it } from 'node:test'
import { forEachEngine } from '../support/engines.ts'
import { GatewayClient } from '../support/gateway-client.ts'
import { type Client, failure, startTestServer } from '../support/server.ts'

async function create(client: Client, path: string, body: object): Promise<number> {
  const answer = await client.post(path, body)
  assert.equal(answer.status, 201)
  return answer.body.feed_id ?? answer.body.room_id ?? answer.body.category_id
}

/** Feeds and rooms in the order in which clients show them, as `feed 1`, `room 2`. */
async function order(client: Client, categoryId: number | null = null): Promise<string[]> {
  const { body } = await client.get('/server/layout')
  type Shown = { feed_id?: number; room_id?: number; category_id: number | null; position: number }
  return [...body.feeds, ...body.rooms]
    .filter((space: Shown) => space.category_id === categoryId)
    .sort((a: Shown, b: Shown) => a.position - b.position)
    .map(({ feed_id, room_id }: Shown) => (feed_id ? `feed ${feed_id}` : `room ${room_id}`))
}

forEachEngine('the order of spaces', (engine) => {
  it('is renumbered around what moves, with an event for each that moved', async () => {
    await using server = await startTestServer(engine)
    const ada = await server.register('ada')
    await create(ada, '/feeds', { name: 'a', type: 'text' })
    await create(ada, '/feeds', { name: 'b', type: 'text' })
    await create(ada, '/rooms', { name: 'c', type: 'voice' })
    const gateway = await GatewayClient.connect(server, ada)
    assert.equal((await ada.patch('/rooms/1', { position: 0 })).body.position, 0)
    assert.deepEqual(await gateway.told(), [
      ['room_update', { room_id: 1, position: 0 }],
      ['feed_update', { feed_id: 1, position: 1 }],
      ['feed_update', { feed_id: 2, position: 2 }],
    ])
    assert.deepEqual(await order(ada), ['room 1', 'feed 1', 'feed 2'])
    await ada.patch('/rooms/1', { position: 99 })
    assert.deepEqual(await order(ada), ['feed 1', 'feed 2', 'room 1'])
    await ada.patch('/feeds/2', { position: -5 })
    assert.deepEqual(await order(ada), ['feed 2', 'feed 1', 'room 1'])
  })

  it('puts what changes its category last there, and takes it out again', async () => {
    await using server = await startTestServer(engine)
    const ada = await server.register('ada')
    const category = await create(ada, '/categories', { name: 'games', position: 0 })
    await create(ada, '/feeds', { name: 'a', type: 'text', category_id: category })
    await create(ada, '/feeds', { name: 'b', type: 'text' })
    assert.deepEqual((await ada.patch('/feeds/2', { category_id: category })).body.position, 1)
    assert.deepEqual(await order(ada, category), ['feed 1', 'feed 2'])
    await ada.patch('/feeds/1', { name: 'renamed' })
    assert.deepEqual(await order(ada, category), ['feed 1', 'feed 2'])
    assert.equal((await ada.patch('/feeds/1', { category_id: null })).body.category_id, null)
    assert.deepEqual(await order(ada), ['feed 1'])
    assert.equal(failure(await ada.patch('/feeds/1', { category_id: 99 })), '404 SPACE_NOT_FOUND')
  })

  it('keeps the spaces of a deleted category, and says so before the category goes', async () => {
    await using server = await startTestServer(engine)
    const ada = await server.register('ada')
    const category = await create(ada, '/categories', { name: 'games', position: 0 })
    await create(ada, '/feeds', { name: 'outside', type: 'text' })
    await create(ada, '/feeds', { name: 'a', type: 'text', category_id: category })
    await create(ada, '/rooms', { name: 'b', type: 'stage', category_id: category })
    const gateway = await GatewayClient.connect(server, ada)
    assert.equal((await ada.delete(`/categories/${category}`)).status, 204)
    assert.deepEqual(await gateway.told(), [
      ['feed_update', { feed_id: 2, category_id: null, position: 1 }],
      ['room_update', { room_id: 1, category_id: null, position: 2 }],
      ['category_delete', { category_id: category }],
    ])
    assert.deepEqual(await order(ada), ['feed 1', 'feed 2', 'room 1'])
    assert.equal(failure(await ada.delete(`/categories/${category}`)), '404 SPACE_NOT_FOUND')
  })

  it('of categories is by number, the older first', async () => {
    await using server = await startTestServer(engine)
    const ada = await server.register('ada')
    for (const name of ['a', 'b', 'c']) await create(ada, '/categories', { name, position: 0 })
    const names = async () => (await ada.get('/categories')).body.items.map(({ name }: { name: string }) => name)
    assert.deepEqual(await names(), ['a', 'b', 'c'])
    assert.equal((await ada.patch('/categories/1', { position: 2 })).body.position, 2)
    assert.deepEqual(await names(), ['b', 'c', 'a'])
    assert.equal((await ada.patch('/categories/1', { name: 'z' })).body.name, 'z')
    assert.equal(failure(await ada.post('/categories', { name: 'x', position: 2 ** 31 })), '422 VALIDATION_ERROR')
    assert.equal(failure(await ada.get('/categories/99')), '404 SPACE_NOT_FOUND')
  })
})

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
})
