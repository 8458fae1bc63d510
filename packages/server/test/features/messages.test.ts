import assert from 'node:assert/strict'
import { it } from 'node:test'
import { Permission, snowflakeTime } from '@vox/protocol'
import { auditTypes, lastAudit } from '../support/community.ts'
import { forEachEngine } from '../support/engines.ts'
import { uploadText } from '../support/forms.ts'
import { connectAll } from '../support/gateway-client.ts'
import { type Client, failure, startTestServer, type TestServer } from '../support/server.ts'
import { countRows } from '../support/sql.ts'

async function withFeed(server: TestServer, feed: object = {}) {
  const ada = await server.register('ada')
  const bob = await server.register('bob')
  const { body } = await ada.post('/feeds', { name: 'general', type: 'text', ...feed })
  return { ada, bob, feed: `/feeds/${body.feed_id}` }
}

async function send(client: Client, feed: string, body: string): Promise<bigint> {
  return (await client.post(`${feed}/messages`, { body })).body.msg_id
}

const ids = (answer: { body: { messages: { msg_id: bigint }[] } }) => answer.body.messages.map(({ msg_id }) => msg_id)

forEachEngine('messages of a feed', (engine) => {
  it('are answered with their id and the time inside it, and read back as sent', async () => {
    await using server = await startTestServer(engine)
    const { bob, feed } = await withFeed(server)
    const text = '  **hi** <@1> \n😀 \u0301 <script>'
    const { status, body } = await bob.post(`${feed}/messages`, { body: text, reply_to: '9007199254740993' })
    assert.equal(status, 201)
    assert.equal(typeof body.msg_id, 'bigint')
    assert.deepEqual(body, {
      msg_id: body.msg_id,
      timestamp: snowflakeTime(body.msg_id),
      interaction_id: null,
      mentions: null,
    })
    const { body: read } = await bob.get(`${feed}/messages/${body.msg_id}`)
    assert.deepEqual(
      [read.msg_id, read.feed_id, read.author_id, read.body, read.reply_to, read.edit_timestamp, read.attachments],
      [body.msg_id, 1, bob.userId, text, 9007199254740993n, null, []],
    )
  })

  it('are listed newest first between exclusive bounds', async () => {
    await using server = await startTestServer(engine)
    const { bob, feed } = await withFeed(server)
    const sent: bigint[] = []
    for (const text of ['1', '2', '3', '4', '5']) sent.unshift(await send(bob, feed, text))
    const [five, four, three, two, one] = sent
    const list = async (query: string) => ids(await bob.get(`${feed}/messages?${query}`))
    assert.deepEqual(await list(''), sent)
    assert.deepEqual(await list('limit=2'), [five, four])
    assert.deepEqual(await list(`limit=2&before=${four}`), [three, two])
    assert.deepEqual(await list(`limit=2&after=${one}`), [five, four])
    assert.deepEqual(await list(`after=${one}&before=${four}`), [three, two])
    assert.deepEqual(await list(`before=${one}`), [])
    assert.deepEqual(await list('limit=3&limit=1'), [five])
  })

  it('have ids of 64 bits, as numbers and as texts, wherever one is given', async () => {
    await using server = await startTestServer(engine)
    const { ada, bob, feed } = await withFeed(server)
    const [first, second, third] = [await send(bob, feed, '1'), await send(bob, feed, '2'), await send(bob, feed, '3')]
    assert.ok(first > 2n ** 53n)
    const LAST = 2n ** 63n - 1n
    const list = async (query: string) => ids(await bob.get(`${feed}/messages?${query}`))
    assert.deepEqual(await list(`before=${LAST}&after=0`), [third, second, first])
    assert.deepEqual(await list(`after=${LAST}`), [])
    for (const reply_to of [LAST, String(LAST), second, String(second)]) {
      const { status, body } = await bob.post(`${feed}/messages`, { body: 'x', reply_to })
      assert.equal(status, 201)
      assert.equal((await bob.get(`${feed}/messages/${body.msg_id}`)).body.reply_to, BigInt(reply_to))
    }
    for (const beyond of [LAST + 1n, String(LAST + 1n), -1, '-1', 1.5, '1e3', 'x', true]) {
      assert.equal(failure(await bob.post(`${feed}/messages`, { body: 'x', reply_to: beyond })), '422 VALIDATION_ERROR')
      if (typeof beyond !== 'boolean')
        assert.equal(failure(await bob.get(`${feed}/messages?before=${beyond}`)), '422 VALIDATION_ERROR')
    }
    assert.equal(failure(await bob.get(`${feed}/messages/${LAST}`)), '404 MESSAGE_NOT_FOUND')
    assert.equal(failure(await bob.get(`${feed}/messages/${LAST + 1n}`)), '422 VALIDATION_ERROR')
    assert.equal(
      (await ada.post(`${feed}/messages/bulk-delete`, { msg_ids: [String(first), LAST, third] })).status,
      204,
    )
    assert.deepEqual(await list(`before=${third + 1n}`), [second])
  })

  it('come in pages of at most the configured size', async () => {
    await using server = await startTestServer(engine, { env: { VOX_LIMIT_PAGE_LIMIT_MESSAGES: '2' } })
    const { bob, feed } = await withFeed(server)
    for (const text of ['1', '2', '3']) await send(bob, feed, text)
    assert.equal(ids(await bob.get(`${feed}/messages?limit=200`)).length, 2)
    for (const limit of ['0', '1001', 'x', '1.5'])
      assert.equal(failure(await bob.get(`${feed}/messages?limit=${limit}`)), '422 VALIDATION_ERROR')
  })

  it('must say something, and not too much', async () => {
    await using server = await startTestServer(engine)
    const { bob, feed } = await withFeed(server)
    const post = async (body: object) => failure(await bob.post(`${feed}/messages`, body))
    for (const empty of [{}, { body: '' }, { body: ' \n\u3000' }, { body: null }])
      assert.equal(await post(empty), '400 EMPTY_MESSAGE')
    assert.equal(await post({ body: 'x'.repeat(4001) }), '400 MESSAGE_TOO_LARGE')
    assert.equal((await bob.post(`${feed}/messages`, { body: '😀'.repeat(4000) })).status, 201)
    assert.equal(await post({ opaque_blob: 'x'.repeat(65_537) }), '413 PAYLOAD_TOO_LARGE')
    assert.equal(await post({ body: 'x', reply_to: 0 }), '422 VALIDATION_ERROR')
    assert.equal(await post({ body: 'a\0b' }), '422 VALIDATION_ERROR')
    assert.equal(await post({ body: 5 }), '422 VALIDATION_ERROR')
  })

  it('carry ciphertext as it came', async () => {
    await using server = await startTestServer(engine)
    const { ada, bob, feed } = await withFeed(server)
    const [adas] = await connectAll(server, ada)
    const { msg_id, timestamp } = (await bob.post(`${feed}/messages`, { opaque_blob: 'AAEC' })).body
    const [read] = (await bob.get(`${feed}/messages`)).body.messages
    assert.deepEqual([read.msg_id, read.body, read.opaque_blob], [msg_id, null, 'AAEC'])
    const created = { msg_id, feed_id: 1, author_id: bob.userId, body: null, timestamp, opaque_blob: 'AAEC' }
    assert.deepEqual(await adas?.told(), [['message_create', created]])
  })

  it('are edited by their author alone', async () => {
    await using server = await startTestServer(engine)
    const { ada, bob, feed } = await withFeed(server)
    const path = `${feed}/messages/${await send(bob, feed, 'helo')}`
    const edited = await bob.patch(path, { body: 'hello' })
    assert.equal(edited.status, 200)
    const read = await bob.get(path)
    assert.deepEqual([read.body.body, read.body.edit_timestamp], ['hello', edited.body.edit_timestamp])
    assert.equal(failure(await ada.patch(path, { body: 'x' })), '403 FORBIDDEN')
    assert.equal(failure(await bob.patch(path, { body: 'x'.repeat(4001) })), '422 VALIDATION_ERROR')
    assert.equal(failure(await bob.patch(path, { body: ' ' })), '400 EMPTY_MESSAGE')
    assert.equal(failure(await bob.patch(path, {})), '422 VALIDATION_ERROR')
    assert.equal(failure(await bob.patch(`${feed}/messages/1`, { body: 'x' })), '404 MESSAGE_NOT_FOUND')
  })

  it('replace text by ciphertext and back, never mixing them', async () => {
    await using server = await startTestServer(engine)
    const { bob, feed } = await withFeed(server)
    const path = `${feed}/messages/${await send(bob, feed, 'plain')}`
    await bob.patch(path, { opaque_blob: 'AAEC' })
    const encrypted = await bob.get(path)
    assert.deepEqual([encrypted.body.body, encrypted.body.opaque_blob], [null, 'AAEC'])
    await bob.patch(path, { body: 'plain again' })
    const plain = await bob.get(path)
    assert.deepEqual([plain.body.body, plain.body.opaque_blob], ['plain again', null])
    assert.equal(failure(await bob.patch(path, { opaque_blob: 'x'.repeat(65_537) })), '413 PAYLOAD_TOO_LARGE')
  })

  it('are edited within the same bounds as they are sent, counted in characters', async () => {
    await using server = await startTestServer(engine)
    const { bob, feed } = await withFeed(server)
    const path = `${feed}/messages/${await send(bob, feed, 'x')}`
    assert.equal((await bob.patch(path, { body: '😀'.repeat(4000) })).status, 200)
    assert.equal(failure(await bob.patch(path, { body: '😀'.repeat(4001) })), '422 VALIDATION_ERROR')
    assert.equal((await bob.patch(path, { body: '😀'.repeat(4000) })).status, 200)
  })

  it('are deleted, but not edited, by an author who may write no longer', async () => {
    await using server = await startTestServer(engine)
    const { ada, bob, feed } = await withFeed(server)
    const path = `${feed}/messages/${await send(bob, feed, 'x')}`
    const { SEND_MESSAGES, SEND_IN_THREADS } = Permission
    for (const deny of [SEND_MESSAGES, SEND_MESSAGES | SEND_IN_THREADS]) {
      await ada.put(`${feed}/permissions/user/${bob.userId}`, { allow: 0, deny })
      assert.equal(failure(await bob.patch(path, { body: 'y' })), '403 MISSING_PERMISSIONS')
      assert.equal(failure(await bob.patch(`${feed}/messages/1`, { body: 'y' })), '403 MISSING_PERMISSIONS')
    }
    assert.equal((await bob.delete(path)).status, 204)
  })

  it('are deleted by a moderator of their feed, and of no other', async () => {
    await using server = await startTestServer(engine)
    const { ada, bob, feed } = await withFeed(server)
    const { body: other } = await ada.post('/feeds', { name: 'other', type: 'text' })
    await ada.put(`${feed}/permissions/user/${bob.userId}`, { allow: Number(Permission.MANAGE_MESSAGES), deny: 0 })
    const [here, there] = [await send(ada, feed, 'x'), await send(ada, `/feeds/${other.feed_id}`, 'x')]
    assert.equal((await bob.delete(`${feed}/messages/${here}`)).status, 204)
    assert.equal(failure(await bob.delete(`/feeds/${other.feed_id}/messages/${there}`)), '403 MISSING_PERMISSIONS')
  })

  it('go with their reactions, pin and attachments; what answers them or hangs on them stays', async () => {
    await using server = await startTestServer(engine)
    const { ada, bob, feed } = await withFeed(server)
    const file = await uploadText(ada, 1)
    const { msg_id } = (await ada.post(`${feed}/messages`, { body: 'x', attachments: [file] })).body
    await bob.put(`${feed}/messages/${msg_id}/reactions/x`)
    await ada.put(`${feed}/pins/${msg_id}`)
    await bob.post(`${feed}/read`, { up_to_msg_id: msg_id })
    const { thread_id } = (await ada.post(`${feed}/threads`, { name: 'more', parent_msg_id: msg_id })).body
    const reply = (await bob.post(`${feed}/messages`, { body: 'y', reply_to: msg_id })).body.msg_id
    assert.equal((await ada.delete(`${feed}/messages/${msg_id}`)).status, 204)
    assert.equal((await bob.get(`${feed}/messages/${reply}`)).body.reply_to, msg_id)
    assert.equal((await bob.get(`${feed}/threads/${thread_id}/messages`)).status, 200)
    assert.deepEqual((await bob.get(`${feed}/pins`)).body.messages, [])
    assert.deepEqual(
      await countRows(
        server.databaseUrl,
        'select 1 from message_reactions',
        'select 1 from message_attachments',
        'select 1 from feed_reads',
        'select 1 from files',
      ),
      [0, 0, 1, 1],
    )
  })

  it('are deleted by their author or a moderator, once', async () => {
    await using server = await startTestServer(engine)
    const { ada, bob, feed } = await withFeed(server)
    const cid = await server.register('cid')
    const [first, second] = [await send(bob, feed, '1'), await send(bob, feed, '2')]
    const [cids] = await connectAll(server, cid)
    assert.equal(failure(await cid.delete(`${feed}/messages/${first}`)), '403 MISSING_PERMISSIONS')
    assert.equal((await bob.delete(`${feed}/messages/${first}`)).status, 204)
    assert.equal(failure(await bob.delete(`${feed}/messages/${first}`)), '404 MESSAGE_NOT_FOUND')
    assert.equal((await ada.delete(`${feed}/messages/${second}`)).status, 204)
    assert.deepEqual(ids(await bob.get(`${feed}/messages`)), [])
    const deleted = [first, second].map((msg_id) => ['message_delete', { msg_id, feed_id: 1 }])
    assert.deepEqual(await cids?.told(), deleted)
    assert.deepEqual(await auditTypes(ada), ['feed.create', 'message.delete'], 'that of the moderator alone')
    assert.deepEqual(await lastAudit(ada), ['message.delete', ada.userId, bob.userId, { feed_id: 1, msg_id: second }])
  })

  it('belong to one feed: under another they do not exist', async () => {
    await using server = await startTestServer(engine)
    const { ada, bob, feed } = await withFeed(server)
    await ada.post('/feeds', { name: 'other', type: 'text' })
    const id = await send(bob, feed, 'here')
    assert.equal(failure(await bob.get(`/feeds/2/messages/${id}`)), '404 MESSAGE_NOT_FOUND')
    assert.equal(failure(await bob.patch(`/feeds/2/messages/${id}`, { body: 'x' })), '404 MESSAGE_NOT_FOUND')
    assert.equal(failure(await bob.delete(`/feeds/2/messages/${id}`)), '404 MESSAGE_NOT_FOUND')
  })

  it('tell nobody without the permission whether a feed exists', async () => {
    await using server = await startTestServer(engine)
    const hidden = { permission_overrides: [{ target_type: 'role', target_id: 1, allow: 0, deny: 1 }] }
    const { bob } = await withFeed(server, hidden)
    const seen = await Promise.all([bob.get('/feeds/1/messages'), bob.post('/feeds/1/messages', { body: 'x' })])
    for (const answer of seen) assert.equal(failure(answer), '403 MISSING_PERMISSIONS')
    assert.equal(failure(await bob.get('/feeds/99/messages')), '404 SPACE_NOT_FOUND')
    assert.equal(failure(await bob.post('/feeds/99/messages', { body: 'x' })), '404 SPACE_NOT_FOUND')
    const [one, unknown] = [await bob.delete('/feeds/1/messages/5'), await bob.delete('/feeds/1/messages/6')]
    assert.equal(failure(one), '403 MISSING_PERMISSIONS')
    assert.deepEqual(one.body, unknown.body)
  })

  it('in announcement feeds come from those who manage spaces', async () => {
    await using server = await startTestServer(engine)
    const { ada, bob, feed } = await withFeed(server, { type: 'announcement' })
    assert.equal(failure(await bob.post(`${feed}/messages`, { body: 'x' })), '403 FORBIDDEN')
    assert.equal((await ada.post(`${feed}/messages`, { body: 'x' })).status, 201)
    await ada.put(`${feed}/permissions/user/${bob.userId}`, { allow: Permission.MANAGE_SPACES, deny: 0 })
    assert.equal((await bob.post(`${feed}/messages`, { body: 'x' })).status, 201)
  })

  it('come before the ban of their author, or not at all', async () => {
    await using server = await startTestServer(engine)
    const { ada, bob, feed } = await withFeed(server)
    const { thread_id } = (await ada.post(`${feed}/threads`, { name: 'thread' })).body
    const [adas] = await connectAll(server, ada)
    const places = [`${feed}/messages`, `${feed}/threads/${thread_id}/messages`]
    const post = () => places.map((place) => bob.post(place, { body: 'x' }))
    const sent = [...post(), ...post(), ada.put(`/bans/${bob.userId}`), ...post(), ...post()]
    const answers = (await Promise.all(sent)).map(({ status }) => status)
    const told = ((await adas?.told()) ?? []).map(([type]) => type)
    assert.equal(told.indexOf('member_ban'), answers.filter((status) => status === 201).length)
  })

  it('get rising ids in the order in which they become visible, also when many post at once', async () => {
    await using server = await startTestServer(engine)
    const { ada, bob, feed } = await withFeed(server)
    const sent = await Promise.all(Array.from({ length: 100 }, (_, i) => send(i % 2 ? ada : bob, feed, String(i))))
    assert.equal(new Set(sent).size, 100)
    const listed = ids(await bob.get(`${feed}/messages?limit=100`))
    assert.deepEqual(
      listed,
      [...sent].sort((a, b) => (a < b ? 1 : -1)),
    )
  })
})

forEachEngine('an edited message', (engine) => {
  it('is told to those who see the feed, with what replaced its content', async () => {
    await using server = await startTestServer(engine)
    const [ada, bob, cleo] = [await server.register('ada'), await server.register('bob'), await server.register('cleo')]
    const { feed_id } = (await ada.post('/feeds', { name: 'general', type: 'text' })).body
    await ada.put(`/feeds/${feed_id}/permissions/user/${cleo.userId}`, { allow: 0, deny: 1 })
    const { msg_id } = (await bob.post(`/feeds/${feed_id}/messages`, { body: 'tea' })).body
    const [reader, stranger] = await connectAll(server, ada, cleo)
    for (const again of [false, true]) {
      const { edit_timestamp } = (await bob.patch(`/feeds/${feed_id}/messages/${msg_id}`, { body: 'coffee' })).body
      const update = { msg_id, feed_id, body: 'coffee', edit_timestamp }
      assert.deepEqual(await reader?.told(), [['message_update', update]], again ? 'the same text again' : undefined)
    }
    assert.deepEqual(await stranger?.told(), [])
  })
})
