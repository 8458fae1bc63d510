import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { makeRoom } from '../../src/features/spaces/order.ts'
import { lastAudit } from '../support/community.ts'
import { forEachEngine } from '../support/engines.ts'
import { GatewayClient } from '../support/gateway-client.ts'
import { Client, failure, startTestServer } from '../support/server.ts'
import { runSql } from '../support/sql.ts'

interface Category {
  category_id: number
  position: number
}

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

  it('of categories has no gaps and no two alike after a move, and tells only of those that moved', async () => {
    await using server = await startTestServer(engine)
    const ada = await server.register('ada')
    for (const name of ['a', 'b', 'c']) await create(ada, '/categories', { name, position: 0 })
    await create(ada, '/categories', { name: 'd' })
    const gateway = await GatewayClient.connect(server, ada)
    assert.equal((await ada.patch('/categories/3', { position: -7, name: 'C' })).body.position, 0)
    assert.deepEqual(await gateway.told(), [
      ['category_update', { category_id: 3, position: 0, name: 'C' }],
      ['category_update', { category_id: 1, position: 1 }],
      ['category_update', { category_id: 2, position: 2 }],
      ['category_update', { category_id: 4, position: 3 }],
    ])
    const positions = async () =>
      (await ada.get('/categories')).body.items.map((item: Category) => [item.category_id, item.position])
    assert.deepEqual(await positions(), [
      [3, 0],
      [1, 1],
      [2, 2],
      [4, 3],
    ])
    assert.equal((await ada.patch('/categories/1', { position: 1 })).status, 200)
    assert.deepEqual(await gateway.told(), [['category_update', { category_id: 1, position: 1 }]])
    assert.deepEqual(await lastAudit(ada), ['category.update', ada.userId, 1, { position: 1 }])
  })

  it('is one order still when two move at the same instant', async () => {
    await using server = await startTestServer(engine)
    const ada = await server.register('ada')
    for (const name of ['a', 'b', 'c', 'd']) await create(ada, '/feeds', { name, type: 'text' })
    await create(ada, '/rooms', { name: 'e', type: 'voice' })
    const answers = await Promise.all(
      ['/feeds/3', '/feeds/4', '/rooms/1'].map((path) => ada.patch(path, { position: 0 })),
    )
    assert.deepEqual(
      answers.map(({ status, body }) => [status, body.position]),
      [
        [200, 0],
        [200, 0],
        [200, 0],
      ],
    )
    const { feeds, rooms } = (await ada.get('/server/layout')).body
    const positions = [...feeds, ...rooms].map(({ position }: { position: number }) => position)
    assert.deepEqual(positions.sort(), [0, 1, 2, 3, 4])
    assert.deepEqual((await order(ada)).slice(3), ['feed 1', 'feed 2'])
  })

  it('is the same after a restart', async () => {
    await using before = await startTestServer(engine)
    const ada = await before.register('ada')
    const category = await create(ada, '/categories', { name: 'games' })
    for (const name of ['a', 'b', 'c']) await create(ada, '/feeds', { name, type: 'text', category_id: category })
    await create(ada, '/rooms', { name: 'd', type: 'stage', category_id: category })
    await ada.patch('/rooms/1', { position: 1 })
    await ada.patch('/feeds/2', { category_id: null })
    const { body: layout } = await ada.get('/server/layout')
    await before.close()
    await using after = await startTestServer(engine, { env: { VOX_DATABASE_URL: before.databaseUrl } })
    assert.deepEqual((await new Client(after.url, ada.token).get('/server/layout')).body, layout)
  })

  it('holds for as many spaces as a server may have', async () => {
    await using server = await startTestServer(engine)
    const ada = await server.register('ada')
    await create(ada, '/feeds', { name: 'first', type: 'text' })
    await server.close()
    await runSql(
      server.databaseUrl,
      `insert into feeds (name, type, position) with recursive n(i) as (select 1 union all select i + 1 from n
        where i < 1999) select 'f', 'text', i from n`,
    )
    await using full = await startTestServer(engine, { env: { VOX_DATABASE_URL: server.databaseUrl } })
    const again = new Client(full.url, ada.token)
    for (const [path, body] of [
      ['/feeds', { name: 'x', type: 'text' }],
      ['/rooms', { name: 'x', type: 'voice' }],
    ] as const)
      assert.equal(failure(await again.post(path, body)), '400 INVALID_OPERATION')
    assert.equal((await again.patch('/feeds/2000', { position: 0 })).body.position, 0)
    assert.deepEqual((await order(again)).slice(0, 3), ['feed 2000', 'feed 1', 'feed 2'])
    assert.equal((await again.delete('/feeds/1')).status, 204)
    assert.equal((await again.post('/rooms', { name: 'x', type: 'voice' })).body.position, 2000)
  })

  it('takes up to 500 categories', async () => {
    await using server = await startTestServer(engine)
    const ada = await server.register('ada')
    await server.close()
    await runSql(
      server.databaseUrl,
      `insert into categories (name, position) with recursive n(i) as (select 1 union all select i + 1 from n
        where i < 500) select 'c', i from n`,
    )
    await using full = await startTestServer(engine, { env: { VOX_DATABASE_URL: server.databaseUrl } })
    const again = new Client(full.url, ada.token)
    assert.equal(failure(await again.post('/categories', { name: 'x' })), '400 INVALID_OPERATION')
    assert.equal((await again.delete('/categories/1')).status, 204)
    assert.equal((await again.post('/categories', { name: 'x' })).body.position, 501)
  })
})

describe('making room in an ordered list', () => {
  const list = fc.uniqueArray(fc.record({ id: fc.nat(), position: fc.integer({ min: -3, max: 9 }) }), {
    selector: ({ id }) => id,
  })

  it('numbers the whole list from 0, keeps the others in their order, and names exactly those that changed', () => {
    fc.assert(
      fc.property(list, fc.integer({ min: -3, max: 20 }), (unordered, index) => {
        const others = unordered.sort((a, b) => a.position - b.position)
        const { position, siblings } = makeRoom(others, index)
        const moved = new Map(siblings.map((sibling) => [sibling.id, sibling.position]))
        const numbers = others.map(({ id, position: before }) => moved.get(id) ?? before)
        const expected = others.map((_, n) => n).map((n) => (n < position ? n : n + 1))
        assert.deepEqual(numbers, expected)
        assert.equal(position, Math.min(Math.max(index, 0), others.length))
        for (const { id, position: before } of others) assert.notEqual(moved.get(id), before)
      }),
    )
  })
})
