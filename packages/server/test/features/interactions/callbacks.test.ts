import assert from 'node:assert/strict'
import { createHmac } from 'node:crypto'
import { it } from 'node:test'
import { Permission } from '@vox/protocol'
import { createBot, registerCommands } from '../../support/bots.ts'
import { CALLBACKS, CallbackServer } from '../../support/callback-server.ts'
import { TestClock } from '../../support/clock.ts'
import { createFeed, registerAll } from '../../support/community.ts'
import { openPair } from '../../support/conversations.ts'
import { type Engine, forEachEngine } from '../../support/engines.ts'
import { eventually } from '../../support/eventually.ts'
import { connectAll, type GatewayClient } from '../../support/gateway-client.ts'
import { failure, startTestServer, type TestOptions, type TestServer } from '../../support/server.ts'

const NOTICE = 'The bot could not be reached, or did not answer properly.'

const start = (engine: Engine, options: TestOptions = {}) => startTestServer(engine, { ...options, env: CALLBACKS })

/** Ada owns the server and the bot `dice`, whose commands are posted to the URL. */
async function withBot(server: TestServer, { url }: CallbackServer) {
  const [ada, bob] = await registerAll(server, 'ada', 'bob')
  const feed = await createFeed(ada)
  const dice = await createBot(ada, 'dice', { interaction_url: url, commands: ['roll'] })
  const messages = `/feeds/${feed}/messages`
  const call = () => bob.post(messages, { body: '/roll sides=6' })
  const history = async () => (await bob.get(messages)).body.messages.map(({ body }: { body: string }) => body)
  return { ada, bob, dice, feed, messages, call, history }
}

/** What a session was told: bodies of messages, and types of all else. */
async function heard(session: GatewayClient | undefined): Promise<unknown[]> {
  const told = (await session?.told()) ?? []
  return told.map(([type, data]) => (type === 'message_create' ? (data as { body: string }).body : type))
}

forEachEngine('a callback', (engine) => {
  it('tells the bot, signed, and posts its answer before the sender is answered', async () => {
    const clock = new TestClock()
    await using hook = await CallbackServer.listen()
    await using server = await start(engine, { clock })
    const { ada, bob, dice, feed, call } = await withBot(server, hook)
    const [adas, bobs, dices] = await connectAll(server, ada, bob, dice)
    const components = [{ type: 'button', label: 'Again', custom_id: 'again' }]
    hook.answer = () => ({ body: { body: 'You rolled 4', embeds: [{ title: 'Dice' }], components } })
    const { status, body } = await call()
    assert.equal(status, 201)
    const [called] = hook.calls
    assert.deepEqual(called?.payload, {
      id: body.interaction_id,
      interaction_id: body.interaction_id,
      type: 'slash_command',
      bot_id: dice.botId,
      user_id: bob.userId,
      feed_id: feed,
      dm_id: null,
      thread_id: null,
      command: 'roll',
      params: { sides: '6' },
    })
    const { 'x-vox-timestamp': timestamp, 'x-vox-signature': signature, ...headers } = called?.headers ?? {}
    assert.equal(timestamp, `${clock.now() / 1000}`)
    const expected = createHmac('sha256', dice.secret).update(`${timestamp}.${called?.raw}`).digest('hex')
    assert.equal(signature, `v1=${expected}`)
    assert.equal(headers['content-type'], 'application/json')
    for (const secret of ['authorization', 'cookie', 'x-forwarded-for', 'forwarded']) assert.ok(!(secret in headers))
    for (const session of [adas, bobs, dices]) assert.deepEqual(await heard(session), ['You rolled 4'])
    const [stored] = (await bob.get(`/feeds/${feed}/messages`)).body.messages
    assert.deepEqual([stored.author_id, stored.embed.title, stored.components.length], [dice.userId, 'Dice', 1])
    const again = await dice.post(`/interactions/${body.interaction_id}/response`, { body: 'again' })
    assert.equal(failure(again), '404 INTERACTION_NOT_FOUND')
  })

  it('may be answered for the invoking user alone', async () => {
    await using hook = await CallbackServer.listen()
    await using server = await start(engine)
    const { ada, bob, call, history } = await withBot(server, hook)
    const [adas, bobs] = await connectAll(server, ada, bob)
    hook.answer = () => ({ status: 201, body: { body: 'psst', ephemeral: true } })
    await call()
    assert.deepEqual(await heard(bobs), ['psst'])
    assert.deepEqual(await heard(adas), [])
    assert.deepEqual(await history(), [])
  })

  it('that answers nothing leaves the interaction open, and its silence is not told', async () => {
    const clock = new TestClock()
    await using hook = await CallbackServer.listen()
    await using server = await start(engine, { clock })
    const { bob, dice, call, history } = await withBot(server, hook)
    const [bobs] = await connectAll(server, bob)
    for (const reply of [{ status: 204 }, { body: {} }, { body: { body: ' ', ephemeral: true } }, { body: '\n' }]) {
      hook.answer = () => reply
      const { interaction_id } = (await call()).body
      assert.equal((await dice.post(`/interactions/${interaction_id}/response`, { body: 'later' })).status, 204)
    }
    assert.deepEqual(await history(), ['later', 'later', 'later', 'later'])
    await call()
    await bobs?.told()
    clock.advance(15_000)
    await bob.get('/users/@me')
    assert.deepEqual(await bobs?.told(), [])
  })

  it('that fails is told to the invoking user and to nobody else, and the command is not posted', async () => {
    await using hook = await CallbackServer.listen()
    await using server = await start(engine)
    const { ada, bob, dice, feed, call, history } = await withBot(server, hook)
    const [adas, bobs, dices] = await connectAll(server, ada, bob, dice)
    const failures = [
      { status: 500 },
      { status: 404, body: { body: 'x' } },
      { status: 302, headers: { location: hook.url } },
      { body: 'OK' },
      { body: '[]' },
      { body: '"text"' },
      { body: { body: 5 } },
      { body: { body: 'x', embeds: 'none' } },
      { body: { body: 'x'.repeat(4001) } },
      { body: '['.repeat(60_000) },
      { body: Buffer.alloc(10 * 1_048_576, ' ') },
      { body: JSON.stringify({ body: 'x' }).padEnd(65_537) },
    ]
    for (const reply of failures) {
      hook.answer = () => reply
      assert.equal((await call()).status, 201)
      const told = (await bobs?.told()) ?? []
      const { msg_id: _id, timestamp: _time, ...notice } = (told[0]?.[1] ?? {}) as Record<string, unknown>
      assert.deepEqual(notice, { author_id: null, body: NOTICE, feed_id: feed, ephemeral: true })
      assert.equal(told.length, 1)
    }
    assert.equal(hook.calls.length, failures.length)
    for (const session of [adas, dices]) assert.deepEqual(await session?.told(), [])
    assert.deepEqual(await history(), [])
    hook.answer = () => ({ body: JSON.stringify({ body: 'just short enough' }).padEnd(65_536) })
    await call()
    assert.deepEqual(await history(), ['just short enough'])
  })

  it('is given up after five seconds, and meanwhile holds nobody else up', async () => {
    const clock = new TestClock()
    await using hook = await CallbackServer.listen()
    await using server = await start(engine, { clock })
    const { ada, bob, messages, call } = await withBot(server, hook)
    const [adas, bobs] = await connectAll(server, ada, bob)
    hook.answer = () => undefined
    const calling = call()
    await eventually(() => assert.equal(hook.calls.length, 1))
    assert.equal((await ada.post(messages, { body: 'meanwhile' })).status, 201)
    clock.advance(5_000)
    assert.equal((await calling).status, 201)
    assert.deepEqual(await heard(bobs), ['meanwhile', NOTICE])
    assert.deepEqual(await heard(adas), ['meanwhile'])
  })

  it('fails at once while fifty others wait for the same bot; another bot is called', async () => {
    await using hook = await CallbackServer.listen()
    await using server = await start(engine)
    const { ada, bob, messages, call } = await withBot(server, hook)
    await createBot(ada, 'toys', { interaction_url: hook.url, commands: ['play'] })
    const [bobs] = await connectAll(server, bob)
    const answer = Promise.withResolvers<void>()
    hook.answer = async ({ payload }) => {
      if (payload.command === 'roll') await answer.promise
      return { status: 204 }
    }
    const waiting = Array.from({ length: 50 }, call)
    await eventually(() => assert.equal(hook.calls.length, 50))
    assert.equal((await call()).status, 201)
    assert.deepEqual(await heard(bobs), [NOTICE])
    assert.equal((await bob.post(messages, { body: '/play' })).status, 201)
    answer.resolve()
    for (const { status } of await Promise.all(waiting)) assert.equal(status, 201)
    assert.equal((await call()).status, 201)
    assert.deepEqual(await heard(bobs), [])
    assert.equal(hook.calls.length, 52)
  })

  it('may take its five seconds although the server stops, which waits for nothing else', async () => {
    const clock = new TestClock()
    await using hook = await CallbackServer.listen()
    await using server = await start(engine, { clock })
    const { ada, bob, messages, call } = await withBot(server, hook)
    const [bobs] = await connectAll(server, bob)
    hook.answer = () => undefined
    const calling = call()
    await eventually(() => assert.equal(hook.calls.length, 1))
    const stopped = server.close()
    assert.deepEqual(await bobs?.socket.closed, [4008, 'SERVER_RESTART'])
    await eventually(() => assert.rejects(ada.get(messages)))
    clock.advance(5_000)
    assert.equal((await calling).status, 201)
    await stopped
  })

  it('goes to no URL that is not allowed any more, nor to one where nobody listens', async () => {
    await using hook = await CallbackServer.listen()
    await using before = await start(engine)
    const { ada, bob, dice, messages } = await withBot(before, hook)
    assert.equal((await ada.patch(`/bots/${dice.userId}`, { interaction_url: 'http://127.0.0.1:1/' })).status, 200)
    const [bobs] = await connectAll(before, bob)
    assert.equal((await bob.post(messages, { body: '/roll' })).status, 201)
    assert.deepEqual(await heard(bobs), [NOTICE])
    await ada.patch(`/bots/${dice.userId}`, { interaction_url: hook.url })
    await before.close()
    await using server = await startTestServer(engine, { env: { VOX_DATABASE_URL: before.databaseUrl } })
    const [again] = await connectAll(server, bob)
    const sent = await fetch(`${server.url}/api/v1${messages}`, {
      method: 'POST',
      headers: { authorization: `Bearer ${bob.token}`, 'content-type': 'application/json' },
      body: JSON.stringify({ body: '/roll' }),
    })
    assert.equal(sent.status, 201)
    assert.deepEqual(await heard(again), [NOTICE])
    assert.equal(hook.calls.length, 0)
  })

  it('whose bot answers by REST meanwhile posts nothing more', async () => {
    await using hook = await CallbackServer.listen()
    await using server = await start(engine)
    const { bob, dice, call, history } = await withBot(server, hook)
    const [bobs] = await connectAll(server, bob)
    hook.answer = async ({ payload }) => {
      await dice.post(`/interactions/${payload.id}/response`, { body: 'by REST' })
      return { body: { body: 'by callback' } }
    }
    await call()
    assert.deepEqual(await history(), ['by REST'])
    assert.deepEqual(await heard(bobs), ['by REST'])
  })

  it('whose bot loses sight of the feed meanwhile posts nothing', async () => {
    await using hook = await CallbackServer.listen()
    await using server = await start(engine)
    const { ada, bob, dice, feed, call, history } = await withBot(server, hook)
    const [bobs] = await connectAll(server, bob)
    hook.answer = async () => {
      await ada.put(`/feeds/${feed}/permissions/user/${dice.userId}`, { allow: 0, deny: Permission.VIEW_SPACE })
      return { body: { body: 'too late' } }
    }
    await call()
    assert.deepEqual(
      (await heard(bobs)).filter((told) => told !== 'permission_override_update'),
      [NOTICE],
    )
    assert.deepEqual(await history(), [])
  })

  it('whose bot is kicked or deleted meanwhile posts nothing, in a conversation neither', async () => {
    await using hook = await CallbackServer.listen()
    await using server = await start(engine)
    const { ada, bob, dice, messages } = await withBot(server, hook)
    const [bobs] = await connectAll(server, bob)
    const toys = await createBot(ada, 'toys', { interaction_url: hook.url, commands: ['play'] })
    for (const [command, bot, path] of [
      ['/roll', dice, 'members'],
      ['/play', toys, 'bots'],
    ] as const) {
      const pair = `/dms/${await openPair(bob, bot)}/messages`
      const both = Promise.withResolvers<void>()
      const before = hook.calls.length
      hook.answer = async () => {
        if (hook.calls.length === before + 2) both.resolve(void (await ada.delete(`/${path}/${bot.userId}`)))
        await both.promise
        return { body: { body: 'too late' } }
      }
      await bobs?.told()
      await Promise.all([messages, pair].map((place) => bob.post(place, { body: command })))
      assert.deepEqual((await heard(bobs)).slice(-3), ['member_leave', NOTICE, NOTICE])
      assert.deepEqual((await bob.get(pair)).body.messages, [])
    }
  })

  it('serves conversations, and buttons as well; a gateway session of the bot is not told', async () => {
    await using hook = await CallbackServer.listen()
    await using server = await start(engine)
    const { bob, dice, messages } = await withBot(server, hook)
    const dm = await openPair(bob, dice)
    const [bobs, dices] = await connectAll(server, bob, dice)
    hook.answer = ({ payload }) => ({ body: { body: `${payload.type} ${payload.dm_id} ${payload.component_id}` } })
    await bob.post(`/dms/${dm}/messages`, { body: '/roll' })
    assert.deepEqual(await heard(bobs), [`slash_command ${dm} undefined`])
    const { msg_id } = (await dice.post(messages, { body: 'press' })).body
    assert.equal((await bob.post('/interactions/component', { msg_id, component_id: 'go' })).status, 204)
    assert.deepEqual(await heard(bobs), ['press', 'button null go'])
    assert.equal(hook.calls[1]?.payload.msg_id, msg_id)
    hook.answer = () => ({ status: 500 })
    assert.equal((await bob.post('/interactions/component', { msg_id, component_id: 'go' })).status, 204)
    assert.deepEqual(await heard(bobs), [NOTICE])
    assert.ok(!(await heard(dices)).includes('interaction_create'))
  })

  it('is signed with the secret of the moment', async () => {
    await using hook = await CallbackServer.listen()
    await using server = await start(engine)
    const { ada, dice, call } = await withBot(server, hook)
    const { interaction_secret } = (await ada.post(`/bots/${dice.userId}/token`)).body
    await call()
    const [called] = hook.calls
    const signed = `${called?.headers['x-vox-timestamp']}.${called?.raw}`
    const expected = createHmac('sha256', interaction_secret).update(signed).digest('hex')
    assert.equal(called?.headers['x-vox-signature'], `v1=${expected}`)
  })

  it('of a bot that has become a gateway bot again is not made', async () => {
    await using hook = await CallbackServer.listen()
    await using server = await start(engine)
    const { dice, call } = await withBot(server, hook)
    await dice.patch('/bots/@me', { interaction_url: null })
    await registerCommands(dice, 'other')
    const [dices] = await connectAll(server, dice)
    await call()
    assert.deepEqual(await heard(dices), ['interaction_create'])
    assert.equal(hook.calls.length, 0)
  })
})
