import assert from 'node:assert/strict'
import { it } from 'node:test'
import { createBot, registerCommands } from '../../support/bots.ts'
import { registerAll } from '../../support/community.ts'
import { forEachEngine } from '../../support/engines.ts'
import { connectAll } from '../../support/gateway-client.ts'
import { type Client, failure, startTestServer, type TestServer } from '../../support/server.ts'

async function withBot(server: TestServer) {
  const [ada, bob] = await registerAll(server, 'ada', 'bob')
  return { ada, bob, dice: await createBot(ada, 'dice') }
}

const ROLL = {
  name: 'roll',
  description: 'Rolls dice',
  params: [
    { name: 'sides', description: 'of each', required: true, type: 'integer', choices: ['6', '20'] },
    { name: 'secret' },
  ],
}

const ROLL_AS_STORED = {
  ...ROLL,
  params: [ROLL.params[0], { name: 'secret', description: null, required: false, type: null, choices: null }],
}

const names = ({ body }: { body: { commands: { name: string }[] } }) => body.commands.map(({ name }) => name)

forEachEngine('commands', (engine) => {
  it('are registered by a bot, and everybody is told', async () => {
    await using server = await startTestServer(engine)
    const { ada, bob, dice } = await withBot(server)
    const [watcher] = await connectAll(server, bob)
    const { status, body } = await dice.put('/bots/@me/commands', { commands: [ROLL, { name: 'Draw' }] })
    assert.equal(status, 200)
    const stored = [ROLL_AS_STORED, { name: 'Draw', description: null, params: [] }]
    assert.deepEqual(body, { ok: true, commands: stored })
    assert.deepEqual(await watcher?.told(), [['bot_commands_update', { bot_id: 1, commands: stored }]])
    assert.deepEqual((await dice.get('/bots/@me/commands')).body, { commands: stored })
    assert.deepEqual((await ada.get(`/bots/${dice.userId}/commands`)).body, { commands: stored })
    const whose = { bot_id: 1, bot_user_id: dice.userId }
    assert.deepEqual((await bob.get('/commands')).body, {
      commands: stored.map((command) => ({ ...command, ...whose })),
    })
    assert.equal((await dice.put('/bots/@me/commands', { commands: [] })).status, 200)
    assert.deepEqual(await watcher?.told(), [])
    const { events } = (await bob.post('/sync', { since_timestamp: Date.now() - 60_000, categories: ['bots'] })).body
    assert.deepEqual(
      events.map(({ type }: { type: string }) => type),
      ['bot_commands_update'],
    )
  })

  it('may be registered by the owner and by administrators, on behalf of the bot', async () => {
    await using server = await startTestServer(engine)
    const { ada, dice } = await withBot(server)
    assert.equal((await ada.put(`/bots/${dice.userId}/commands`, { commands: [{ name: 'roll' }] })).status, 200)
    assert.deepEqual(names(await dice.get('/bots/@me/commands')), ['roll'])
    assert.equal((await ada.delete(`/bots/${dice.userId}/commands`, { command_names: ['roll'] })).status, 200)
    assert.deepEqual(names(await dice.get('/bots/@me/commands')), [])
  })

  it('have names of their own on the whole server: all are added, or none', async () => {
    await using server = await startTestServer(engine)
    const { ada, bob, dice } = await withBot(server)
    const cards = await createBot(ada, 'cards')
    await registerCommands(dice, 'roll')
    const [watcher] = await connectAll(server, bob)
    await watcher?.told()
    const register = async (bot: Client, ...wanted: string[]) =>
      failure(await bot.put('/bots/@me/commands', { commands: wanted.map((name) => ({ name })) }))
    for (const bot of [dice, cards]) assert.equal(await register(bot, 'deal', 'roll'), '409 CMD_ALREADY_REGISTERED')
    assert.equal(await register(cards, 'deal', 'deal'), '409 CMD_ALREADY_REGISTERED')
    assert.deepEqual(names(await bob.get('/commands')), ['roll'])
    assert.deepEqual(await watcher?.told(), [])
    const answers = await Promise.all([dice, cards].map((bot) => register(bot, 'both')))
    assert.deepEqual(answers.sort(), ['200 undefined', '409 CMD_ALREADY_REGISTERED'])
    await registerCommands(cards, 'Roll')
  })

  it('are refused if they do not keep the rules', async () => {
    await using server = await startTestServer(engine)
    const { dice } = await withBot(server)
    const register = async (...commands: unknown[]) => failure(await dice.put('/bots/@me/commands', { commands }))
    const param = (param: object) => ({ name: 'x', params: [param] })
    const many = (count: number) => Array.from({ length: count }, (_, i) => ({ name: `n${i}` }))
    for (const bad of [
      {},
      ...['', 'a b', 'a\u2003b', 'a/b', 'x'.repeat(33)].map((name) => ({ name })),
      { name: 'x', description: 'x'.repeat(257) },
      ...['', 'a b', 'a=b', 'x'.repeat(33)].map((name) => param({ name })),
      param({ name: 'x', description: 'x'.repeat(257) }),
      param({ name: 'x', type: 'float' }),
      param({ name: 'x', choices: Array.from({ length: 26 }, String) }),
      param({ name: 'x', required: 'maybe' }),
      { name: 'x', params: [{ name: 'a' }, { name: 'a' }] },
      { name: 'x', params: many(26) },
    ])
      assert.equal(await register(bad), '422 VALIDATION_ERROR')
    assert.equal(await register(...many(101)), '422 VALIDATION_ERROR')
    const choices = Array.from({ length: 25 }, (_, i) => `${i}`.padStart(100, 'x'))
    const large = many(25).map(({ name }) => ({ name, choices }))
    const huge = many(5).map(({ name }) => ({ name, params: large }))
    assert.equal(await register(...huge), '413 PAYLOAD_TOO_LARGE')
    assert.equal(await register({ name: 'a=b', params: [{ name: 'a/b' }, { name: 'c' }] }), '200 undefined')
    assert.equal(await register(...many(99)), '200 undefined')
    assert.equal(await register({ name: 'more' }), '400 INVALID_OPERATION')
    assert.equal((await dice.get('/bots/@me/commands')).body.commands.length, 100)
  })

  it('are deregistered by name: all of them, or none', async () => {
    await using server = await startTestServer(engine)
    const { ada, bob, dice } = await withBot(server)
    const cards = await createBot(ada, 'cards', { commands: ['deal'] })
    await registerCommands(dice, 'roll', 'draw', 'toss')
    const [watcher] = await connectAll(server, bob)
    await watcher?.told()
    const deregister = (...command_names: unknown[]) => dice.delete('/bots/@me/commands', { command_names })
    for (const unknown of ['deal', 'Roll', 'x'])
      assert.equal(failure(await deregister('roll', unknown)), '404 CMD_NOT_FOUND')
    assert.equal(failure(await deregister(5)), '422 VALIDATION_ERROR')
    assert.equal(failure(await dice.delete('/bots/@me/commands', {})), '422 VALIDATION_ERROR')
    assert.deepEqual(await watcher?.told(), [])
    const { status, body } = await deregister('toss', 'roll', 'toss')
    assert.deepEqual([status, body], [200, { ok: true }])
    assert.deepEqual((await deregister()).body, { ok: true })
    assert.deepEqual(await watcher?.told(), [['bot_commands_delete', { bot_id: 1, command_names: ['toss', 'roll'] }]])
    assert.deepEqual(names(await bob.get('/commands')), ['deal', 'draw'])
    assert.deepEqual(names(await cards.get('/bots/@me/commands')), ['deal'])
  })
})
