import assert from 'node:assert/strict'
import { argon2Sync } from 'node:crypto'
import { it } from 'node:test'
import { tokenHash } from '../../../src/features/auth/tokens.ts'
import { enableTotp, guest, logIn, restarted, ticketFor } from '../../support/accounts.ts'
import { TestClock } from '../../support/clock.ts'
import { registerAll } from '../../support/community.ts'
import { openTestDatabase } from '../../support/database.ts'
import { forEachEngine } from '../../support/engines.ts'
import { Client, failure, PASSWORD, startTestServer } from '../../support/server.ts'
import { runSql } from '../../support/sql.ts'

forEachEngine('password login', (engine) => {
  it('answers everything that is wrong alike: no such name, wrong password, no password, banned', async () => {
    await using prepared = await startTestServer(engine)
    const [ada, eve] = await registerAll(prepared, 'ada', 'eve')
    await ada.put(`/bans/${eve.userId}`)
    const bot = "insert into users (username, username_key, created_at) values ('bot', 'bot', 0)"
    await using server = await restarted(prepared, engine, {}, bot, guest('gus'))
    const refused = [
      await logIn(server, 'nobody'),
      await logIn(server, 'ada', 'wrong password'),
      await logIn(server, 'ada', 'abc'),
      await logIn(server, 'bot'),
      await logIn(server, 'gus@remote.example'),
      await logIn(server, 'eve'),
    ]
    for (const answer of refused) {
      assert.equal(failure(answer), '401 AUTH_FAILED')
      assert.deepEqual(answer.body, refused[0]?.body)
    }
    assert.equal(failure(await new Client(server.url, eve.token).get('/users/@me')), '403 BANNED')
  })

  it('finds the local account, not a user of another server with the same name', async () => {
    await using prepared = await startTestServer(engine)
    const ada = await prepared.register('ada')
    const shadow = `insert into users (username, username_key, home_domain, federated, created_at)
      values ('ada', 'ada', 'remote.example', true, 0)`
    await using server = await restarted(prepared, engine, {}, shadow)
    assert.equal((await logIn(server, 'ADA')).body.user_id, ada.userId)
  })

  it('lets those in who have left, for the way back and nothing else', async () => {
    await using server = await startTestServer(engine)
    const [ada, bob] = await registerAll(server, 'ada', 'bob')
    await bob.delete('/members/@me')
    await bob.post('/auth/logout')
    const { status, body } = await logIn(server, 'bob')
    assert.equal(status, 200)
    assert.deepEqual(body.roles, [])
    const returned = new Client(server.url, body.token)
    assert.equal(failure(await returned.get('/users/@me')), '403 BANNED')
    assert.equal(failure(await returned.get('/auth/sessions')), '403 BANNED')
    const invite_code = (await ada.post('/invites', {})).body.code
    assert.equal((await returned.post('/members/join', { invite_code })).status, 204)
    assert.equal((await returned.get('/users/@me')).status, 200)
    await bob.delete('/members/@me')
    assert.equal((await returned.post('/auth/logout')).status, 204)
  })

  it('goes on working when the limits are lowered below what exists', async () => {
    await using prepared = await startTestServer(engine)
    await prepared.register('adalovelace')
    const env = { VOX_LIMIT_USERNAME_MAX: '3', VOX_LIMIT_PASSWORD_MAX: '8' }
    await using server = await restarted(prepared, engine, { env })
    assert.equal((await logIn(server, 'adalovelace')).status, 200)
  })

  it('refuses what is no login', async () => {
    await using server = await startTestServer(engine)
    for (const body of [
      {},
      { username: 'ada' },
      { password: PASSWORD },
      { username: null, password: PASSWORD },
      { username: 1, password: PASSWORD },
      { username: 'x'.repeat(256), password: PASSWORD },
      { username: 'ada', password: 'x'.repeat(1025) },
      { federation_token: 'x'.repeat(257) },
    ])
      assert.equal(
        failure(await server.visitor.post('/auth/login', body)),
        '422 VALIDATION_ERROR',
        JSON.stringify(body),
      )
  })

  it('is limited by address, whatever token comes with it', async () => {
    const env = { VOX_RATELIMIT_ENABLED: 'true' }
    await using server = await startTestServer(engine, { env })
    const ada = await server.register('ada')
    for (let i = 0; i < 4; i++) await logIn(server, 'nobody')
    const refused = await new Client(server.url, ada.token).post('/auth/login', { username: 'ada', password: PASSWORD })
    assert.equal(failure(refused), '429 AUTH_RATE_LIMITED')
    assert.equal((await ada.get('/auth/2fa')).status, 200)
  })

  it('replaces a hash of another cost, and goes on working', async () => {
    await using server = await startTestServer(engine)
    await server.register('ada')
    const outdated = '$argon2id$v=19$m=64,t=1,p=1$c29tZXNhbHQ$'
    await runSql(server.databaseUrl, `update users set password_hash = '${outdated}${hashOfPassword()}'`)
    const answers = await Promise.all([logIn(server, 'ada'), logIn(server, 'ada'), logIn(server, 'ada')])
    assert.deepEqual(
      answers.map(({ status }) => status),
      [200, 200, 200],
    )
    assert.equal((await logIn(server, 'ada')).status, 200)
    await server.close()
    await using database = await openTestDatabase(server.databaseUrl)
    const { password_hash } = await database.read.selectFrom('users').select('password_hash').executeTakeFirstOrThrow()
    assert.match(password_hash ?? '', /^\$argon2id\$v=19\$m=8,t=1,p=1\$/)
  })

  it('treats a hash that cannot be read as a wrong password', async () => {
    await using server = await startTestServer(engine)
    await server.register('ada')
    await runSql(server.databaseUrl, "update users set password_hash = 'damaged'")
    assert.equal(failure(await logIn(server, 'ada')), '401 AUTH_FAILED')
  })
})

/** `PASSWORD` under the salt and cost of the test above. */
function hashOfPassword(): string {
  const cost = { memory: 64, passes: 1, parallelism: 1 }
  const hash = argon2Sync('argon2id', { message: PASSWORD, nonce: Buffer.from('somesalt'), tagLength: 32, ...cost })
  return hash.toString('base64').replaceAll('=', '')
}

forEachEngine('a change of password', (engine) => {
  it('takes the current one, and ends all other sessions and tickets', async () => {
    const clock = new TestClock()
    await using server = await startTestServer(engine, { clock })
    const ada = await server.register('ada')
    const other = new Client(server.url, (await logIn(server, 'ada')).body.token)
    await enableTotp(ada, clock)
    const ticket = await ticketFor(server, 'ada')
    const change = (current_password: string, new_password: string) =>
      ada.put('/auth/password', { current_password, new_password })
    assert.equal(failure(await change('wrong', 'another one')), '401 AUTH_FAILED')
    assert.equal(failure(await change(PASSWORD, 'short')), '422 VALIDATION_ERROR')
    assert.equal((await other.get('/users/@me')).status, 200)
    assert.equal((await change(PASSWORD, 'another one')).status, 204)
    assert.equal((await ada.get('/users/@me')).status, 200)
    assert.equal(failure(await other.get('/users/@me')), '401 AUTH_EXPIRED')
    const dead = await server.visitor.post('/auth/login/2fa', { mfa_ticket: ticket, method: 'totp', code: '000000' })
    assert.equal(failure(dead), '401 2FA_INVALID_CODE')
    assert.equal(failure(await logIn(server, 'ada')), '401 AUTH_FAILED')
    assert.equal(failure(await logIn(server, 'ada', 'another one')), '401 2FA_REQUIRED')
  })

  it('is nothing for accounts without a password', async () => {
    await using prepared = await startTestServer(engine)
    const ada = await prepared.register('ada')
    await using server = await restarted(prepared, engine, {}, 'update users set password_hash = null')
    const change = { current_password: PASSWORD, new_password: 'another one' }
    assert.equal(failure(await new Client(server.url, ada.token).put('/auth/password', change)), '403 FORBIDDEN')
  })
})

forEachEngine('the token of a federated join', (engine) => {
  const FED_TOKEN = `fed_${'x'.repeat(64)}`

  /** A server with a local account, a guest who holds a session, and the guest's federation token. */
  async function withGuest(clock: TestClock) {
    await using prepared = await startTestServer(engine, { clock })
    const { token } = await prepared.register('ada')
    const session = (text: string, kind: string) =>
      `insert into auth_sessions (user_id, token_hash, kind, created_at, expires_at) values
       (2, '${tokenHash(text)}', '${kind}', ${clock.now()}, ${clock.now() + 600_000})`
    const tokens = [session(FED_TOKEN, 'federation'), session('vox_sess_guest', 'session')]
    const server = await restarted(prepared, engine, { clock }, guest('gus'), ...tokens)
    const use = (federation_token: string, path = '/auth/login/federation') =>
      server.visitor.post(path, { federation_token })
    return { server, ada: new Client(server.url, token), use }
  }

  it('becomes a session once, however many ask at once', async () => {
    const { server, use } = await withGuest(new TestClock())
    await using _ = server
    assert.equal(failure(await new Client(server.url, FED_TOKEN).get('/users/@me')), '401 AUTH_FAILED')
    const answers = await Promise.all([use(FED_TOKEN), use(FED_TOKEN), use(FED_TOKEN)])
    assert.deepEqual(answers.map(({ status }) => status).sort(), [200, 401, 401])
    const body = answers.find(({ status }) => status === 200)?.body
    assert.deepEqual(
      { ...body, token: typeof body.token },
      { token: 'string', user_id: 2, display_name: null, roles: [] },
    )
    assert.equal((await new Client(server.url, body.token).get('/users/@me')).body.federated, true)
    assert.equal(failure(await use(FED_TOKEN)), '401 AUTH_FAILED')
  })

  it('is accepted by the ordinary login too, whatever else the body holds', async () => {
    const { server } = await withGuest(new TestClock())
    await using _ = server
    const body = { federation_token: FED_TOKEN, username: 5, password: null }
    assert.equal((await server.visitor.post('/auth/login', body)).body.user_id, 2)
  })

  it('is no session: one of this server is 403 and stays, one of a guest 401', async () => {
    const { server, ada, use } = await withGuest(new TestClock())
    await using _ = server
    for (const path of ['/auth/login/federation', '/auth/login'])
      assert.equal(failure(await use(ada.token ?? '', path)), '403 AUTH_FAILED')
    assert.equal((await ada.get('/users/@me')).status, 200)
    assert.equal(failure(await use('vox_sess_guest')), '401 AUTH_FAILED')
    assert.equal(failure(await use('vox_sess_guest', '/auth/login')), '401 AUTH_FAILED')
    assert.equal((await new Client(server.url, 'vox_sess_guest').get('/users/@me')).status, 200)
    for (const token of ['', 'fed_', 'fed_unknown']) assert.equal(failure(await use(token)), '401 AUTH_FAILED', token)
  })

  it('ends after ten minutes', async () => {
    const clock = new TestClock()
    const { server, use } = await withGuest(clock)
    await using _ = server
    clock.advance(600_000)
    assert.equal(failure(await use(FED_TOKEN)), '401 AUTH_FAILED')
  })

  it('gives no session to a guest who is banned or gone', async () => {
    for (const remove of [(admin: Client) => admin.put('/bans/2'), (admin: Client) => admin.delete('/members/2')]) {
      const { server, ada, use } = await withGuest(new TestClock())
      await using _ = server
      assert.ok((await remove(ada)).status < 300)
      assert.equal(failure(await use(FED_TOKEN, '/auth/login')), '403 BANNED')
      assert.equal(failure(await use(FED_TOKEN)), '403 BANNED')
    }
  })

  it('cannot be any other ticket', async () => {
    const clock = new TestClock()
    const { server, ada, use } = await withGuest(clock)
    await using _ = server
    const { setup_id } = (await ada.post('/auth/2fa/setup', { method: 'totp' })).body
    assert.equal(failure(await use(setup_id)), '401 AUTH_FAILED')
    await enableTotp(ada, clock)
    assert.equal(failure(await use(await ticketFor(server, 'ada'))), '401 AUTH_FAILED')
  })
})
