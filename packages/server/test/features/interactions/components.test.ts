import assert from 'node:assert/strict'
import { it } from 'node:test'
import { Permission } from '@vox/protocol'
import { createBot } from '../../support/bots.ts'
import { TestClock } from '../../support/clock.ts'
import { createFeed, registerAll } from '../../support/community.ts'
import { createGroup } from '../../support/conversations.ts'
import { forEachEngine } from '../../support/engines.ts'
import { connectAll } from '../../support/gateway-client.ts'
import { failure, startTestServer, type TestServer } from '../../support/server.ts'
import { runSql } from '../../support/sql.ts'

const COMPONENTS = [
  { type: 'button', label: 'Again', custom_id: 'again' },
  { type: 'select', custom_id: 'colour', options: ['red', 'blue'].map((value) => ({ label: value, value })) },
]

/** A message of the bot `dice` with a button and a menu. */
async function withMessage(server: TestServer) {
  const [ada, bob] = await registerAll(server, 'ada', 'bob')
  const feed = await createFeed(ada)
  const messages = `/feeds/${feed}/messages`
  const dice = await createBot(ada, 'dice')
  const { msg_id } = (await dice.post(messages, { body: 'Play?', components: COMPONENTS })).body
  const press = (body: object) => bob.post('/interactions/component', { msg_id, ...body })
  return { ada, bob, dice, feed, messages, msg_id, press }
}

forEachEngine('a component', (engine) => {
  it('that is used is told to its bot and to nobody else', async () => {
    await using server = await startTestServer(engine)
    const { ada, bob, dice, feed, msg_id, press } = await withMessage(server)
    const [adas, bobs, dices] = await connectAll(server, ada, bob, dice)
    assert.equal((await press({ component_id: 'again' })).status, 204)
    assert.equal((await press({ component_id: 'colour', values: ['blue', 'red'] })).status, 204)
    const told = (await dices?.told()) ?? []
    const interactions = told.map(([type, data]) => {
      assert.equal(type, 'interaction_create')
      const { interaction, ...flat } = data as Record<string, unknown>
      assert.deepEqual(interaction, flat)
      const { id, interaction_id, ...rest } = flat
      assert.equal(id, interaction_id)
      return rest
    })
    const common = {
      type: 'button',
      bot_id: 1,
      user_id: bob.userId,
      feed_id: feed,
      dm_id: null,
      thread_id: null,
      msg_id,
    }
    assert.deepEqual(interactions, [
      { ...common, component_id: 'again', component_type: 'button', values: [] },
      { ...common, component_id: 'colour', component_type: 'select', values: ['blue', 'red'] },
    ])
    for (const session of [adas, bobs]) assert.deepEqual(await session?.told(), [])
  })

  it('is answered like a command, and silence after it is not told', async () => {
    const clock = new TestClock()
    await using server = await startTestServer(engine, { clock })
    const { bob, dice, messages, press } = await withMessage(server)
    const [dices, bobs] = await connectAll(server, dice, bob)
    await press({ component_id: 'again' })
    const [[, data] = []] = (await dices?.told()) ?? []
    const { id } = data as { id: string }
    assert.equal(failure(await bob.post(`/interactions/${id}/response`, { body: 'x' })), '403 FORBIDDEN')
    assert.equal((await dice.post(`/interactions/${id}/response`, { body: 'You rolled 2' })).status, 204)
    assert.equal((await bob.get(messages)).body.messages[0].body, 'You rolled 2')
    await press({ component_id: 'again' })
    await bobs?.told()
    clock.advance(16_000)
    await bob.get('/users/@me')
    assert.deepEqual(await bobs?.told(), [])
  })

  it('must be one of the message, and so must what is chosen', async () => {
    await using server = await startTestServer(engine)
    const { dice, press } = await withMessage(server)
    const [dices] = await connectAll(server, dice)
    for (const bad of [
      {},
      { component_id: 5 },
      { component_id: 'other' },
      { component_id: '' },
      { component_id: 'x'.repeat(101) },
      { component_id: 'again', values: ['red'] },
      { component_id: 'colour', values: ['red', 'green'] },
      { component_id: 'colour', values: 'red' },
      { component_id: 'colour', values: Array.from({ length: 26 }, () => 'red') },
      { component_id: 'again', msg_id: 0 },
    ])
      assert.equal(failure(await press(bad)), '422 VALIDATION_ERROR')
    assert.deepEqual(await dices?.told(), [])
  })

  it('may be anything under a message of a bot that shows none', async () => {
    await using server = await startTestServer(engine)
    const { dice, messages, press } = await withMessage(server)
    const { msg_id } = (await dice.post(messages, { body: 'old style' })).body
    const [dices] = await connectAll(server, dice)
    assert.equal((await press({ msg_id, component_id: 'drawn otherwise', values: ['x'] })).status, 204)
    assert.equal(failure(await press({ msg_id, component_id: 'x'.repeat(101) })), '422 VALIDATION_ERROR')
    const [[, data] = []] = (await dices?.told()) ?? []
    const { component_id, component_type, values } = data as Record<string, unknown>
    assert.deepEqual([component_id, component_type, values], ['drawn otherwise', 'select', ['x']])
  })

  it('is looked for after its message, and that in what the caller can read', async () => {
    await using server = await startTestServer(engine)
    const { ada, bob, dice, feed, messages, msg_id, press } = await withMessage(server)
    const unknown = 'x'.repeat(200)
    assert.equal(failure(await press({ msg_id: 1, component_id: unknown })), '404 MESSAGE_NOT_FOUND')
    const own = (await bob.post(messages, { body: 'mine' })).body.msg_id
    assert.equal(failure(await press({ msg_id: own, component_id: unknown })), '400 NOT_BOT_MESSAGE')
    const posted = (await bob.post(messages, { body: 'hook' })).body.msg_id
    await runSql(server.databaseUrl, `update messages set author_id = null, webhook_id = 1 where msg_id = ${posted}`)
    assert.equal(failure(await press({ msg_id: posted, component_id: 'x' })), '400 NOT_BOT_MESSAGE')
    for (const deny of [Permission.VIEW_SPACE, Permission.READ_HISTORY]) {
      await ada.put(`/feeds/${feed}/permissions/user/${bob.userId}`, { allow: 0, deny })
      assert.equal(failure(await press({ component_id: 'again' })), '404 MESSAGE_NOT_FOUND')
      assert.equal(failure(await press({ component_id: 'other' })), '404 MESSAGE_NOT_FOUND')
    }
    await ada.delete(`/feeds/${feed}/permissions/user/${bob.userId}`)
    const group = await createGroup(ada, dice)
    const private_id = (await dice.post(`/dms/${group}/messages`, { body: 'private' })).body.msg_id
    assert.equal(failure(await press({ msg_id: private_id, component_id: 'x' })), '404 MESSAGE_NOT_FOUND')
    const [dices] = await connectAll(server, dice)
    assert.equal((await ada.post('/interactions/component', { msg_id: private_id, component_id: 'x' })).status, 204)
    const [[, data] = []] = (await dices?.told()) ?? []
    assert.equal((data as { dm_id: number }).dm_id, group)
    await ada.delete(`/bots/${dice.userId}`)
    assert.equal(failure(await press({ msg_id, component_id: 'again' })), '400 NOT_BOT_MESSAGE')
  })

  it('of a bot that is not there any more, or does not see the place, says so to who uses it', async () => {
    await using server = await startTestServer(engine)
    const { ada, bob, dice, feed, press } = await withMessage(server)
    const [bobs, dices] = await connectAll(server, bob, dice)
    await ada.put(`/feeds/${feed}/permissions/user/${dice.userId}`, { allow: 0, deny: Permission.VIEW_SPACE })
    for (const session of [bobs, dices]) await session?.told()
    assert.equal((await press({ component_id: 'again' })).status, 204)
    assert.deepEqual(await dices?.told(), [])
    const [[type, data] = []] = (await bobs?.told()) ?? []
    const { author_id, ephemeral } = data as Record<string, unknown>
    assert.deepEqual([type, author_id, ephemeral], ['message_create', null, true])
  })

  it('in a thread is answered there', async () => {
    await using server = await startTestServer(engine)
    const { bob, dice, feed, msg_id } = await withMessage(server)
    await bob.post(`/feeds/${feed}/threads`, { parent_msg_id: msg_id, name: 'tea' })
    const thread = `/feeds/${feed}/threads/1/messages`
    const inside = (await dice.post(thread, { body: 'inside' })).body.msg_id
    const [dices] = await connectAll(server, dice)
    await bob.post('/interactions/component', { msg_id: inside, component_id: 'x' })
    const [[, data] = []] = (await dices?.told()) ?? []
    const { id, thread_id } = data as { id: string; thread_id: number }
    assert.equal(thread_id, 1)
    await dice.post(`/interactions/${id}/response`, { body: 'answer' })
    assert.equal((await bob.get(thread)).body.messages[0].body, 'answer')
  })
})
