import assert from 'node:assert/strict'
import { it } from 'node:test'
import { TestClock } from '../support/clock.ts'
import { forEachEngine } from '../support/engines.ts'
import { Client, failure, PASSWORD, startTestServer } from '../support/server.ts'

const DAY_MS = 86_400_000

forEachEngine('accounts', (engine) => {
  it('makes the first account administrator and nobody else', async () => {
    await using server = await startTestServer(engine)
    const founder = await server.visitor.post('/auth/register', { username: 'ada', password: PASSWORD })
    assert.equal(founder.status, 201)
    assert.equal(founder.body.user_id, 1)
    assert.match(founder.body.token, /^vox_sess_[\w-]{64}$/)
    assert.equal(founder.headers.get('cache-control'), 'no-store')
    await server.register('bob')
    const roles = async (username: string) =>
      (await server.visitor.post('/auth/login', { username, password: PASSWORD })).body.roles
    assert.deepEqual(await roles('ada'), [2])
    assert.deepEqual(await roles('bob'), [])
  })

  it('makes one administrator of two simultaneous first registrations', async () => {
    await using server = await startTestServer(engine)
    const clients = await Promise.all(['ada', 'bob', 'cid', 'dan'].map((name) => server.register(name)))
    const roles = await Promise.all(clients.map(async (client) => (await client.get('/users/@me')).body.roles))
    assert.deepEqual(roles.flat(), [2])
  })

  it('gives a name once, in whatever letter case and however many ask at once', async () => {
    await using server = await startTestServer(engine)
    const register = (username: string) => server.visitor.post('/auth/register', { username, password: PASSWORD })
    const answers = await Promise.all(['alice', 'Alice', 'ALICE', 'ａlice'].map(register))
    assert.deepEqual(answers.map(({ status }) => status).sort(), [201, 409, 409, 409])
    assert.equal(failure(await register('alice')), '409 AUTH_FAILED')
    const { status } = await server.visitor.post('/auth/login', { username: 'aLiCe', password: PASSWORD })
    assert.equal(status, 200)
  })

  it('holds to the rules for names and passwords', async () => {
    await using server = await startTestServer(engine)
    const register = async (body: object) => failure(await server.visitor.post('/auth/register', body))
    const refused = [
      { username: 'x'.repeat(33), password: PASSWORD },
      { username: '', password: PASSWORD },
      { username: 'bob@remote.example', password: PASSWORD },
      { username: ' bob', password: PASSWORD },
      { username: 'bob ', password: PASSWORD },
      { username: 'two  spaces', password: PASSWORD },
      { username: 'a/b', password: PASSWORD },
      { username: 'a\u202eb', password: PASSWORD },
      { username: 'bob', password: '1234567' },
      { username: 'bob', password: 'x'.repeat(129) },
      { username: 'bob', password: PASSWORD, display_name: 'x'.repeat(65) },
      { username: 'bob', password: PASSWORD, display_name: 'a\nb' },
      { username: 'bob' },
    ]
    for (const body of refused) assert.equal(await register(body), '422 VALIDATION_ERROR', JSON.stringify(body))
    for (const username of ['😀'.repeat(32), 'Zoë Ångström', '雪だるま'])
      assert.equal((await server.visitor.post('/auth/register', { username, password: '12345678' })).status, 201)
  })

  it('shows the username where no display name is given', async () => {
    await using server = await startTestServer(engine)
    for (const [username, display_name, shown] of [
      ['a', undefined, 'a'],
      ['b', null, 'b'],
      ['c', '', 'c'],
      ['d', '  ', 'd'],
      ['e', 'Eve', 'Eve'],
    ]) {
      const { body } = await server.visitor.post('/auth/register', { username, display_name, password: PASSWORD })
      assert.equal((await new Client(server.url, body.token).get('/users/@me')).body.display_name, shown)
    }
  })

  it('answers an unknown name and a wrong password alike', async () => {
    await using server = await startTestServer(engine)
    await server.register('ada')
    const unknown = await server.visitor.post('/auth/login', { username: 'nobody', password: PASSWORD })
    const wrong = await server.visitor.post('/auth/login', { username: 'ada', password: 'abc' })
    assert.equal(failure(unknown), '401 AUTH_FAILED')
    assert.deepEqual(wrong.body, unknown.body)
  })

  it('ignores a stale token on registration and login', async () => {
    await using server = await startTestServer(engine)
    const stale = new Client(server.url, 'vox_sess_stale')
    assert.equal((await stale.post('/auth/register', { username: 'ada', password: PASSWORD })).status, 201)
    assert.equal((await stale.post('/auth/login', { username: 'ada', password: PASSWORD })).status, 200)
  })

  it('ends the session that logs out and no other', async () => {
    await using server = await startTestServer(engine)
    const first = await server.register('ada')
    const login = await server.visitor.post('/auth/login', { username: 'ada', password: PASSWORD })
    const second = new Client(server.url, login.body.token)
    assert.equal((await first.post('/auth/logout')).status, 204)
    assert.equal(failure(await first.get('/users/@me')), '401 AUTH_EXPIRED')
    assert.equal(failure(await first.post('/auth/logout')), '401 AUTH_EXPIRED')
    assert.equal((await second.get('/users/@me')).status, 200)
  })

  it('prolongs a session past half of its life, and none before', async () => {
    const clock = new TestClock()
    await using server = await startTestServer(engine, { clock })
    const used = await server.register('ada')
    const idle = await server.register('bob')
    clock.advance(16 * DAY_MS)
    assert.equal((await used.get('/users/@me')).status, 200)
    clock.advance(15 * DAY_MS)
    assert.equal((await used.get('/users/@me')).status, 200)
    assert.equal(failure(await idle.get('/users/@me')), '401 AUTH_EXPIRED')
  })

  it('keeps sessions over a restart', async () => {
    const env = { VOX_DATABASE_URL: await engine.freshUrl() }
    const before = await startTestServer(engine, { env })
    const { token } = await before.register('ada')
    await before.close()
    await using after = await startTestServer(engine, { env })
    assert.equal((await new Client(after.url, token).get('/users/@me')).body.username, 'ada')
  })
})

forEachEngine('profiles', (engine) => {
  it('are readable by every member, with the roles held', async () => {
    await using server = await startTestServer(engine)
    await server.register('ada')
    const bob = await server.register('bob')
    const { status, body } = await bob.get('/users/1')
    assert.equal(status, 200)
    assert.deepEqual(
      { ...body, created_at: typeof body.created_at },
      {
        user_id: 1,
        username: 'ada',
        display_name: 'ada',
        avatar: null,
        bio: null,
        roles: [2],
        created_at: 'number',
        federated: false,
        home_domain: null,
        bot: false,
      },
    )
  })

  it('refuse what names no user', async () => {
    await using server = await startTestServer(engine)
    const ada = await server.register('ada')
    assert.equal(failure(await ada.get('/users/abc')), '400 INVALID_USER_ID')
    assert.equal(failure(await ada.get('/users/99')), '404 USER_NOT_FOUND')
    assert.equal(failure(await ada.get('/users/18446744073709551616')), '404 USER_NOT_FOUND')
    assert.equal((await ada.get('/users/@me')).body.user_id, ada.userId)
  })
})
