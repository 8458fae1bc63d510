import assert from 'node:assert/strict'
import { it } from 'node:test'
import { Permission } from '@vox/protocol'
import { TestClock } from '../support/clock.ts'
import { createFeed, registerAll } from '../support/community.ts'
import { forEachEngine } from '../support/engines.ts'
import { Client, failure, startTestServer } from '../support/server.ts'

forEachEngine('slow mode', (engine) => {
  it('makes members wait, and moderators not', async () => {
    const clock = new TestClock()
    await using server = await startTestServer(engine, { clock })
    const ada = await server.register('ada')
    const bob = await server.register('bob')
    await ada.post('/feeds', { name: 'slow', type: 'text', slowmode_seconds: 10 })
    const post = (client: typeof bob) => client.post('/feeds/1/messages', { body: 'x' })
    const { body: first } = await post(bob)
    clock.advance(4_000)
    await bob.delete(`/feeds/1/messages/${first.msg_id}`)
    const refused = await post(bob)
    assert.equal(failure(refused), '429 RATE_LIMITED')
    assert.equal(refused.body.error.retry_after_ms, 6_000)
    assert.equal(refused.headers.get('retry-after'), '6')
    for (let i = 0; i < 3; i++) assert.equal((await post(ada)).status, 201)
    clock.advance(6_000)
    assert.equal((await post(bob)).status, 201)
  })

  it('counts threads of the feed, and what was posted before it was switched on', async () => {
    const clock = new TestClock()
    await using server = await startTestServer(engine, { clock })
    const [ada, bob] = await registerAll(server, 'ada', 'bob')
    const [slow, other] = [await createFeed(ada), await createFeed(ada)]
    const post = (path: string) => bob.post(`${path}/messages`, { body: 'x' })
    const { body: parent } = await post(`/feeds/${slow}`)
    await bob.post(`/feeds/${slow}/threads`, { parent_msg_id: parent.msg_id, name: 't' })
    clock.advance(1_000)
    await ada.patch(`/feeds/${slow}`, { slowmode_seconds: 10 })
    for (const path of [`/feeds/${slow}`, `/feeds/${slow}/threads/1`]) {
      const refused = await post(path)
      assert.equal(failure(refused), '429 RATE_LIMITED')
      assert.equal(refused.body.error.retry_after_ms, 9_000)
    }
    assert.equal((await post(`/feeds/${other}`)).status, 201)
    clock.advance(9_000)
    assert.equal((await post(`/feeds/${slow}/threads/1`)).status, 201)
    assert.equal(failure(await post(`/feeds/${slow}`)), '429 RATE_LIMITED')
    await ada.patch(`/feeds/${slow}`, { slowmode_seconds: 0 })
    assert.equal((await post(`/feeds/${slow}`)).status, 201)
  })

  it('lasts over a restart, and is lifted by the rights to manage messages or spaces', async () => {
    const clock = new TestClock()
    await using before = await startTestServer(engine, { clock })
    const [ada, bob] = await registerAll(before, 'ada', 'bob')
    await ada.post('/feeds', { name: 'slow', type: 'text', slowmode_seconds: 10 })
    const { body: first } = await bob.post('/feeds/1/messages', { body: 'x' })
    await bob.delete(`/feeds/1/messages/${first.msg_id}`)
    await before.close()
    await using after = await startTestServer(engine, { clock, env: { VOX_DATABASE_URL: before.databaseUrl } })
    const post = () => new Client(after.url, bob.token).post('/feeds/1/messages', { body: 'x' })
    assert.equal(failure(await post()), '429 RATE_LIMITED')
    const admin = new Client(after.url, ada.token)
    for (const right of [Permission.MANAGE_MESSAGES, Permission.MANAGE_SPACES]) {
      await admin.put(`/feeds/1/permissions/user/${bob.userId}`, { allow: right, deny: 0 })
      assert.equal((await post()).status, 201)
    }
    await admin.delete(`/feeds/1/permissions/user/${bob.userId}`)
    assert.equal(failure(await post()), '429 RATE_LIMITED')
  })

  it('is asked after what is wrong with the message itself, and stores nothing', async () => {
    await using server = await startTestServer(engine, { clock: new TestClock() })
    const [ada, bob] = await registerAll(server, 'ada', 'bob')
    await ada.post('/feeds', { name: 'slow', type: 'text', slowmode_seconds: 10 })
    await bob.post('/feeds/1/messages', { body: 'x' })
    assert.equal(failure(await bob.post('/feeds/1/messages', {})), '400 EMPTY_MESSAGE')
    assert.equal(failure(await bob.post('/feeds/1/messages', { body: 'y' })), '429 RATE_LIMITED')
    assert.equal((await bob.get('/feeds/1/messages')).body.messages.length, 1)
    assert.equal((await bob.get('/feeds/1')).body.slowmode_seconds, 10)
  })
})
