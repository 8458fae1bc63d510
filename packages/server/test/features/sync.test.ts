import assert from 'node:assert/strict'
import { it } from 'node:test'
import { Permission } from '@vox/protocol'
import { TestClock } from '../support/clock.ts'
import { forEachEngine } from '../support/engines.ts'
import { eventually } from '../support/eventually.ts'
import { connectAll } from '../support/gateway-client.ts'
import { type Client, failure, startTestServer, type TestServer } from '../support/server.ts'
import { countRows } from '../support/sql.ts'

const WEEK_MS = 604_800_000

interface Synced {
  type: string
  payload: Record<string, unknown>
}

async function people(server: TestServer) {
  return { ada: await server.register('ada'), bob: await server.register('bob') }
}

async function sync(client: Client, categories: string[], options: object = {}) {
  const { status, body } = await client.post('/sync', { since_timestamp: Date.now() - 60_000, categories, ...options })
  assert.equal(status, 200, JSON.stringify(body))
  return body
}

const types = ({ events }: { events: Synced[] }) => events.map(({ type }) => type)

forEachEngine('a sync', (engine) => {
  it('tells what was told over the gateway, in the same words', async () => {
    await using server = await startTestServer(engine)
    const { ada, bob } = await people(server)
    const [session] = await connectAll(server, bob)
    const { feed_id } = (await ada.post('/feeds', { name: 'general', type: 'text' })).body
    await ada.patch(`/feeds/${feed_id}`, { topic: 'Tea' })
    const told = await session?.told()
    const synced = await sync(bob, ['feeds'])
    assert.deepEqual(
      synced.events.map(({ type, payload }: Synced) => [type, payload]),
      told,
    )
    assert.equal(typeof synced.cursor, 'bigint')
    assert.ok(synced.events.every(({ timestamp }: { timestamp: number }) => timestamp <= synced.server_timestamp))
    assert.deepEqual(synced.read_states, [])
  })

  it('comes in pages, each event once', async () => {
    await using server = await startTestServer(engine)
    const { ada, bob } = await people(server)
    for (let i = 0; i < 5; i++) await ada.post('/categories', { name: `c${i}` })
    await ada.put(`/bans/${bob.userId}`, {})
    const found: string[] = []
    let after: bigint | null = null
    do {
      const page = await sync(ada, ['categories', 'bans', 'members'], { limit: 3, after })
      found.push(...types(page))
      after = page.cursor
    } while (after !== null)
    assert.deepEqual(
      found.filter((type) => type !== 'member_join'),
      [...Array(5).fill('category_create'), 'member_ban'],
    )
  })

  it('misses nothing and tells nothing twice while others write', async () => {
    await using server = await startTestServer(engine)
    const { ada } = await people(server)
    const create = (name: string) => ada.post('/categories', { name })
    for (let i = 0; i < 20; i++) await create(`before ${i}`)
    const writing = Promise.all(Array.from({ length: 60 }, (_, i) => create(`meanwhile ${i}`)))
    const found: string[] = []
    const pages = async (since_timestamp: number) => {
      let page = await sync(ada, ['categories'], { since_timestamp, limit: 7 })
      const { server_timestamp } = page
      while (page.cursor !== null) {
        found.push(...page.events.map(({ payload }: Synced) => payload.name))
        page = await sync(ada, ['categories'], { since_timestamp, limit: 7, after: page.cursor })
      }
      return server_timestamp
    }
    const since = Date.now() - 60_000
    const first = await pages(since)
    assert.equal(new Set(found).size, found.length)
    await writing
    await pages(first)
    assert.equal(new Set(found).size, 80)
  })

  it('is for what the reader may know now', async () => {
    await using server = await startTestServer(engine)
    const { ada, bob } = await people(server)
    const { feed_id } = (await ada.post('/feeds', { name: 'hidden', type: 'text' })).body
    await ada.put(`/feeds/${feed_id}/permissions/user/${bob.userId}`, { allow: 0, deny: Number(Permission.VIEW_SPACE) })
    const { room_id } = (await ada.post('/rooms', { name: 'hidden', type: 'voice' })).body
    await ada.put(`/rooms/${room_id}/permissions/user/${bob.userId}`, { allow: 0, deny: Number(Permission.VIEW_SPACE) })
    await ada.post('/invites', {})
    await ada.post(`/feeds/${feed_id}/webhooks`, { name: 'hook' })
    assert.ok((await ada.patch('/roles/1', { permissions: Number(Permission.VIEW_SPACE) })).status < 300)
    const hidden = await sync(bob, ['feeds', 'rooms', 'permissions', 'invites', 'webhooks'])
    assert.deepEqual(
      types(hidden).filter((type) => type !== 'feed_delete' && type !== 'room_delete'),
      [],
    )
    assert.notEqual(hidden.cursor, null)
    assert.ok(types(await sync(ada, ['feeds'])).includes('feed_create'))
    await ada.delete(`/feeds/${feed_id}`)
    assert.deepEqual(types(await sync(bob, ['feeds'])), ['feed_delete'])
  })

  it('reaches back seven days, takes ISO 8601, and knows its categories', async () => {
    await using server = await startTestServer(engine)
    const { bob } = await people(server)
    const ask = async (body: object) => failure(await bob.post('/sync', { categories: [], ...body }))
    assert.equal(await ask({ since_timestamp: Date.now() - WEEK_MS - 60_000 }), '400 FULL_SYNC_REQUIRED')
    assert.equal(await ask({ since_timestamp: Math.floor(Date.now() / 1000) }), '400 FULL_SYNC_REQUIRED')
    assert.equal(await ask({ since_timestamp: 1, categories: ['bogus'] }), '400 FULL_SYNC_REQUIRED')
    assert.equal(await ask({ since_timestamp: Date.now(), categories: ['bogus'] }), '400 INVALID_CATEGORY')
    for (const bad of [{}, { since_timestamp: 'yesterday' }, { since_timestamp: Date.now(), limit: 0 }])
      assert.equal(await ask(bad), '422 VALIDATION_ERROR')
    const nothing = { events: [], cursor: null, read_states: [] }
    for (const since_timestamp of [new Date().toISOString(), Date.now() + 10 * WEEK_MS, Number.MAX_SAFE_INTEGER]) {
      const { server_timestamp, ...rest } = await sync(bob, ['feeds'], { since_timestamp })
      assert.deepEqual(rest, nothing)
      assert.ok(server_timestamp > 0)
    }
  })

  it('forgets what is older than seven days', async () => {
    const clock = new TestClock()
    const url = await engine.freshUrl()
    await using server = await startTestServer(engine, { clock, env: { VOX_DATABASE_URL: url } })
    const { ada } = await people(server)
    const since_timestamp = clock.now()
    await ada.post('/categories', { name: 'old' })
    assert.deepEqual(types(await sync(ada, ['categories'], { since_timestamp })), ['category_create'])
    clock.advance(WEEK_MS)
    assert.deepEqual(types(await sync(ada, ['categories'], { since_timestamp })), ['category_create'])
    clock.advance(1)
    const late = await ada.post('/sync', { since_timestamp, categories: [] })
    assert.equal(failure(late), '400 FULL_SYNC_REQUIRED')
    clock.advance(3_600_000)
    await eventually(async () => {
      assert.deepEqual(await countRows(url, 'select * from event_log'), [0])
    })
  })
})

forEachEngine('a read position', (engine) => {
  it('moves forward to a message that is there, and nobody else hears of it', async () => {
    await using server = await startTestServer(engine)
    const { ada, bob } = await people(server)
    const { feed_id } = (await ada.post('/feeds', { name: 'general', type: 'text' })).body
    const read = async (up_to_msg_id: bigint | number) =>
      assert.equal((await bob.post(`/feeds/${feed_id}/read`, { up_to_msg_id })).status, 204)
    const position = async (client: Client) => (await sync(client, ['read_states'])).read_states
    const LAST = 2n ** 63n - 1n
    await read(LAST)
    assert.deepEqual(await position(bob), [])
    const ids: bigint[] = []
    for (const body of ['a', 'b']) ids.push((await ada.post(`/feeds/${feed_id}/messages`, { body })).body.msg_id)
    const [first = 0n, second = 0n] = ids
    const [session] = await connectAll(server, ada)
    await read(first - 1n)
    assert.deepEqual(await position(bob), [])
    for (const [given, kept] of [
      [first, first],
      [LAST, second],
      [first, second],
    ] as const) {
      await read(given)
      assert.deepEqual(await position(bob), [{ feed_id, dm_id: null, last_read_msg_id: kept }])
    }
    assert.deepEqual(await position(ada), [])
    assert.deepEqual(await session?.told(), [])
    await ada.put(`/feeds/${feed_id}/permissions/user/${bob.userId}`, { allow: 0, deny: Number(Permission.VIEW_SPACE) })
    assert.deepEqual(await position(bob), [])
  })

  it('needs a feed and the right to read it', async () => {
    await using server = await startTestServer(engine)
    const { ada, bob } = await people(server)
    const { feed_id } = (await ada.post('/feeds', { name: 'general', type: 'text' })).body
    const deny = Number(Permission.READ_HISTORY)
    await ada.put(`/feeds/${feed_id}/permissions/user/${bob.userId}`, { allow: 0, deny })
    assert.equal(failure(await bob.post(`/feeds/${feed_id}/read`, { up_to_msg_id: 1 })), '403 MISSING_PERMISSIONS')
    assert.equal(failure(await ada.post(`/feeds/${feed_id}/read`, {})), '422 VALIDATION_ERROR')
    assert.equal(failure(await ada.post('/feeds/4000/read', { up_to_msg_id: 1 })), '404 SPACE_NOT_FOUND')
  })
})
