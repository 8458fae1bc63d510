import assert from 'node:assert/strict'
import { it } from 'node:test'
import { forEachEngine } from '../support/engines.ts'
import { failure, startTestServer } from '../support/server.ts'

const EVERYTHING = 9223372036854775807n

forEachEngine('feeds', (engine) => {
  it('are created last in their order and listed in it', async () => {
    await using server = await startTestServer(engine)
    const ada = await server.register('ada')
    const { status, body } = await ada.post('/feeds', { name: 'general', type: 'text', topic: 'Tea' })
    assert.equal(status, 201)
    assert.deepEqual(body, {
      feed_id: 1,
      name: 'general',
      type: 'text',
      topic: 'Tea',
      category_id: null,
      position: 0,
      permission_overrides: [],
      nsfw: false,
      slowmode_seconds: 0,
      subscribed: false,
    })
    await ada.post('/feeds', { name: 'general', type: 'forum' })
    const { body: layout } = await ada.get('/server/layout')
    assert.deepEqual(
      layout.feeds.map((feed: { feed_id: number; position: number }) => [feed.feed_id, feed.position]),
      [
        [1, 0],
        [2, 1],
      ],
    )
    assert.deepEqual([layout.categories, layout.rooms], [[], []])
    assert.deepEqual((await ada.get('/feeds')).body.items, layout.feeds)
    assert.deepEqual((await ada.get('/feeds/1')).body, body)
  })

  it('are created by those who manage spaces', async () => {
    await using server = await startTestServer(engine)
    await server.register('ada')
    const bob = await server.register('bob')
    const answer = await bob.post('/feeds', { name: 'x', type: 'text' })
    assert.equal(failure(answer), '403 MISSING_PERMISSIONS')
    assert.equal(answer.body.error.missing_permission, 'manage_spaces')
    assert.equal(answer.body.error.message, 'The permission MANAGE_SPACES is missing.')
  })

  it('hold to the rules for names, types, categories and overrides', async () => {
    await using server = await startTestServer(engine)
    const ada = await server.register('ada')
    const create = async (feed: object) => failure(await ada.post('/feeds', { name: 'x', type: 'text', ...feed }))
    const override = { target_type: 'role', target_id: 1, allow: 0, deny: 0 }
    for (const [feed, expected] of [
      [{ name: '' }, '422 VALIDATION_ERROR'],
      [{ name: ' \u200b ' }, '422 VALIDATION_ERROR'],
      [{ name: 'a\tb' }, '422 VALIDATION_ERROR'],
      [{ name: 'x'.repeat(65) }, '422 VALIDATION_ERROR'],
      [{ type: 'Text' }, '422 VALIDATION_ERROR'],
      [{ topic: 'x'.repeat(257) }, '422 VALIDATION_ERROR'],
      [{ slowmode_seconds: 21_601 }, '422 VALIDATION_ERROR'],
      [{ category_id: 7 }, '404 SPACE_NOT_FOUND'],
      [{ permission_overrides: [override, override] }, '422 VALIDATION_ERROR'],
      [{ permission_overrides: [{ ...override, target_type: 'planet' }] }, '422 VALIDATION_ERROR'],
      [{ permission_overrides: [{ ...override, allow: 9223372036854775808n }] }, '422 VALIDATION_ERROR'],
      [{ permission_overrides: [{ ...override, allow: -1 }] }, '422 VALIDATION_ERROR'],
      [{ permission_overrides: [{ ...override, target_id: 99 }] }, '404 SPACE_NOT_FOUND'],
      [{ permission_overrides: [{ ...override, target_type: 'user', target_id: 99 }] }, '404 USER_NOT_FOUND'],
    ] as const)
      assert.equal(
        await create(feed),
        expected,
        JSON.stringify(feed, (_, v) => (typeof v === 'bigint' ? `${v}` : v)),
      )
    assert.deepEqual((await ada.get('/feeds')).body.items, [])
  })

  it('keep every digit of a permission set', async () => {
    await using server = await startTestServer(engine)
    const ada = await server.register('ada')
    for (const allow of [EVERYTHING, String(EVERYTHING)]) {
      const { body } = await ada.post('/feeds', {
        name: 'x',
        type: 'text',
        permission_overrides: [{ target_type: 'user', target_id: ada.userId, allow, deny: 0 }],
      })
      assert.equal(body.permission_overrides[0].allow, EVERYTHING)
      assert.deepEqual((await ada.get(`/feeds/${body.feed_id}`)).body, body)
    }
  })

  it('that the caller cannot see do not exist', async () => {
    await using server = await startTestServer(engine)
    const ada = await server.register('ada')
    const bob = await server.register('bob')
    await ada.post('/feeds', {
      name: 'secret',
      type: 'text',
      permission_overrides: [{ target_type: 'role', target_id: 1, allow: 0, deny: 1 }],
    })
    assert.deepEqual((await bob.get('/server/layout')).body.feeds, [])
    assert.deepEqual((await bob.get('/feeds')).body.items, [])
    assert.deepEqual((await bob.get('/feeds/1')).body, (await bob.get('/feeds/99')).body)
    assert.equal(failure(await bob.get('/feeds/1')), '404 SPACE_NOT_FOUND')
    assert.equal((await ada.get('/feeds/1')).status, 200)
  })

  it('are the same after a restart', async () => {
    const env = { VOX_DATABASE_URL: await engine.freshUrl() }
    const before = await startTestServer(engine, { env })
    const ada = await before.register('ada')
    const bob = await before.register('bob')
    await ada.post('/feeds', {
      name: 'secret',
      type: 'text',
      permission_overrides: [{ target_type: 'role', target_id: 1, allow: 0, deny: 1 }],
    })
    const layouts = async (url: string) =>
      Promise.all(
        [ada, bob].map(async ({ token }) => {
          const answer = await fetch(`${url}/api/v1/server/layout`, { headers: { authorization: `Bearer ${token}` } })
          return answer.text()
        }),
      )
    const first = await layouts(before.url)
    await before.close()
    await using after = await startTestServer(engine, { env })
    assert.deepEqual(await layouts(after.url), first)
  })
})

forEachEngine('the server', (engine) => {
  it('says what it is and how many members it has', async () => {
    await using server = await startTestServer(engine, { env: { VOX_SERVER_NAME: 'Tea House' } })
    const ada = await server.register('ada')
    assert.deepEqual((await ada.get('/server')).body, {
      name: 'Tea House',
      icon: null,
      description: null,
      member_count: 1,
    })
    assert.deepEqual((await server.visitor.raw('GET', '/')).body, {
      name: 'Tea House',
      protocol_version: 1,
      min_version: 1,
      max_version: 1,
    })
  })

  it('names its gateway with the port it really listens on, unless told otherwise', async () => {
    await using plain = await startTestServer(engine)
    const { port } = new URL(plain.url)
    assert.equal((await plain.visitor.get('/gateway')).body.url, `ws://localhost:${port}/gateway`)
    await using told = await startTestServer(engine, { env: { VOX_SERVER_GATEWAY_URL: 'wss://chat.example/gateway' } })
    assert.equal((await told.visitor.get('/gateway')).body.url, 'wss://chat.example/gateway')
  })
})
