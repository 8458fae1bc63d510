import assert from 'node:assert/strict'
import { it } from 'node:test'
import { enableTotp, guest, logIn, restarted } from '../../support/accounts.ts'
import { createBot } from '../../support/bots.ts'
import { TestClock } from '../../support/clock.ts'
import { auditTypes, createFeed, grant, lastAudit, registerAll } from '../../support/community.ts'
import { forEachEngine } from '../../support/engines.ts'
import { connectAll, GatewayClient } from '../../support/gateway-client.ts'
import { Client, failure, PASSWORD, startTestServer } from '../../support/server.ts'

const DAY_MS = 86_400_000
/** A public address, so that no name has to be looked up. */
const HOOK = 'https://93.184.216.34/hook'

forEachEngine('bot accounts', (engine) => {
  it('are members like all others, made by who manages the server', async () => {
    const clock = new TestClock()
    await using server = await startTestServer(engine, { clock })
    const [ada, bob] = await registerAll(server, 'ada', 'bob')
    const [watcher] = await connectAll(server, bob)
    await grant(ada, bob, ['MANAGE_SERVER'])
    await watcher?.told()
    const wanted = { username: 'dice', display_name: 'Dice', avatar: 'dice.png', interaction_url: HOOK }
    const { status, body, headers } = await bob.post('/bots', wanted)
    assert.equal(status, 201)
    assert.equal(headers.get('cache-control'), 'no-store')
    const { token, interaction_secret, ...bot } = body
    assert.deepEqual(bot, { bot_id: 1, user_id: 3, owner_id: 2, created_at: clock.now() / 1000, ...wanted })
    assert.match(token, /^vox_sess_[\w-]{64}$/)
    assert.match(interaction_secret, /^bsec_[\w-]{43}$/)
    assert.deepEqual(await watcher?.told(), [['member_join', { user_id: 3, username: 'dice', display_name: 'Dice' }]])
    assert.deepEqual(await lastAudit(ada), ['bot.create', 2, 3, { username: 'dice' }])
    assert.equal((await ada.get('/members/3')).body.bot, true)
    assert.equal((await ada.get('/users/3')).body.bot, true)
    assert.equal((await ada.get('/server')).body.member_count, 3)
    const dice = new Client(server.url, token)
    for (const reader of [ada, bob, dice]) assert.deepEqual((await reader.get('/bots/3')).body, bot)
    assert.deepEqual((await dice.get('/bots/@me')).body, bot)
    await createBot(ada, 'second')
    const { bots } = (await bob.get('/bots')).body
    assert.deepEqual(
      bots.map(({ username }: { username: string }) => username),
      ['dice', 'second'],
    )
    assert.deepEqual(bots[0], bot)
  })

  it('are refused without the permission, with a bad wish, to bots and to guests', async () => {
    await using prepared = await startTestServer(engine)
    const [ada, bob] = await registerAll(prepared, 'ada', 'bob')
    const dice = await createBot(ada, 'dice')
    for (const manager of [bob, dice]) await grant(ada, manager, ['MANAGE_SERVER'])
    // Pat's session becomes that of a guest.
    const pat = await prepared.register('pat')
    const asGuest = `update auth_sessions set user_id = 5 where user_id = ${pat.userId}`
    await using server = await restarted(prepared, engine, {}, guest('gus'), asGuest)
    const create = async (body: object, { token }: Pick<Client, 'token'> = ada) =>
      failure(await new Client(server.url, token).post('/bots', body))
    const eve = await server.register('eve')
    assert.equal(await create({ username: 'x' }, eve), '403 MISSING_PERMISSIONS')
    for (const outsider of [dice, pat]) assert.equal(await create({ username: 'toys' }, outsider), '403 FORBIDDEN')
    assert.equal(await create({ username: 'Dice' }), '409 AUTH_FAILED')
    for (const bad of [{}, { username: 'toys', user_id: 2 }, { username: 'a@b' }, { user_id: 'x' }])
      assert.equal(await create(bad), '422 VALIDATION_ERROR')
    for (const too_long of [{ interaction_url: `https://e.org/${'x'.repeat(2048)}` }, { avatar: 'x'.repeat(513) }])
      assert.equal(await create({ username: 'toys', ...too_long }), '422 VALIDATION_ERROR')
    for (const interaction_url of ['', 'ftp://93.184.216.34', 'http://127.0.0.1:9000', 'http://u:p@93.184.216.34/'])
      assert.equal(await create({ username: 'toys', interaction_url }), '400 INVALID_URL')
    // Only administrators turn accounts into bots.
    assert.equal(await create({ user_id: 1 }, bob), '403 MISSING_PERMISSIONS')
    for (const [user_id, refusal] of [
      [99, '404 USER_NOT_FOUND'],
      [1, '400 INVALID_TARGET'],
      [dice.userId, '400 INVALID_TARGET'],
      [5, '400 INVALID_TARGET'],
    ])
      assert.equal(await create({ user_id }), refusal)
    await eve.delete('/members/@me')
    assert.equal(await create({ user_id: eve.userId }), '404 USER_NOT_FOUND')
    assert.deepEqual(await auditTypes(new Client(server.url, ada.token)), [
      'bot.create',
      'role.create',
      'role.assign',
      'role.create',
      'role.assign',
      'member.leave',
    ])
  })

  it('are refused to those who lose the permission while the host of the callback is looked up', async () => {
    let revoke = async () => {}
    const resolve = async () => {
      await revoke()
      return ['93.184.216.34']
    }
    await using server = await startTestServer(engine, { resolve })
    const [ada, bob, eve] = await registerAll(server, 'ada', 'bob', 'eve')
    const interaction_url = 'https://bots.example/'
    for (const wanted of [{ username: 'dice' }, { user_id: eve.userId }]) {
      await ada.put(`/members/${bob.userId}/roles/2`)
      revoke = async () => void (await ada.delete(`/members/${bob.userId}/roles/2`))
      assert.equal(failure(await bob.post('/bots', { ...wanted, interaction_url })), '403 MISSING_PERMISSIONS')
    }
    assert.deepEqual((await ada.get('/bots')).body.bots, [])
  })

  it('can be made of accounts of people, which keep their sessions and lose what people log in with', async () => {
    const clock = new TestClock()
    await using server = await startTestServer(engine, { clock })
    const [ada, bob, eve] = await registerAll(server, 'ada', 'bob', 'eve')
    await enableTotp(bob, clock)
    const [watcher] = await connectAll(server, eve)
    const { status, body } = await ada.post('/bots', { user_id: bob.userId, interaction_url: HOOK, avatar: 'b.png' })
    assert.equal(status, 201)
    assert.deepEqual([body.username, body.interaction_url, body.avatar], ['bob', HOOK, 'b.png'])
    assert.deepEqual(await watcher?.told(), [['user_update', { user_id: 2, avatar: 'b.png' }]])
    assert.equal((await bob.get('/auth/2fa')).body.totp_enabled, false)
    assert.equal(failure(await logIn(server, 'bob')), '401 AUTH_FAILED')
    assert.equal(failure(await bob.post('/auth/2fa/setup', { method: 'totp' })), '403 FORBIDDEN')
    const change = { current_password: PASSWORD, new_password: 'another password' }
    assert.equal(failure(await bob.put('/auth/password', change)), '403 FORBIDDEN')
    assert.equal((await new Client(server.url, body.token).get('/users/@me')).body.user_id, 2)
    assert.equal((await GatewayClient.connect(server, bob)).snapshot.length, 1)
    assert.deepEqual(await lastAudit(ada), ['bot.create', 1, 2, { username: 'bob' }])
  })

  it('do not count as administrators', async () => {
    await using server = await startTestServer(engine)
    const [ada, bob] = await registerAll(server, 'ada', 'bob')
    const dice = await createBot(ada, 'dice')
    for (const { userId } of [bob, dice]) await ada.put(`/members/${userId}/roles/2`)
    await ada.delete('/members/2/roles/2')
    assert.equal(failure(await dice.delete('/members/1/roles/2')), '400 INVALID_TARGET')
    assert.equal(failure(await dice.put('/bans/1')), '400 INVALID_TARGET')
    await ada.put('/members/2/roles/2')
    assert.equal(failure(await ada.post('/bots', { user_id: 1 })), '400 INVALID_TARGET', 'nobody is their own bot')
    assert.equal((await ada.post('/bots', { user_id: 2 })).status, 201)
    assert.equal(failure(await ada.delete('/members/1/roles/2')), '400 INVALID_TARGET')
  })

  it('are changed by themselves and by those who manage them', async () => {
    await using server = await startTestServer(engine)
    const [ada, bob] = await registerAll(server, 'ada', 'bob')
    await grant(ada, bob, ['MANAGE_SERVER'])
    const dice = await createBot(bob, 'dice')
    const [watcher] = await connectAll(server, ada)
    const patch = async (body: object) => (await dice.patch('/bots/@me', body)).body
    assert.equal((await patch({ interaction_url: HOOK })).interaction_url, HOOK)
    assert.equal((await patch({})).interaction_url, HOOK)
    assert.equal((await patch({ interaction_url: null })).interaction_url, null)
    assert.deepEqual(await watcher?.told(), [])
    const { body } = await bob.patch(`/bots/${dice.userId}`, { display_name: 'Dice', avatar: 'd.png' })
    assert.deepEqual([body.display_name, body.avatar], ['Dice', 'd.png'])
    assert.deepEqual(body, (await ada.patch(`/bots/${dice.userId}`, { display_name: null })).body)
    const change = { display_name: 'Dice', avatar: 'd.png' }
    assert.deepEqual(await watcher?.told(), [['user_update', { user_id: dice.userId, ...change }]])
    assert.deepEqual(await lastAudit(ada), ['user.update', bob.userId, dice.userId, change])
    for (const interaction_url of ['', 'http://10.0.0.1/'])
      assert.equal(failure(await dice.patch('/bots/@me', { interaction_url })), '400 INVALID_URL')
    assert.equal(failure(await dice.patch('/bots/@me', { display_name: 'x'.repeat(65) })), '422 VALIDATION_ERROR')
  })

  it('answer for the user of the path in the order of every such path', async () => {
    await using server = await startTestServer(engine)
    const [ada, bob, eve] = await registerAll(server, 'ada', 'bob', 'eve')
    await grant(ada, bob, ['MANAGE_SERVER'])
    const { userId } = await createBot(bob, 'dice')
    const calls = [
      (client: Client, user: unknown) => client.get(`/bots/${user}`),
      (client: Client, user: unknown) => client.patch(`/bots/${user}`, {}),
      (client: Client, user: unknown) => client.post(`/bots/${user}/token`),
      (client: Client, user: unknown) => client.delete(`/bots/${user}`),
      (client: Client, user: unknown) => client.get(`/bots/${user}/commands`),
      (client: Client, user: unknown) => client.put(`/bots/${user}/commands`, { commands: [{ name: 'x' }] }),
      (client: Client, user: unknown) => client.delete(`/bots/${user}/commands`, { command_names: ['x'] }),
    ]
    for (const call of calls) {
      assert.equal(failure(await call(ada, 'x')), '400 INVALID_USER_ID')
      for (const user of [userId, 99, ada.userId])
        assert.equal(failure(await call(eve, user)), '403 MISSING_PERMISSIONS')
      assert.equal(failure(await call(ada, 99)), '404 USER_NOT_FOUND')
      for (const user of [eve.userId, '@me']) assert.equal(failure(await call(ada, user)), '403 FORBIDDEN')
    }
    // Owning a bot is a right to this one alone.
    assert.equal(failure(await bob.get(`/bots/${eve.userId}`)), '403 MISSING_PERMISSIONS')
    assert.equal(failure(await eve.get('/bots/@me')), '403 FORBIDDEN')
    assert.equal(failure(await eve.get('/bots')), '403 MISSING_PERMISSIONS')
    assert.equal((await bob.get(`/bots/${userId}`)).status, 200)
  })

  it('cannot renew their token or delete themselves, their owners can', async () => {
    await using server = await startTestServer(engine)
    const [ada, bob] = await registerAll(server, 'ada', 'bob')
    await grant(ada, bob, ['MANAGE_SERVER'])
    const dice = await createBot(bob, 'dice')
    assert.equal(failure(await dice.post('/bots/@me/token')), '403 MISSING_PERMISSIONS')
    assert.equal(failure(await dice.delete('/bots/@me')), '403 MISSING_PERMISSIONS')
    const [connected] = await connectAll(server, dice)
    const { status, body, headers } = await bob.post(`/bots/${dice.userId}/token`)
    assert.equal(status, 200)
    assert.equal(headers.get('cache-control'), 'no-store')
    assert.deepEqual(Object.keys(body), ['token', 'interaction_secret'])
    assert.notEqual(body.interaction_secret, dice.secret)
    assert.equal((await connected?.lastWords())?.code, 4004)
    assert.equal(failure(await dice.get('/users/@me')), '401 AUTH_EXPIRED')
    assert.equal((await new Client(server.url, body.token).get('/users/@me')).status, 200)
  })

  it('go with their commands and sessions, while their messages stay', async () => {
    await using server = await startTestServer(engine)
    const [ada, bob] = await registerAll(server, 'ada', 'bob')
    const feed = await createFeed(ada)
    const dice = await createBot(ada, 'dice', { commands: ['roll', 'draw'] })
    const { msg_id } = (await dice.post(`/feeds/${feed}/messages`, { body: 'hello' })).body
    const [watcher, connected] = await connectAll(server, bob, dice)
    await watcher?.told()
    assert.equal((await ada.delete(`/bots/${dice.userId}`)).status, 204)
    assert.deepEqual(await watcher?.told(), [
      ['bot_commands_delete', { bot_id: 1, command_names: ['roll', 'draw'] }],
      ['member_leave', { user_id: dice.userId }],
    ])
    assert.equal((await connected?.lastWords())?.code, 4004)
    assert.equal(failure(await dice.get('/users/@me')), '401 AUTH_EXPIRED')
    assert.deepEqual(await lastAudit(ada), ['bot.delete', 1, dice.userId, { username: 'dice' }])
    assert.equal((await ada.get(`/feeds/${feed}/messages/${msg_id}`)).body.author_id, dice.userId)
    assert.deepEqual((await ada.get('/bots')).body, { bots: [] })
    assert.deepEqual((await ada.get('/commands')).body, { commands: [] })
    assert.equal(failure(await ada.delete(`/bots/${dice.userId}`)), '403 FORBIDDEN')
    const mute = await createBot(ada, 'mute')
    await watcher?.told()
    await ada.delete(`/bots/${mute.userId}`)
    assert.deepEqual(await watcher?.told(), [['member_leave', { user_id: mute.userId }]])
  })

  it('come back after a kick with their token and an invite, but not while they are banned', async () => {
    await using server = await startTestServer(engine)
    const [ada, bob] = await registerAll(server, 'ada', 'bob')
    const dice = await createBot(ada, 'dice', { commands: ['roll'] })
    const { code } = (await ada.post('/invites', {})).body
    const [watcher] = await connectAll(server, bob)
    await watcher?.told()
    const names = async () => (await bob.get('/commands')).body.commands.map(({ name }: { name: string }) => name)
    await ada.delete(`/members/${dice.userId}`)
    assert.deepEqual(await names(), [])
    assert.equal((await ada.get(`/bots/${dice.userId}`)).status, 200)
    assert.equal(failure(await dice.get('/users/@me')), '403 BANNED')
    assert.equal((await dice.post('/members/join', { invite_code: code })).status, 204)
    assert.deepEqual(await names(), ['roll'])
    await ada.put(`/bans/${dice.userId}`)
    assert.equal(failure(await dice.post('/members/join', { invite_code: code })), '403 BANNED')
    assert.deepEqual(await names(), [])
    assert.deepEqual(
      (await watcher?.told())?.map(([type]) => type),
      ['member_leave', 'member_join', 'member_ban'],
    )
    assert.equal((await ada.get('/members/3')).status, 404)
    assert.equal((await ada.delete(`/bots/${dice.userId}`)).status, 204)
    assert.deepEqual(
      (await watcher?.told())?.map(([type]) => type),
      ['bot_commands_delete'],
    )
  })

  it('are known to be bots after a restart', async () => {
    await using before = await startTestServer(engine)
    const [ada, bob] = await registerAll(before, 'ada', 'bob')
    await grant(ada, bob, ['MANAGE_SERVER'])
    const dice = await createBot(bob, 'dice', { interaction_url: HOOK })
    await using server = await restarted(before, engine, {})
    assert.equal((await new Client(server.url, ada.token).get('/members/3')).body.bot, true)
    assert.equal((await new Client(server.url, bob.token).get(`/bots/${dice.userId}`)).body.interaction_url, HOOK)
  })
})

forEachEngine('the token of a bot', (engine) => {
  it('lasts a hundred years without being used', async () => {
    const now = Date.UTC(2026, 0, 1)
    await using fresh = await startTestServer(engine, { clock: new TestClock(now) })
    const ada = await fresh.register('ada')
    const dice = await createBot(ada, 'dice')
    const env = { VOX_DATABASE_URL: fresh.databaseUrl }
    const meIn = async (days: number, { token }: Client) => {
      await using server = await startTestServer(engine, { env, clock: new TestClock(now + days * DAY_MS) })
      return failure(await new Client(server.url, token).get('/users/@me'))
    }
    await fresh.close()
    assert.equal(await meIn(36_000, dice), '200 undefined')
    assert.equal(await meIn(36_000, ada), '401 AUTH_EXPIRED')
    assert.equal(await meIn(36_525, dice), '401 AUTH_EXPIRED')
  })

  it('serves REST by either scheme and the gateway, which says that it is a bot', async () => {
    await using server = await startTestServer(engine)
    const ada = await server.register('ada')
    const dice = await createBot(ada, 'dice')
    for (const scheme of ['Bot', 'Bearer'])
      assert.equal((await dice.get('/users/@me', { authorization: `${scheme} ${dice.token}` })).status, 200)
    assert.equal((await GatewayClient.connect(server, dice)).ready.is_bot, true)
    assert.equal('is_bot' in (await GatewayClient.connect(server, ada)).ready, false)
  })

  it('is answered at login with the account and itself, as often as it comes', async () => {
    await using server = await startTestServer(engine)
    const ada = await server.register('ada')
    const dice = await createBot(ada, 'dice')
    const logInAsBot = (bot_token: unknown) => server.visitor.post('/auth/login', { bot_token })
    for (let i = 0; i < 2; i++) {
      const { status, body } = await logInAsBot(dice.token)
      assert.equal(status, 200)
      assert.deepEqual(body, { token: dice.token, user_id: dice.userId, display_name: 'dice', roles: [] })
    }
    for (const token of ['vox_sess_unknown', ada.token])
      assert.equal(failure(await logInAsBot(token)), '401 AUTH_FAILED')
    await ada.put(`/bans/${dice.userId}`)
    assert.equal(failure(await logInAsBot(dice.token)), '401 AUTH_FAILED')
  })
})
