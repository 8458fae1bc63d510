import assert from 'node:assert/strict'
import { it } from 'node:test'
import { Permission } from '@vox/protocol'
import { createBot } from '../../support/bots.ts'
import { TestClock } from '../../support/clock.ts'
import { createFeed, registerAll } from '../../support/community.ts'
import { createGroup, openPair } from '../../support/conversations.ts'
import { forEachEngine } from '../../support/engines.ts'
import { eventually } from '../../support/eventually.ts'
import { connectAll, type GatewayClient } from '../../support/gateway-client.ts'
import { type Client, failure, startTestServer, type TestServer } from '../../support/server.ts'

/** Ada owns the server and the bot `dice` with the command `roll`; Bob and Eve see the feed as well. */
async function withBot(server: TestServer) {
  const [ada, bob, eve] = await registerAll(server, 'ada', 'bob', 'eve')
  const feed = await createFeed(ada)
  const dice = await createBot(ada, 'dice')
  const params = [{ name: 'sides' }, { name: 'secret' }]
  await dice.put('/bots/@me/commands', { commands: [{ name: 'roll', params }, { name: 'echo' }] })
  return { ada, bob, eve, dice, messages: `/feeds/${feed}/messages`, feed }
}

interface Told {
  msg_id: bigint
  timestamp: number
}

/** What a session was told, without ids and times. */
async function told(session: GatewayClient | undefined) {
  return (await session?.told())?.map(([type, data]) => {
    const { msg_id: _id, timestamp: _time, ...rest } = data as Told
    return [type, rest]
  })
}

const history = async (client: Client, path: string) =>
  (await client.get(path)).body.messages.map(({ body }: { body: string }) => body)

const respond = (bot: Client, id: string, body: object) => bot.post(`/interactions/${id}/response`, body)

forEachEngine('a slash command', (engine) => {
  it('goes to its bot and to nobody else, and is no message', async () => {
    const clock = new TestClock()
    await using server = await startTestServer(engine, { clock })
    const { ada, bob, eve, dice, messages, feed } = await withBot(server)
    const [adas, bobs, first, second] = await connectAll(server, ada, bob, dice, dice)
    const subscribed = await eve.put(`/feeds/${feed}/subscribers`)
    assert.ok(subscribed.status < 300)
    const given = { body: '/roll sides=20 secret', mentions: [1], embed: { title: 'x' }, reply_to: 5 }
    const { status, body } = await bob.post(messages, given)
    assert.equal(status, 201)
    const { interaction_id, ...rest } = body
    assert.deepEqual(rest, { msg_id: 0, timestamp: clock.now(), mentions: null })
    assert.match(interaction_id, /^[\w-]{22}$/)
    const interaction = {
      id: interaction_id,
      interaction_id,
      type: 'slash_command',
      bot_id: dice.botId,
      user_id: bob.userId,
      feed_id: feed,
      dm_id: null,
      thread_id: null,
      command: 'roll',
      params: { sides: '20', secret: true },
    }
    for (const session of [first, second])
      assert.deepEqual(await session?.told(), [['interaction_create', { ...interaction, interaction }]])
    for (const session of [adas, bobs]) assert.deepEqual(await session?.told(), [])
    assert.deepEqual(await history(bob, messages), [])
    assert.deepEqual((await bob.get('/messages/search?query=roll')).body.results, [])
  })

  it('is an ordinary message if no bot that is there has one of this name', async () => {
    await using server = await startTestServer(engine)
    const { ada, bob, dice, messages, feed } = await withBot(server)
    const [watcher] = await connectAll(server, dice)
    const ordinary = async (body: string, client: Client = bob) => {
      const sent = await client.post(messages, { body })
      assert.equal(sent.status, 201)
      assert.equal(sent.body.interaction_id, null)
      assert.notEqual(sent.body.msg_id, 0)
    }
    for (const body of ['/unknown', '/ x', '/', ' /roll', 'roll', '/Roll', '//roll']) await ordinary(body)
    await ordinary('/roll', dice)
    const whispered = (await watcher?.told())?.map(([type]) => type)
    assert.deepEqual(new Set(whispered), new Set(['message_create']))
    await ada.put(`/feeds/${feed}/permissions/user/${dice.userId}`, { allow: 0, deny: Permission.VIEW_SPACE })
    await ordinary('/roll')
    await ada.delete(`/feeds/${feed}/permissions/user/${dice.userId}`)
    assert.equal((await bob.post(messages, { body: '/roll' })).body.msg_id, 0)
    await ada.delete(`/members/${dice.userId}`)
    await ordinary('/roll')
  })

  it('needs what a message needs, and no more', async () => {
    const clock = new TestClock()
    await using server = await startTestServer(engine, { clock })
    const { ada, bob, dice, messages, feed } = await withBot(server)
    const [watcher] = await connectAll(server, dice)
    const send = async (path: string, body: object) => failure(await bob.post(path, body))
    assert.equal(await send(messages, { body: `/roll ${'x'.repeat(4000)}` }), '400 MESSAGE_TOO_LARGE')
    const news = (await ada.post('/feeds', { name: 'news', type: 'announcement' })).body.feed_id
    assert.equal(await send(`/feeds/${news}/messages`, { body: '/roll' }), '403 FORBIDDEN')
    // Attachments are discarded with the rest, so they are not looked at.
    assert.equal(await send(messages, { body: '/roll', attachments: ['none'] }), '201 undefined')
    await ada.patch(`/feeds/${feed}`, { slowmode_seconds: 60 })
    for (let i = 0; i < 2; i++) assert.equal(await send(messages, { body: '/roll' }), '201 undefined')
    await bob.post(messages, { body: 'hello' })
    assert.equal(await send(messages, { body: '/roll' }), '429 RATE_LIMITED')
    await ada.put(`/feeds/${feed}/permissions/role/1`, { allow: 0, deny: Permission.SEND_MESSAGES })
    assert.equal(await send(messages, { body: '/roll' }), '403 MISSING_PERMISSIONS')
    const types = (await watcher?.told())?.map(([type]) => type).filter((type) => type === 'interaction_create')
    assert.equal(types?.length, 3)
  })

  it('is answered where it was called, by a message of the bot that notifies nobody', async () => {
    await using server = await startTestServer(engine)
    const { ada, bob, dice, messages, feed } = await withBot(server)
    const { interaction_id } = (await bob.post(messages, { body: '/roll' })).body
    // The call is the permission.
    await ada.put(`/feeds/${feed}/permissions/user/${dice.userId}`, { allow: 0, deny: Permission.SEND_MESSAGES })
    await ada.put(`/feeds/${feed}/subscribers`)
    const [adas, dices] = await connectAll(server, ada, dice)
    const answer = {
      body: 'You rolled 4',
      embeds: [{ title: 'one' }, { title: 'two' }],
      components: [{ type: 'button', label: 'Again', custom_id: 'again' }],
    }
    const { status, body } = await respond(dice, interaction_id, answer)
    assert.deepEqual([status, body], [204, ''])
    const [stored] = (await bob.get(messages)).body.messages
    assert.deepEqual([stored.author_id, stored.body, stored.embeds.length], [dice.userId, 'You rolled 4', 2])
    assert.equal(stored.components[0].component_id, 'again')
    const { msg_id, timestamp, embeds, components } = stored
    const event = { msg_id, timestamp, author_id: dice.userId, body: 'You rolled 4', feed_id: feed, embeds, components }
    const [type, data] = (await adas?.told())?.[0] ?? []
    assert.equal(type, 'message_create')
    assert.deepEqual(data, { ...event, embed: embeds[0] })
    assert.equal(Object.keys(embeds[0]).length, 16)
    assert.deepEqual(await adas?.told(), [])
    assert.equal((await dices?.told())?.length, 1)
    assert.equal(failure(await respond(dice, interaction_id, { body: 'twice' })), '404 INTERACTION_NOT_FOUND')
  })

  it('of somebody who may post announcements is answered among them', async () => {
    await using server = await startTestServer(engine)
    const { ada, dice } = await withBot(server)
    const { feed_id } = (await ada.post('/feeds', { name: 'news', type: 'announcement' })).body
    const { interaction_id } = (await ada.post(`/feeds/${feed_id}/messages`, { body: '/roll' })).body
    assert.equal((await respond(dice, interaction_id, { body: 'news' })).status, 204)
    assert.deepEqual(await history(ada, `/feeds/${feed_id}/messages`), ['news'])
  })

  it('called in a thread is answered there, unless it has been locked', async () => {
    await using server = await startTestServer(engine)
    const { ada, bob, dice, messages, feed } = await withBot(server)
    const { msg_id } = (await bob.post(messages, { body: 'parent' })).body
    await bob.post(`/feeds/${feed}/threads`, { parent_msg_id: msg_id, name: 'tea' })
    const thread = `/feeds/${feed}/threads/1/messages`
    const [dices, bobs] = await connectAll(server, dice, bob)
    const call = async () => (await bob.post(thread, { body: '/roll' })).body.interaction_id
    const first = await call()
    const [, event] = (await dices?.told())?.[0] ?? []
    assert.equal((event as { thread_id: number }).thread_id, 1)
    await respond(dice, first, { body: 'in the thread' })
    assert.deepEqual(await history(bob, thread), ['in the thread'])
    assert.deepEqual(await history(bob, messages), ['parent'])
    const shown = { author_id: dice.userId, body: 'in the thread', feed_id: feed, thread_id: 1 }
    assert.deepEqual(await told(bobs), [['message_create', shown]])
    const second = await call()
    await ada.patch('/threads/1', { locked: true })
    assert.equal(failure(await respond(dice, second, { body: 'x' })), '403 THREAD_LOCKED')
    assert.equal((await respond(dice, second, { body: 'for you', ephemeral: true })).status, 204)
    assert.equal(failure(await bob.post(thread, { body: '/roll' })), '403 THREAD_LOCKED')
    await ada.patch('/threads/1', { locked: false })
    const third = await call()
    await ada.delete('/threads/1')
    assert.equal(failure(await respond(dice, third, { body: 'x' })), '404 SPACE_NOT_FOUND')
  })

  it('in a forum is answered by a post that begins a thread', async () => {
    await using server = await startTestServer(engine)
    const { ada, bob, dice } = await withBot(server)
    const forum = (await ada.post('/feeds', { name: 'forum', type: 'forum' })).body.feed_id
    const { interaction_id } = (await bob.post(`/feeds/${forum}/messages`, { body: '/roll' })).body
    assert.deepEqual((await bob.get(`/feeds/${forum}/threads`)).body.items, [])
    await respond(dice, interaction_id, { body: 'A question' })
    const [thread] = (await bob.get(`/feeds/${forum}/threads`)).body.items
    assert.deepEqual([thread.name, thread.creator_id], ['A question', dice.userId])
  })

  it('may be answered for the invoking user alone, whom all sessions are told', async () => {
    await using server = await startTestServer(engine)
    const { ada, bob, dice, messages, feed } = await withBot(server)
    const { interaction_id } = (await bob.post(messages, { body: '/roll' })).body
    const [adas, dices, ...bobs] = await connectAll(server, ada, dice, bob, bob)
    const components = [{ type: 'button', label: 'x', custom_id: 'x' }]
    const secret = { body: 'psst', ephemeral: true, embeds: [{ title: 'x' }], components }
    assert.equal((await respond(dice, interaction_id, secret)).status, 204)
    for (const session of [adas, dices]) assert.deepEqual(await session?.told(), [])
    for (const session of bobs) {
      const [[type, data] = []] = (await session?.told()) ?? []
      assert.equal(type, 'message_create')
      const { msg_id, timestamp: _, embed, components: shown, ...rest } = data as Record<string, never>
      assert.deepEqual(rest, { author_id: dice.userId, body: 'psst', feed_id: feed, ephemeral: true })
      assert.equal(Object.keys(embed ?? {}).length, 16)
      assert.deepEqual(shown, [{ ...components[0], style: 'primary', component_id: 'x' }])
      for (const path of [`${messages}/${msg_id}`, `${messages}/${msg_id}/reactions`])
        assert.equal(failure(await bob.get(path)), '404 MESSAGE_NOT_FOUND')
      const press = { msg_id, component_id: 'x' }
      assert.equal(failure(await bob.post('/interactions/component', press)), '404 MESSAGE_NOT_FOUND')
    }
    assert.deepEqual(await history(bob, messages), [])
  })

  it('may be answered for 15 seconds, by its bot alone', async () => {
    const clock = new TestClock()
    await using server = await startTestServer(engine, { clock })
    const { ada, bob, dice, messages } = await withBot(server)
    const other = await createBot(ada, 'other')
    const call = async () => (await bob.post(messages, { body: '/roll' })).body.interaction_id
    const first = await call()
    clock.advance(14_000)
    for (const stranger of [bob, other])
      assert.equal(failure(await respond(stranger, first, { body: 'x' })), '403 FORBIDDEN')
    assert.equal((await respond(dice, first, { body: 'in time' })).status, 204)
    const second = await call()
    clock.advance(16_000)
    assert.equal(failure(await respond(dice, second, { body: 'late' })), '404 INTERACTION_NOT_FOUND')
    assert.equal(failure(await respond(dice, 'x'.repeat(22), { body: 'x' })), '404 INTERACTION_NOT_FOUND')
    assert.deepEqual(await history(bob, messages), ['in time'])
  })

  it('is used up by an answer that is good, once', async () => {
    await using server = await startTestServer(engine)
    const { ada, bob, dice, messages, feed } = await withBot(server)
    const { interaction_id } = (await bob.post(messages, { body: '/roll' })).body
    const answer = async (body: object) => failure(await respond(dice, interaction_id, body))
    for (const empty of [
      {},
      { body: ' \n' },
      { embeds: [] },
      { components: [{ type: 'button', label: 'x', id: 'x' }] },
    ])
      assert.equal(await answer(empty), '400 EMPTY_MESSAGE')
    assert.equal(await answer({ body: 'x'.repeat(4001) }), '400 MESSAGE_TOO_LARGE')
    for (const bad of [
      { body: 5 },
      { body: 'x', embeds: [{ title: 'x'.repeat(257) }] },
      { body: 'x', components: [{ type: 'slider', custom_id: 'x' }] },
      { body: 'x', ephemeral: 'maybe' },
    ])
      assert.equal(await answer(bad), '422 VALIDATION_ERROR')
    await ada.put(`/feeds/${feed}/permissions/user/${dice.userId}`, { allow: 0, deny: Permission.VIEW_SPACE })
    for (const ephemeral of [false, true])
      assert.equal(await answer({ body: 'x', ephemeral }), '403 MISSING_PERMISSIONS')
    await ada.delete(`/feeds/${feed}/permissions/user/${dice.userId}`)
    const both = await Promise.all([answer({ body: 'one' }), answer({ body: 'one' })])
    assert.deepEqual(both.sort(), ['204 undefined', '404 INTERACTION_NOT_FOUND'])
    assert.deepEqual(await history(bob, messages), ['one'])
  })

  it('stays unanswered if its feed is gone', async () => {
    await using server = await startTestServer(engine)
    const { ada, bob, dice, messages, feed } = await withBot(server)
    const { interaction_id } = (await bob.post(messages, { body: '/roll' })).body
    await ada.delete(`/feeds/${feed}`)
    assert.equal(failure(await respond(dice, interaction_id, { body: 'x' })), '404 SPACE_NOT_FOUND')
  })

  it('that nobody has answered after 15 seconds is told to the invoking user', async () => {
    const clock = new TestClock()
    await using server = await startTestServer(engine, { clock })
    const { ada, bob, dice, messages, feed } = await withBot(server)
    const answered = (await bob.post(messages, { body: '/roll' })).body.interaction_id
    await respond(dice, answered, { body: 'done' })
    await bob.post(messages, { body: '/roll' })
    const [adas, bobs, dices] = await connectAll(server, ada, bob, dice)
    clock.advance(14_999)
    for (const session of [adas, bobs, dices]) assert.deepEqual(await session?.told(), [])
    clock.advance(1)
    const notices = await eventually(async () => {
      const heard = (await told(bobs)) ?? []
      assert.ok(heard.length > 0)
      return heard
    })
    const body = 'The bot did not answer in time.'
    assert.deepEqual(notices, [['message_create', { author_id: null, body, feed_id: feed, ephemeral: true }]])
    for (const session of [adas, dices]) assert.deepEqual(await session?.told(), [])
    assert.deepEqual(await history(bob, messages), ['done'])
  })
})

forEachEngine('a slash command in a conversation', (engine) => {
  it('goes to a bot that takes part, whose answer reaches the participants only', async () => {
    await using server = await startTestServer(engine)
    const { ada, bob, eve, dice } = await withBot(server)
    const dm = await createGroup(bob, ada, dice)
    const [adas, bobs, eves, dices] = await connectAll(server, ada, bob, eve, dice)
    const { msg_id, interaction_id } = (await bob.post(`/dms/${dm}/messages`, { body: '/echo text=hi' })).body
    assert.equal(msg_id, 0)
    const [[type, data] = []] = (await dices?.told()) ?? []
    assert.equal(type, 'interaction_create')
    const { feed_id, dm_id, params } = data as Record<string, unknown>
    assert.deepEqual([feed_id, dm_id, params], [null, dm, { text: 'hi' }])
    assert.equal((await respond(dice, interaction_id, { body: 'hi', embeds: [{ title: 'x' }] })).status, 204)
    for (const session of [adas, bobs, dices]) {
      const [[type, data] = []] = (await session?.told()) ?? []
      assert.equal(type, 'message_create')
      const { author_id, body, dm_id } = data as Record<string, unknown>
      assert.deepEqual([author_id, body, dm_id], [dice.userId, 'hi', dm])
    }
    assert.deepEqual(await eves?.told(), [])
    const [stored] = (await ada.get(`/dms/${dm}/messages`)).body.messages
    assert.deepEqual([stored.body, stored.embed.title], ['hi', 'x'])
    const again = (await bob.post(`/dms/${dm}/messages`, { body: '/echo' })).body.interaction_id
    await respond(dice, again, { body: 'psst', ephemeral: true })
    const secret = { author_id: dice.userId, body: 'psst', dm_id: dm, ephemeral: true }
    assert.deepEqual(await told(bobs), [['message_create', secret]])
    assert.deepEqual(await adas?.told(), [])
  })

  it('is not answered past a block', async () => {
    await using server = await startTestServer(engine)
    const { bob, dice } = await withBot(server)
    const pair = await openPair(bob, dice)
    const { interaction_id } = (await bob.post(`/dms/${pair}/messages`, { body: '/roll' })).body
    await bob.put(`/users/@me/blocks/${dice.userId}`)
    for (const ephemeral of [false, true])
      assert.equal(failure(await respond(dice, interaction_id, { body: 'x', ephemeral })), '403 USER_BLOCKED')
    assert.equal(failure(await bob.post(`/dms/${pair}/messages`, { body: '/roll' })), '403 USER_BLOCKED')
  })

  it('tells somebody who has been removed meanwhile nothing, be it answered or not', async () => {
    const clock = new TestClock()
    await using server = await startTestServer(engine, { clock })
    const { ada, bob, dice } = await withBot(server)
    const dm = await createGroup(ada, bob, dice)
    const call = async () => (await bob.post(`/dms/${dm}/messages`, { body: '/roll' })).body.interaction_id
    const [answered] = [await call(), await call()]
    const [bobs] = await connectAll(server, bob)
    await ada.delete(`/dms/${dm}/recipients/${bob.userId}`)
    assert.equal((await respond(dice, answered, { body: 'psst', ephemeral: true })).status, 204)
    clock.advance(15_001)
    await ada.post(`/dms/${dm}/messages`, { body: 'x' })
    assert.deepEqual(await told(bobs), [['dm_recipient_remove', { dm_id: dm, user_id: bob.userId }]])
  })

  it('is an ordinary message where the bot takes no part, or has left', async () => {
    await using server = await startTestServer(engine)
    const { ada, bob, eve, dice } = await withBot(server)
    const pair = await openPair(bob, eve)
    assert.notEqual((await bob.post(`/dms/${pair}/messages`, { body: '/roll' })).body.msg_id, 0)
    const group = await createGroup(bob, ada, dice)
    const { interaction_id } = (await bob.post(`/dms/${group}/messages`, { body: '/roll' })).body
    await bob.delete(`/dms/${group}/recipients/${dice.userId}`)
    assert.equal(failure(await respond(dice, interaction_id, { body: 'x' })), '403 NOT_DM_PARTICIPANT')
    assert.notEqual((await bob.post(`/dms/${group}/messages`, { body: '/roll' })).body.msg_id, 0)
    assert.deepEqual(await history(ada, `/dms/${group}/messages`), ['/roll'])
    const other = await createGroup(bob, ada, dice)
    await ada.delete(`/members/${dice.userId}`)
    assert.notEqual((await bob.post(`/dms/${other}/messages`, { body: '/roll' })).body.msg_id, 0)
  })
})
