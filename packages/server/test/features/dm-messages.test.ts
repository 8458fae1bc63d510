import assert from 'node:assert/strict'
import { it } from 'node:test'
import { DEFAULT_LIMITS } from '@vox/protocol'
import { TestClock } from '../support/clock.ts'
import { registerAll } from '../support/community.ts'
import { createGroup, listed, openPair, say, textsIn } from '../support/conversations.ts'
import { forEachEngine } from '../support/engines.ts'
import { connectAll } from '../support/gateway-client.ts'
import { failure, startTestServer, type TestServer } from '../support/server.ts'

const BLOB_MAX = 4 * DEFAULT_LIMITS.relay_payload_max

/** Ada and Bob in a conversation, Cleo outside. */
async function withPair(server: TestServer) {
  const [ada, bob, cleo] = await registerAll(server, 'ada', 'bob', 'cleo')
  const dm = await openPair(ada, bob)
  return { ada, bob, cleo, dm, messages: `/dms/${dm}/messages` }
}

forEachEngine('a direct message', (engine) => {
  it('is told to the participants and read back as it was sent', async () => {
    const clock = new TestClock()
    await using server = await startTestServer(engine, { clock })
    const { ada, bob, cleo, dm, messages } = await withPair(server)
    const [a, b, c] = await connectAll(server, ada, bob, cleo)
    const { status, body: sent } = await ada.post(messages, { body: 'hi', embed: 7, embeds: 'x', components: null })
    assert.equal(status, 201)
    const { msg_id, timestamp } = sent
    assert.deepEqual(sent, { msg_id, timestamp: clock.now(), interaction_id: null, mentions: null })
    const event = { msg_id, author_id: ada.userId, body: 'hi', timestamp, dm_id: dm }
    for (const session of [a, b]) assert.deepEqual(await session?.told(), [['message_create', event]])
    assert.deepEqual(await c?.told(), [])
    const shown = {
      msg_id,
      feed_id: null,
      dm_id: dm,
      thread_id: null,
      author_id: ada.userId,
      body: 'hi',
      opaque_blob: null,
      timestamp,
      reply_to: null,
      attachments: [],
      embed: null,
      edit_timestamp: null,
      federated: false,
      author_address: null,
      pinned_at: null,
      webhook_id: null,
      mentions: [],
      embeds: [],
      components: [],
      webhook_name: null,
      webhook_avatar: null,
    }
    assert.deepEqual((await bob.get(`${messages}/${msg_id}`)).body, shown)
    assert.deepEqual((await bob.get(messages)).body, { messages: [shown] })
    assert.equal((await bob.get('/dms')).body.items[0].last_message_id, msg_id)
  })

  it('says something: text, ciphertext or files', async () => {
    await using server = await startTestServer(engine)
    const { ada, messages } = await withPair(server)
    for (const empty of [
      {},
      { body: ' \n' },
      { body: '', opaque_blob: '', attachments: [] },
      { embed: { title: 'x' } },
    ])
      assert.equal(failure(await ada.post(messages, empty)), '400 EMPTY_MESSAGE')
    const send = async (content: object) => failure(await ada.post(messages, content))
    assert.equal(await send({ body: '😀'.repeat(4000) }), '201 undefined')
    assert.equal(await send({ body: 'x'.repeat(4001) }), '400 MESSAGE_TOO_LARGE')
    assert.equal(await send({ opaque_blob: 'x'.repeat(BLOB_MAX) }), '201 undefined')
    assert.equal(await send({ opaque_blob: 'x'.repeat(BLOB_MAX + 1) }), '413 PAYLOAD_TOO_LARGE')
    assert.equal(await send({ body: 'both', opaque_blob: 'AAAA' }), '201 undefined')
    const [newest] = (await ada.get(messages)).body.messages
    assert.deepEqual([newest.body, newest.opaque_blob], ['both', 'AAAA'])
  })

  it('brings a closed conversation back into sight, which is told before it', async () => {
    await using server = await startTestServer(engine)
    const { ada, bob, dm } = await withPair(server)
    await say(ada, dm, 'before')
    for (const client of [ada, bob]) await client.delete(`/dms/${dm}`)
    const [a, b] = await connectAll(server, ada, bob)
    assert.deepEqual(await textsIn(bob, dm), ['before'])
    await say(bob, dm, 'after')
    for (const session of [a, b])
      assert.deepEqual(
        (await session?.told())?.map(([type]) => type),
        ['dm_create', 'message_create'],
      )
    assert.deepEqual([await listed(ada), await listed(bob)], [[dm], [dm]])
    assert.deepEqual(await textsIn(ada, dm), ['before', 'after'])
  })

  it('comes newest first, between two bounds that are exclusive, in pages of bounded size', async () => {
    await using server = await startTestServer(engine, { env: { VOX_LIMIT_PAGE_LIMIT_MESSAGES: '4' } })
    const { ada, bob, dm, messages } = await withPair(server)
    const ids = []
    for (const text of 'abcdef') ids.push(await say(ada, dm, text))
    await say(ada, await openPair(ada, { userId: 3 }), 'elsewhere')
    const page = async (query: string) =>
      (await bob.get(`${messages}?${query}`)).body.messages.map(({ body }: { body: string }) => body).join('')
    assert.equal(await page('limit=200'), 'fedc')
    assert.equal(await page(`before=${ids[2]}`), 'ba')
    assert.equal(await page(`after=${ids[3]}`), 'fe')
    assert.equal(await page(`after=${ids[0]}&before=${ids[4]}&limit=2`), 'dc')
    for (const query of ['limit=0', 'limit=1001', 'before=x'])
      assert.equal(failure(await bob.get(`${messages}?${query}`)), '422 VALIDATION_ERROR')
    assert.equal(failure(await bob.get(`${messages}/1`)), '404 MESSAGE_NOT_FOUND')
  })

  it('is edited by its author, whose new content replaces all of the old one', async () => {
    const clock = new TestClock()
    await using server = await startTestServer(engine, { clock })
    const { ada, bob, cleo, dm, messages } = await withPair(server)
    const msg_id = await say(ada, dm)
    const [b, c] = await connectAll(server, bob, cleo)
    const path = `${messages}/${msg_id}`
    const edit_timestamp = clock.now()
    assert.deepEqual((await ada.patch(path, { body: 'text' })).body, { msg_id, edit_timestamp })
    await ada.patch(path, { opaque_blob: 'AAAA' })
    assert.deepEqual((await bob.get(path)).body.opaque_blob, 'AAAA')
    assert.deepEqual((await bob.get(path)).body.body, null)
    await ada.patch(path, { body: 'again' })
    const update = (content: object) => ['message_update', { msg_id, dm_id: dm, edit_timestamp, ...content }]
    assert.deepEqual(await b?.told(), [
      update({ body: 'text' }),
      update({ body: null, opaque_blob: 'AAAA' }),
      update({ body: 'again', opaque_blob: null }),
    ])
    assert.deepEqual(await c?.told(), [])
    for (const [edit, refusal] of [
      [{ body: ' ' }, '400 EMPTY_MESSAGE'],
      [{ body: 'x'.repeat(4001) }, '422 VALIDATION_ERROR'],
      [{}, '422 VALIDATION_ERROR'],
      [{ opaque_blob: 'x'.repeat(BLOB_MAX + 1) }, '413 PAYLOAD_TOO_LARGE'],
    ] as const)
      assert.equal(failure(await ada.patch(path, edit)), refusal)
    assert.equal(failure(await bob.patch(path, { body: 'x' })), '403 FORBIDDEN')
    assert.equal(failure(await ada.patch(`${messages}/1`, { body: 'x' })), '404 MESSAGE_NOT_FOUND')
  })

  it('is deleted by its author and nobody else, with what hangs on it', async () => {
    await using server = await startTestServer(engine)
    const { ada, bob, dm, messages } = await withPair(server)
    const msg_id = await say(bob, dm)
    const path = `${messages}/${msg_id}`
    await ada.put(`${path}/reactions/👍`)
    const [a, b] = await connectAll(server, ada, bob)
    assert.equal(failure(await ada.delete(path)), '403 FORBIDDEN')
    assert.equal((await bob.delete(path)).status, 204)
    for (const session of [a, b]) assert.deepEqual(await session?.told(), [['message_delete', { msg_id, dm_id: dm }]])
    assert.equal(failure(await bob.delete(path)), '404 MESSAGE_NOT_FOUND')
    assert.deepEqual(await textsIn(ada, dm), [])
  })

  it('of another conversation, or of a feed, is none of this one', async () => {
    await using server = await startTestServer(engine)
    const { ada, bob, dm, messages } = await withPair(server)
    const elsewhere = await say(ada, await createGroup(ada, bob))
    const { feed_id } = (await ada.post('/feeds', { name: 'general', type: 'text' })).body
    const posted = (await ada.post(`/feeds/${feed_id}/messages`, { body: 'x' })).body.msg_id
    for (const id of [elsewhere, posted])
      for (const [method, rest, body] of [
        ['GET', ''],
        ['PATCH', '', { body: 'x' }],
        ['DELETE', ''],
        ['GET', '/reactions'],
        ['PUT', '/reactions/x'],
        ['DELETE', '/reactions/x'],
      ] as const)
        assert.equal(
          failure(await ada.request(method, `${messages}/${id}${rest}`, body)),
          '404 MESSAGE_NOT_FOUND',
          `${method} ${rest}`,
        )
    const own = await say(ada, dm)
    assert.equal(failure(await ada.delete(`/feeds/${feed_id}/messages/${own}`)), '404 MESSAGE_NOT_FOUND')
  })
})

forEachEngine('a reaction to a direct message', (engine) => {
  it('is told once when it comes and once when it goes', async () => {
    await using server = await startTestServer(engine)
    const { ada, bob, dm, messages } = await withPair(server)
    const msg_id = await say(ada, dm)
    const [a, b] = await connectAll(server, ada, bob)
    const reaction = `${messages}/${msg_id}/reactions/${encodeURIComponent('👍')}`
    for (let time = 0; time < 2; time++) assert.equal((await bob.put(reaction)).status, 204)
    const data = { msg_id, user_id: bob.userId, emoji: '👍', dm_id: dm }
    const notification = {
      user_id: ada.userId,
      type: 'reaction',
      dm_id: dm,
      msg_id,
      actor_id: bob.userId,
      body_preview: '👍',
    }
    assert.deepEqual(await a?.told(), [
      ['message_reaction_add', data],
      ['notification_create', notification],
    ])
    assert.deepEqual(await b?.told(), [['message_reaction_add', data]])
    await ada.put(reaction)
    await ada.put(`${messages}/${msg_id}/reactions/tea`)
    assert.deepEqual((await bob.get(`${messages}/${msg_id}/reactions`)).body.reactions, [
      { emoji: '👍', user_ids: [bob.userId, ada.userId] },
      { emoji: 'tea', user_ids: [ada.userId] },
    ])
    await b?.told()
    for (let time = 0; time < 2; time++) assert.equal((await bob.delete(reaction)).status, 204)
    assert.deepEqual(await b?.told(), [['message_reaction_remove', data]])
    assert.equal(failure(await bob.put(`${messages}/${msg_id}/reactions/${'x'.repeat(256)}`)), '422 VALIDATION_ERROR')
  })

  it('finds room for a hundred different ones', async () => {
    await using server = await startTestServer(engine)
    const { ada, dm, messages } = await withPair(server)
    const reactions = `${messages}/${await say(ada, dm)}/reactions`
    await Promise.all(Array.from({ length: 100 }, (_, n) => ada.put(`${reactions}/e${n}`)))
    assert.equal(failure(await ada.put(`${reactions}/one-more`)), '400 INVALID_OPERATION')
  })
})

forEachEngine('notifications of direct messages', (engine) => {
  it('go to those mentioned and to whom it answers, each once, and say in which conversation', async () => {
    await using server = await startTestServer(engine)
    const [ada, bob, cleo, dan] = await registerAll(server, 'ada', 'bob', 'cleo', 'dan')
    const dm = await createGroup(ada, bob, cleo)
    const question = await say(bob, dm, 'question')
    const sessions = await connectAll(server, ada, bob, cleo, dan)
    const wanted = [{ user_id: cleo.userId }, cleo.userId, dan.userId, ada.userId]
    const answer = await ada.post(`/dms/${dm}/messages`, { body: 'answer', reply_to: question, mentions: wanted })
    const mentions = [cleo.userId, ada.userId]
    assert.deepEqual(answer.body.mentions, mentions)
    const { msg_id } = answer.body
    const told = await Promise.all(sessions.map((session) => session.told()))
    const notice = (user_id: number, type: string) => [
      'notification_create',
      { user_id, type, dm_id: dm, msg_id, actor_id: ada.userId, body_preview: 'answer' },
    ]
    assert.deepEqual(
      told.map((events) => events.slice(1)),
      [[], [notice(bob.userId, 'reply')], [notice(cleo.userId, 'mention')], []],
    )
    const [, [type, created] = []] = [undefined, told[1]?.[0]]
    assert.deepEqual(
      [
        type,
        (created as { mentions: number[]; reply_to: bigint }).mentions,
        (created as { reply_to: bigint }).reply_to,
      ],
      ['message_create', mentions, question],
    )
    await ada.post(`/dms/${dm}/messages`, { opaque_blob: 'AAAA', mentions: [0] })
    const everyone = await Promise.all(sessions.map(async (session) => (await session.told()).slice(1)))
    assert.deepEqual(
      everyone.map((events) => events.length),
      [0, 1, 1, 0],
    )
    const [, data] = everyone[1]?.[0] ?? []
    assert.equal(Object.hasOwn(data as object, 'body_preview'), false)
  })

  it('do not come for a message of another conversation, a plain message or an edit', async () => {
    await using server = await startTestServer(engine)
    const { ada, bob, dm, messages } = await withPair(server)
    const elsewhere = await say(bob, await createGroup(ada, bob))
    const [b] = await connectAll(server, bob)
    await ada.post(messages, { body: 'x', reply_to: elsewhere })
    const msg_id = await say(ada, dm)
    await ada.patch(`${messages}/${msg_id}`, { body: 'y' })
    assert.deepEqual(
      (await b?.told())?.map(([type]) => type),
      ['message_create', 'message_create', 'message_update'],
    )
  })

  it('do not come to an author who has left', async () => {
    await using server = await startTestServer(engine)
    const [ada, bob, cleo] = await registerAll(server, 'ada', 'bob', 'cleo')
    const dm = await createGroup(ada, bob, cleo)
    const msg_id = await say(bob, dm)
    await bob.delete(`/dms/${dm}`)
    const [b] = await connectAll(server, bob)
    await ada.post(`/dms/${dm}/messages`, { body: 'x', reply_to: msg_id, mentions: [0, bob.userId] })
    await ada.put(`/dms/${dm}/messages/${msg_id}/reactions/x`)
    assert.deepEqual(await b?.told(), [])
  })
})

forEachEngine('read receipts', (engine) => {
  const position = async (client: {
    post: (path: string, body: object) => Promise<{ body: { read_states: unknown } }>
  }) => (await client.post('/sync', { since_timestamp: Date.now(), categories: ['read_states'] })).body.read_states

  it('go forward to the newest message at most, are told to both and read back by their reader', async () => {
    await using server = await startTestServer(engine)
    const { ada, bob, dm } = await withPair(server)
    const [a, b] = await connectAll(server, ada, bob)
    const read = (up_to_msg_id: bigint) => bob.post(`/dms/${dm}/read`, { up_to_msg_id })
    assert.equal((await read(1n)).status, 204)
    const ids = [await say(ada, dm, '1'), await say(ada, dm, '2'), await say(ada, dm, '3')] as const
    await Promise.all([a?.told(), b?.told()])
    for (const [upTo, reached] of [
      [ids[0] - 1n, undefined],
      [ids[1], ids[1]],
      [ids[0], ids[1]],
      [2n ** 63n - 1n, ids[2]],
    ] as const) {
      assert.equal((await read(upTo)).status, 204)
      const notice = { dm_id: dm, user_id: bob.userId, up_to_msg_id: reached }
      for (const session of [a, b])
        assert.deepEqual(await session?.told(), reached === undefined ? [] : [['dm_read_notify', notice]])
    }
    assert.deepEqual(await position(bob), [{ feed_id: null, dm_id: dm, last_read_msg_id: ids[2] }])
    assert.deepEqual(await position(ada), [])
  })

  it('count a message that has just been deleted, and follow the feeds in sync', async () => {
    await using server = await startTestServer(engine)
    const { ada, bob, dm, messages } = await withPair(server)
    const [first, second, third] = [await say(ada, dm), await say(ada, dm), await say(ada, dm)]
    await ada.delete(`${messages}/${second}`)
    await bob.post(`/dms/${dm}/read`, { up_to_msg_id: second })
    const { feed_id } = (await ada.post('/feeds', { name: 'general', type: 'text' })).body
    const { msg_id } = (await ada.post(`/feeds/${feed_id}/messages`, { body: 'x' })).body
    await bob.post(`/feeds/${feed_id}/read`, { up_to_msg_id: msg_id })
    assert.ok(first < second && second < third)
    assert.deepEqual(await position(bob), [
      { feed_id, dm_id: null, last_read_msg_id: msg_id },
      { feed_id: null, dm_id: dm, last_read_msg_id: second },
    ])
  })

  it('of two devices at once end at the farther one', async () => {
    await using server = await startTestServer(engine)
    const { ada, bob, dm } = await withPair(server)
    const ids = [await say(ada, dm), await say(ada, dm), await say(ada, dm), await say(ada, dm)]
    const [a] = await connectAll(server, ada)
    const reports = [...ids, ...ids.toReversed()].map((id) => bob.post(`/dms/${dm}/read`, { up_to_msg_id: id }))
    await Promise.all(reports)
    const told = ((await a?.told()) ?? []).map(([, data]) => (data as { up_to_msg_id: bigint }).up_to_msg_id)
    assert.equal(told.length, reports.length)
    assert.ok(
      told.every((id, n) => n === 0 || id >= (told[n - 1] ?? 0n)),
      told.join(),
    )
    assert.deepEqual(await position(bob), [{ feed_id: null, dm_id: dm, last_read_msg_id: ids[3] }])
  })
})
