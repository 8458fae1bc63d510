import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { Permission } from '@vox/protocol'
import { threadName } from '../../src/features/threads/threads.ts'
import { auditTypes, registerAll } from '../support/community.ts'
import { forEachEngine } from '../support/engines.ts'
import { connectAll, GatewayClient } from '../support/gateway-client.ts'
import { failure, startTestServer, type TestServer } from '../support/server.ts'
import { countRows, runSql } from '../support/sql.ts'

interface Listed {
  thread_id: number
  subscribed: boolean
}

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
    const { msg_id } = (await bob.post('/feeds/1/threads/1/messages', { body: 'x' })).body
    const gateway = await GatewayClient.connect(server, bob)
    assert.equal((await ada.patch('/threads/1', { locked: true, archived: true })).body.locked, true)
    assert.deepEqual(await gateway.told(), [['thread_update', { thread_id: 1, locked: true, archived: true }]])
    for (const client of [ada, bob])
      assert.equal(failure(await client.post('/feeds/1/threads/1/messages', { body: 'x' })), '403 THREAD_LOCKED')
    assert.equal((await bob.patch(`/feeds/1/messages/${msg_id}`, { body: 'y' })).status, 200)
    assert.equal((await bob.delete(`/feeds/1/messages/${msg_id}`)).status, 204)
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

  it('go with any number of messages, in one event, while others write', async () => {
    await using server = await startTestServer(engine)
    const { ada, bob } = await withThread(server)
    await runSql(
      server.databaseUrl,
      `insert into messages (msg_id, feed_id, thread_id, author_id, body)
        with recursive n(i) as (select 1 union all select i + 1 from n where i < 1700)
        select i, 1, 1, ${bob.userId}, 'inside' from n`,
    )
    const gateway = await GatewayClient.connect(server, bob)
    const deletion = ada.delete('/threads/1')
    const { body: written } = await bob.post('/feeds/1/messages', { body: 'meanwhile' })
    assert.equal((await deletion).status, 204)
    assert.deepEqual(
      (await gateway.told()).filter(([type]) => type !== 'message_create'),
      [['thread_delete', { thread_id: 1 }]],
    )
    const left = [
      'select 1 from messages where thread_id = 1',
      `select 1 from messages where msg_id = ${written.msg_id}`,
    ]
    assert.deepEqual(await countRows(server.databaseUrl, ...left), [0, 1])
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

  it('come in pages, each once, with the subscriptions of the caller', async () => {
    await using server = await startTestServer(engine)
    const { bob, parent } = await withThread(server)
    for (const name of ['b', 'c']) await bob.post('/feeds/1/threads', { parent_msg_id: parent, name })
    await bob.put('/feeds/1/threads/2/subscribers')
    const page = async (query: string) => {
      const { body } = await bob.get(`/feeds/1/threads?${query}`)
      return [body.items.map((item: Listed) => [item.thread_id, item.subscribed]), body.cursor]
    }
    assert.deepEqual(await page('limit=2'), [
      [
        [1, false],
        [2, true],
      ],
      '2',
    ])
    assert.deepEqual(await page('limit=2&after=2'), [[[3, false]], '3'])
    assert.deepEqual(await page('limit=2&cursor=3'), [[], null])
    assert.deepEqual((await bob.get('/feeds/1/threads?limit=1')).body.items[0], (await bob.get('/threads/1')).body)
    for (const query of ['limit=0', 'after=x', 'archived=maybe'])
      assert.equal(failure(await bob.get(`/feeds/1/threads?${query}`)), '422 VALIDATION_ERROR')
  })

  it('need a name and a message, and the right to create them', async () => {
    await using server = await startTestServer(engine)
    const { ada, bob, parent } = await withThread(server)
    const begin = async (body: object) => failure(await bob.post('/feeds/1/threads', body))
    const message = { parent_msg_id: parent }
    for (const body of [{}, message, { name: 'x' }, { ...message, name: '' }, { ...message, name: 'x'.repeat(65) }])
      assert.equal(await begin(body), '422 VALIDATION_ERROR')
    for (const patch of [{ name: '' }, { name: 'a\tb' }, { locked: 'x' }])
      assert.equal(failure(await ada.patch('/threads/1', patch)), '422 VALIDATION_ERROR')
    await ada.put('/feeds/1/permissions/role/1', { allow: 0, deny: Permission.CREATE_THREADS })
    assert.equal(await begin({ ...message, name: 'x' }), '403 MISSING_PERMISSIONS')
    assert.equal(await begin({}), '403 MISSING_PERMISSIONS')
  })

  it('are told of to those who see the feed, their subscriptions to the subscriber alone', async () => {
    await using server = await startTestServer(engine)
    const { ada, bob, parent } = await withThread(server)
    const cid = await server.register('cid')
    await ada.put(`/feeds/1/permissions/user/${cid.userId}`, { allow: 0, deny: Permission.VIEW_SPACE })
    const [adas, bobs, cids] = await connectAll(server, ada, bob, cid)
    await bob.post('/feeds/1/threads', { parent_msg_id: parent, name: 'two' })
    await bob.put('/feeds/1/threads/2/subscribers')
    await bob.put('/feeds/1/threads/2/subscribers')
    await bob.delete('/feeds/1/threads/2/subscribers')
    await ada.patch('/threads/2', { name: 'renamed' })
    await ada.patch('/threads/2', {})
    await ada.delete('/threads/2')
    const created = ['thread_create', { thread_id: 2, parent_feed_id: 1, name: 'two', parent_msg_id: parent }]
    const changes = [
      ['thread_update', { thread_id: 2, name: 'renamed' }],
      ['thread_delete', { thread_id: 2 }],
    ]
    const own = { thread_id: 2, user_id: bob.userId }
    const subscriptions = ['thread_subscribe', 'thread_subscribe', 'thread_unsubscribe'].map((type) => [type, own])
    assert.deepEqual(await adas?.told(), [created, ...changes])
    assert.deepEqual(await bobs?.told(), [created, ...subscriptions, ...changes])
    assert.deepEqual(await cids?.told(), [])
    assert.deepEqual(await auditTypes(ada), ['feed.create', 'permission_override.update', 'thread.delete'])
  })

  it('are managed by an override in its own feed alone', async () => {
    await using server = await startTestServer(engine)
    const { ada, bob } = await withThread(server)
    await ada.post('/feeds', { name: 'other', type: 'text' })
    const { body: parent } = await bob.post('/feeds/2/messages', { body: 'x' })
    await bob.post('/feeds/2/threads', { parent_msg_id: parent.msg_id, name: 'elsewhere' })
    await ada.put(`/feeds/1/permissions/user/${bob.userId}`, { allow: Permission.MANAGE_THREADS, deny: 0 })
    assert.equal((await bob.patch('/threads/1', { archived: true })).body.archived, true)
    assert.equal(failure(await bob.patch('/threads/2', { archived: true })), '403 MISSING_PERMISSIONS')
    assert.equal(failure(await bob.patch('/threads/2', { archived: 'x' })), '403 MISSING_PERMISSIONS')
    assert.equal(failure(await bob.delete('/threads/2')), '403 MISSING_PERMISSIONS')
    assert.equal((await bob.delete('/threads/1')).status, 204)
    for (const id of ['1', '99']) assert.equal(failure(await ada.delete(`/threads/${id}`)), '404 SPACE_NOT_FOUND')
    for (const id of ['x', '-1', '4294967296', '1e400', '99999999999999999999'])
      assert.equal(failure(await ada.delete(`/threads/${id}`)), '422 VALIDATION_ERROR')
  })

  it('are managed before the right to it is lost, or not at all', async () => {
    await using server = await startTestServer(engine)
    const { ada, bob } = await withThread(server)
    const right = `/feeds/1/permissions/user/${bob.userId}`
    await ada.put(right, { allow: Permission.MANAGE_THREADS, deny: 0 })
    const [adas] = await connectAll(server, ada)
    const edits = () => ['a', 'b', 'c', 'd'].map((name) => bob.patch('/threads/1', { name }))
    const answers = (await Promise.all([...edits(), ada.delete(right), ...edits(), ...edits()])).map((a) => a.status)
    const told = ((await adas?.told()) ?? []).map(([type]) => type)
    assert.equal(told.indexOf('permission_override_delete'), answers.filter((status) => status === 200).length)
  })

  it('deleted by two at once are deleted by one', async () => {
    await using server = await startTestServer(engine)
    const { ada } = await withThread(server)
    const answers = await Promise.all([ada.delete('/threads/1'), ada.delete('/threads/1')])
    assert.deepEqual(answers.map(({ status }) => status).sort(), [204, 404])
  })

  it('stay when the message they hang on is deleted', async () => {
    await using server = await startTestServer(engine)
    const { bob, parent, thread } = await withThread(server)
    assert.equal((await bob.delete(`/feeds/1/messages/${parent}`)).status, 204)
    assert.deepEqual((await bob.get('/threads/1')).body, thread)
    assert.equal((await bob.post('/feeds/1/threads/1/messages', { body: 'x' })).status, 201)
  })

  it('have the same rules for their messages as feeds have', async () => {
    await using server = await startTestServer(engine)
    const { ada, bob } = await withThread(server)
    const post = async (body: object) => failure(await bob.post('/feeds/1/threads/1/messages', body))
    assert.equal(await post({}), '400 EMPTY_MESSAGE')
    assert.equal(await post({ body: 'x'.repeat(4001) }), '400 MESSAGE_TOO_LARGE')
    assert.equal(await post({ opaque_blob: 'x'.repeat(65_537) }), '413 PAYLOAD_TOO_LARGE')
    assert.equal(await post({ body: 5 }), '422 VALIDATION_ERROR')
    const sent: bigint[] = []
    for (const body of ['1', '2', '3'])
      sent.unshift((await bob.post('/feeds/1/threads/1/messages', { body })).body.msg_id)
    const ids = async (query: string) =>
      (await bob.get(`/feeds/1/threads/1/messages?${query}`)).body.messages.map((m: { msg_id: bigint }) => m.msg_id)
    assert.deepEqual(await ids(''), sent)
    assert.deepEqual(await ids(`limit=1&before=${sent[0]}`), [sent[1]])
    assert.deepEqual(await ids(`after=${sent[2]}`), sent.slice(0, 2))
    await ada.post('/feeds', { name: 'other', type: 'text' })
    const elsewhere = `/feeds/2/messages/${sent[0]}`
    assert.equal(failure(await bob.get(elsewhere)), '404 MESSAGE_NOT_FOUND')
    assert.equal(failure(await bob.patch(elsewhere, { body: 'x' })), '404 MESSAGE_NOT_FOUND')
    assert.equal(failure(await bob.delete(elsewhere)), '404 MESSAGE_NOT_FOUND')
    assert.equal(failure(await bob.get('/feeds/2/threads/1/messages')), '404 SPACE_NOT_FOUND')
    assert.equal(failure(await bob.post('/feeds/2/threads/1/messages', { body: 'x' })), '404 SPACE_NOT_FOUND')
    assert.equal((await bob.delete(`/feeds/1/messages/${sent[0]}`)).status, 204)
    await ada.put('/feeds/1/permissions/role/1', { allow: 0, deny: Permission.READ_HISTORY })
    assert.equal(failure(await bob.get('/feeds/1/threads/1/messages')), '403 MISSING_PERMISSIONS')
  })

  it('take messages in announcement feeds from everybody, and begin no thread in forums', async () => {
    await using server = await startTestServer(engine)
    const [ada, bob] = await registerAll(server, 'ada', 'bob')
    for (const type of ['announcement', 'forum']) await ada.post('/feeds', { name: type, type })
    const { body: news } = await ada.post('/feeds/1/messages', { body: 'news' })
    await bob.post('/feeds/1/threads', { parent_msg_id: news.msg_id, name: 'talk' })
    assert.equal((await bob.post('/feeds/1/threads/1/messages', { body: 'x' })).status, 201)
    await bob.post('/feeds/2/messages', { body: 'post' })
    assert.equal((await bob.post('/feeds/2/threads/2/messages', { body: 'answer' })).status, 201)
    const { items } = (await bob.get('/feeds/2/threads')).body
    assert.deepEqual(
      items.map(({ name, creator_id }: { name: string; creator_id: number }) => [name, creator_id]),
      [['post', bob.userId]],
    )
  })
})

describe('the name of the thread that a post begins', () => {
  it('is the beginning of the post on one line', () => {
    assert.equal(threadName('Tea?', 64), 'Tea?')
    assert.equal(threadName('  one\r\n\ttwo\u0007three ', 64), 'one two three')
    assert.equal(threadName('😀'.repeat(100), 64), '😀'.repeat(64))
    assert.equal(threadName('x'.repeat(100), 10), 'x'.repeat(10))
    assert.equal(threadName(`${'x'.repeat(9)} y`, 10), 'x'.repeat(9))
    assert.equal(threadName('x'.repeat(100), 200), 'x'.repeat(64))
  })

  it('is Thread when nothing of the post can be seen', () => {
    for (const body of [null, '', ' \n ', '\u200b', '\u0001']) assert.equal(threadName(body, 64), 'Thread')
  })
})
