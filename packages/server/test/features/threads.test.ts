import assert from 'node:assert/strict'
import { it } from 'node:test'
import { Permission } from '@vox/protocol'
import { TestClock } from '../support/clock.ts'
import { forEachEngine } from '../support/engines.ts'
import { GatewayClient } from '../support/gateway-client.ts'
import { failure, startTestServer, type TestServer } from '../support/server.ts'

async function withThread(server: TestServer) {
  const ada = await server.register('ada')
  const bob = await server.register('bob')
  await ada.post('/feeds', { name: 'general', type: 'text' })
  const { body: parent } = await bob.post('/feeds/1/messages', { body: 'parent' })
  const { status, body: thread } = await bob.post('/feeds/1/threads', { parent_msg_id: parent.msg_id, name: 'tea' })
  assert.equal(status, 201)
  return { ada, bob, parent: parent.msg_id as bigint, thread }
}

forEachEngine('threads', (engine) => {
  it('hang on a message of the feed itself', async () => {
    await using server = await startTestServer(engine)
    const { ada, bob, parent, thread } = await withThread(server)
    const { created_at, ...rest } = thread
    assert.equal(typeof created_at, 'number')
    assert.deepEqual(rest, {
      thread_id: 1,
      parent_feed_id: 1,
      parent_msg_id: parent,
      name: 'tea',
      archived: false,
      locked: false,
      creator_id: bob.userId,
      subscribed: false,
    })
    const { body: inside } = await bob.post('/feeds/1/threads/1/messages', { body: 'inside' })
    await ada.post('/feeds', { name: 'other', type: 'text' })
    const begin = async (feed: number, parent_msg_id: bigint) =>
      failure(await bob.post(`/feeds/${feed}/threads`, { parent_msg_id, name: 'x' }))
    assert.equal(await begin(2, parent), '404 MESSAGE_NOT_FOUND')
    assert.equal(await begin(1, inside.msg_id), '404 MESSAGE_NOT_FOUND')
    assert.equal(await begin(1, 5n), '404 MESSAGE_NOT_FOUND')
    assert.equal(await begin(99, parent), '404 SPACE_NOT_FOUND')
  })

  it('keep their messages out of the history of the feed', async () => {
    await using server = await startTestServer(engine)
    const { bob, parent } = await withThread(server)
    const gateway = await GatewayClient.connect(server, bob)
    const { body: sent } = await bob.post('/feeds/1/threads/1/messages', { body: 'inside' })
    const [[type, data] = []] = await gateway.told()
    assert.deepEqual([type, (data as { thread_id: number }).thread_id], ['message_create', 1])
    const ids = async (path: string) =>
      (await bob.get(path)).body.messages.map(({ msg_id }: { msg_id: bigint }) => msg_id)
    assert.deepEqual(await ids('/feeds/1/messages'), [parent])
    assert.deepEqual(await ids('/feeds/1/threads/1/messages'), [sent.msg_id])
    assert.equal((await bob.get(`/feeds/1/messages/${sent.msg_id}`)).body.thread_id, 1)
    assert.equal((await bob.patch(`/feeds/1/messages/${sent.msg_id}`, { body: 'edited' })).status, 200)
    assert.equal(failure(await bob.get('/feeds/1/threads/9/messages')), '404 SPACE_NOT_FOUND')
    assert.equal(failure(await bob.post('/feeds/1/threads/9/messages', { body: 'x' })), '404 SPACE_NOT_FOUND')
  })

  it('are written to, and corrected, by those who may write in threads only', async () => {
    await using server = await startTestServer(engine)
    const { ada, bob } = await withThread(server)
    await ada.put('/feeds/1/permissions/role/1', { allow: 0, deny: Permission.SEND_MESSAGES })
    const { status, body } = await bob.post('/feeds/1/threads/1/messages', { body: 'x' })
    assert.equal(status, 201)
    assert.equal((await bob.patch(`/feeds/1/messages/${body.msg_id}`, { body: 'y' })).status, 200)
    assert.equal(failure(await bob.post('/feeds/1/messages', { body: 'x' })), '403 MISSING_PERMISSIONS')
    await ada.put('/feeds/1/permissions/role/1', { allow: 0, deny: Permission.SEND_IN_THREADS })
    assert.equal(failure(await bob.post('/feeds/1/threads/1/messages', { body: 'x' })), '403 MISSING_PERMISSIONS')
  })

  it('that are locked take no message from anybody; archived ones do', async () => {
    await using server = await startTestServer(engine)
    const { ada, bob } = await withThread(server)
    const gateway = await GatewayClient.connect(server, bob)
    assert.equal((await ada.patch('/threads/1', { locked: true, archived: true })).body.locked, true)
    assert.deepEqual(await gateway.told(), [['thread_update', { thread_id: 1, locked: true, archived: true }]])
    for (const client of [ada, bob])
      assert.equal(failure(await client.post('/feeds/1/threads/1/messages', { body: 'x' })), '403 THREAD_LOCKED')
    await ada.patch('/threads/1', { locked: false })
    assert.equal((await bob.post('/feeds/1/threads/1/messages', { body: 'x' })).status, 201)
    const listed = async (query: string) => (await bob.get(`/feeds/1/threads${query}`)).body.items.length
    assert.deepEqual([await listed(''), await listed('?archived=true'), await listed('?archived=no')], [1, 1, 0])
  })

  it('are managed where the permission holds, and hidden with their feed', async () => {
    await using server = await startTestServer(engine)
    const { ada, bob } = await withThread(server)
    assert.equal(failure(await bob.patch('/threads/1', { name: 'x' })), '403 MISSING_PERMISSIONS')
    assert.equal(failure(await bob.patch('/threads/9', { name: 'x' })), '403 MISSING_PERMISSIONS')
    assert.equal(failure(await ada.patch('/threads/9', { name: 'x' })), '404 SPACE_NOT_FOUND')
    const manage = { allow: Permission.MANAGE_THREADS, deny: 0 }
    await ada.put(`/feeds/1/permissions/user/${bob.userId}`, manage)
    assert.equal((await bob.patch('/threads/1', { name: 'x' })).body.name, 'x')
    await ada.put(`/feeds/1/permissions/user/${bob.userId}`, { allow: 0, deny: Permission.VIEW_SPACE })
    assert.equal(failure(await bob.get('/threads/1')), '404 SPACE_NOT_FOUND')
    assert.equal(failure(await bob.delete('/threads/1')), '403 MISSING_PERMISSIONS')
  })

  it('go with their messages, and leave the message they hang on', async () => {
    await using server = await startTestServer(engine)
    const { ada, bob, parent } = await withThread(server)
    const { body: inside } = await bob.post('/feeds/1/threads/1/messages', { body: 'inside' })
    assert.equal((await ada.delete('/threads/1')).status, 204)
    assert.equal(failure(await bob.get(`/feeds/1/messages/${inside.msg_id}`)), '404 MESSAGE_NOT_FOUND')
    assert.equal((await bob.get(`/feeds/1/messages/${parent}`)).status, 200)
    const { body } = await ada.get('/audit-log?event_type=thread.delete')
    assert.deepEqual(body.entries[0].metadata, { name: 'tea', feed_id: 1 })
  })

  it('are subscribed to under their own feed', async () => {
    await using server = await startTestServer(engine)
    const { bob } = await withThread(server)
    assert.equal((await bob.put('/feeds/1/threads/1/subscribers')).status, 204)
    assert.equal((await bob.get('/threads/1')).body.subscribed, true)
    assert.equal(failure(await bob.put('/feeds/2/threads/1/subscribers')), '404 SPACE_NOT_FOUND')
    assert.equal((await bob.delete('/feeds/1/threads/1/subscribers')).status, 204)
    assert.equal((await bob.get('/threads/1')).body.subscribed, false)
  })

  it('begin with every post of a forum, before the post itself', async () => {
    await using server = await startTestServer(engine)
    const ada = await server.register('ada')
    await ada.post('/feeds', { name: 'ideas', type: 'forum' })
    const gateway = await GatewayClient.connect(server, ada)
    const { body } = await ada.post('/feeds/1/messages', { body: ` first line\nsecond ${'x'.repeat(100)}` })
    await ada.post('/feeds/1/messages', { opaque_blob: 'AAEC' })
    const told = await gateway.told()
    assert.deepEqual(
      told.map(([type]) => type),
      ['thread_create', 'message_create', 'thread_create', 'message_create'],
    )
    const name = `first line second ${'x'.repeat(100)}`.slice(0, 64)
    assert.deepEqual(told[0]?.[1], { thread_id: 1, parent_feed_id: 1, name, parent_msg_id: body.msg_id })
    assert.equal((told[2]?.[1] as { name?: string } | undefined)?.name, 'Thread')
  })
})

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
})
