import assert from 'node:assert/strict'
import { it } from 'node:test'
import { Permission } from '@vox/protocol'
import { forEachEngine } from '../support/engines.ts'
import { connectAll, type GatewayClient } from '../support/gateway-client.ts'
import { failure, startTestServer, type TestServer } from '../support/server.ts'

async function withFeed(server: TestServer) {
  const [ada, bob, cleo] = [await server.register('ada'), await server.register('bob'), await server.register('cleo')]
  const { feed_id } = (await ada.post('/feeds', { name: 'general', type: 'text' })).body
  return { ada, bob, cleo, feed_id, messages: `/feeds/${feed_id}/messages` }
}

/** The kinds of notification a client was told of. */
const kinds = async (client: GatewayClient | undefined) =>
  ((await client?.told()) ?? [])
    .filter(([type]) => type === 'notification_create')
    .map(([, data]) => (data as { type: string }).type)

forEachEngine('mentions', (engine) => {
  it('are answered, announced and read back as they were accepted', async () => {
    await using server = await startTestServer(engine)
    const { ada, bob, messages } = await withFeed(server)
    const [reader] = await connectAll(server, ada)
    const post = async (mentions: unknown) => (await bob.post(messages, { body: 'x', mentions })).body
    const sent = await post([{ user_id: 7 }, 7, '7', 0, 999])
    assert.deepEqual(sent.mentions, [7, 999])
    const [[, event] = []] = (await reader?.told()) ?? []
    assert.deepEqual((event as { mentions: number[] }).mentions, [7, 999])
    assert.deepEqual((await bob.get(`${messages}/${sent.msg_id}`)).body.mentions, [7, 999])
    assert.deepEqual((await post([0])).mentions, [])
    const [[, without] = []] = (await reader?.told()) ?? []
    assert.equal(Object.hasOwn(without as object, 'mentions'), false)
    assert.equal((await post(null)).mentions, null)
    assert.deepEqual((await ada.post(messages, { body: 'x', mentions: [0] })).body.mentions, [0])
  })

  it('are positive and few', async () => {
    await using server = await startTestServer(engine)
    const { bob, messages } = await withFeed(server)
    for (const mentions of [[-1], ['x'], [1.5], Array.from({ length: 101 }, (_, i) => i)])
      assert.equal(failure(await bob.post(messages, { body: 'x', mentions })), '422 VALIDATION_ERROR')
    assert.equal(failure(await bob.post(messages, { mentions: [2] })), '400 EMPTY_MESSAGE')
  })
})

forEachEngine('a notification', (engine) => {
  it('follows its message and says who, where and what', async () => {
    await using server = await startTestServer(engine)
    const { ada, bob, feed_id, messages } = await withFeed(server)
    const [mentioned] = await connectAll(server, ada)
    const { msg_id } = (await bob.post(messages, { body: '😀'.repeat(101), mentions: [ada.userId] })).body
    const [message, notification] = (await mentioned?.told()) ?? []
    assert.equal(message?.[0], 'message_create')
    assert.deepEqual(notification, [
      'notification_create',
      {
        user_id: ada.userId,
        type: 'mention',
        feed_id,
        msg_id,
        actor_id: bob.userId,
        body_preview: `${'😀'.repeat(99)}…`,
      },
    ])
    await bob.post(messages, { body: '😀'.repeat(100), mentions: [ada.userId] })
    const [, [, whole] = []] = (await mentioned?.told()) ?? []
    assert.equal((whole as { body_preview: string }).body_preview, '😀'.repeat(100))
    await bob.post(messages, { opaque_blob: 'abc', mentions: [ada.userId] })
    const [, [, blind] = []] = (await mentioned?.told()) ?? []
    assert.equal(Object.hasOwn(blind as object, 'body_preview'), false)
  })

  it('comes once: as a mention rather than a reply, as a reply rather than a message', async () => {
    await using server = await startTestServer(engine)
    const { ada, bob, cleo, feed_id, messages } = await withFeed(server)
    for (const client of [ada, bob, cleo]) assert.ok((await client.put(`/feeds/${feed_id}/subscribers`)).status < 300)
    const { msg_id } = (await bob.post(messages, { body: 'question' })).body
    const sessions = await connectAll(server, ada, bob, cleo)
    await ada.post(messages, { body: 'answer', reply_to: msg_id, mentions: [bob.userId, ada.userId] })
    assert.deepEqual(await Promise.all(sessions.map(kinds)), [[], ['mention'], ['message']])
    await ada.post(messages, { body: 'answer', reply_to: msg_id })
    assert.deepEqual(await Promise.all(sessions.map(kinds)), [[], ['reply'], ['message']])
    await bob.post(messages, { body: 'myself', reply_to: msg_id, mentions: [bob.userId] })
    assert.deepEqual(await Promise.all(sessions.map(kinds)), [['message'], [], ['message']])
    await ada.post(messages, { body: 'all', mentions: [0] })
    assert.deepEqual(await Promise.all(sessions.map(kinds)), [[], ['mention'], ['mention']])
  })

  it('is for who sees the message and has not blocked its author', async () => {
    await using server = await startTestServer(engine)
    const { ada, bob, cleo, feed_id, messages } = await withFeed(server)
    const hidden = (await ada.post('/feeds', { name: 'hidden', type: 'text' })).body.feed_id
    const secret = (await ada.post(`/feeds/${hidden}/messages`, { body: 'x' })).body.msg_id
    assert.ok(
      (
        await ada.put(`/feeds/${feed_id}/permissions/user/${cleo.userId}`, {
          allow: 0,
          deny: Number(Permission.VIEW_SPACE),
        })
      ).status < 300,
    )
    assert.ok((await bob.put(`/users/@me/blocks/${ada.userId}`)).status < 300)
    const sessions = await connectAll(server, ada, bob, cleo)
    await ada.post(messages, { body: 'x', mentions: [bob.userId, cleo.userId, 4000] })
    await ada.post(messages, { body: 'x', mentions: [0] })
    assert.deepEqual(await Promise.all(sessions.map(kinds)), [[], [], []])
    await bob.post(messages, { body: 'x', reply_to: secret })
    assert.deepEqual(await Promise.all(sessions.map(kinds)), [[], [], []])
    await bob.post(messages, { body: 'x', mentions: [ada.userId] })
    assert.deepEqual(await Promise.all(sessions.map(kinds)), [['mention'], [], []], 'the block of the author is none')
  })

  it('of a thread message goes to the subscribers of the thread, not to those of the feed', async () => {
    await using server = await startTestServer(engine)
    const { ada, bob, cleo, feed_id, messages } = await withFeed(server)
    const { msg_id } = (await ada.post(messages, { body: 'x' })).body
    const { thread_id } = (await ada.post(`/feeds/${feed_id}/threads`, { name: 'more', parent_msg_id: msg_id })).body
    assert.ok((await bob.put(`/feeds/${feed_id}/threads/${thread_id}/subscribers`)).status < 300)
    assert.ok((await cleo.put(`/feeds/${feed_id}/subscribers`)).status < 300)
    const sessions = await connectAll(server, bob, cleo)
    await ada.post(`/feeds/${feed_id}/threads/${thread_id}/messages`, { body: 'x' })
    const [told] = (await Promise.all(sessions.map((session) => session.told()))).map((events) =>
      events.filter(([type]) => type === 'notification_create').map(([, data]) => data),
    )
    assert.equal((told?.[0] as { thread_id: number } | undefined)?.thread_id, thread_id)
  })
})
