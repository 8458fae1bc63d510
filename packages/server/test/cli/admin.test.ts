import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { openTestDatabase } from '../support/database.ts'
import { type Engine, forEachEngine, sqlite } from '../support/engines.ts'
import { GatewayClient } from '../support/gateway-client.ts'
import { Client, failure, PASSWORD, startTestServer, type TestServer } from '../support/server.ts'
import { runSql } from '../support/sql.ts'
import { vox } from '../support/vox.ts'

const NEW_PASSWORD = 'battery staple'

const admin = (args: string, { databaseUrl }: Pick<TestServer, 'databaseUrl'>, input = '') =>
  vox(`admin ${args}`, { VOX_DATABASE_URL: databaseUrl, VOX_LOG_FORMAT: 'json' }, input)

const create = (name: string, server: Pick<TestServer, 'databaseUrl'>) =>
  admin(`create ${name} --password-stdin`, server, `${PASSWORD}\n`)

const done = (out: string) => ({ status: 0, out, err: '' })

const login = (server: TestServer, username: string, password: string) =>
  server.visitor.post('/auth/login', { username, password })

/** The same server after a restart. */
const startAgain = (engine: Engine, { databaseUrl }: Pick<TestServer, 'databaseUrl'>) =>
  startTestServer(engine, { env: { VOX_DATABASE_URL: databaseUrl } })

const auditOf = async (client: Client) =>
  (await client.get('/audit-log')).body.entries.map(
    ({ event_type, actor_id, target_id, metadata }: Record<string, unknown>) => ({
      event_type,
      actor_id,
      target_id,
      metadata,
    }),
  )

forEachEngine('vox admin on a running server', (engine) => {
  it('creates an administrator, whatever the registration mode', async () => {
    await using server = await startTestServer(engine, { env: { VOX_AUTH_REGISTRATION: 'closed' } })
    const founder = await server.register('ada')
    const session = await GatewayClient.connect(server, founder)
    assert.deepEqual(await create('bob', server), done('bob is an administrator.\n'))
    assert.deepEqual(
      (await session.told()).map(([type]) => type),
      ['member_join', 'role_assign'],
    )
    const { body } = await login(server, 'bob', PASSWORD)
    assert.deepEqual(body.roles, [2])
    assert.equal(
      (await new Client(server.url, body.token).post('/feeds', { name: 'general', type: 'text' })).status,
      201,
    )
    const [assigned] = await auditOf(founder)
    assert.deepEqual(assigned, { event_type: 'role.assign', actor_id: 0, target_id: 2, metadata: { role_id: 2 } })
  })

  it('founds a server, so that nobody else can', async () => {
    await using server = await startTestServer(engine)
    assert.deepEqual(await create('ada', server), done('ada is an administrator.\n'))
    const second = await server.register('bob')
    assert.deepEqual((await second.get('/users/@me')).body.roles, [])
    const { body } = await login(server, 'ada', PASSWORD)
    assert.deepEqual(body.roles, [2])
    assert.deepEqual(await auditOf(new Client(server.url, body.token)), [])
  })

  it('promotes an account at once, and only once', async () => {
    await using server = await startTestServer(engine)
    const founder = await server.register('ada')
    const bob = await server.register('Bob')
    assert.equal(failure(await bob.post('/feeds', { name: 'general', type: 'text' })), '403 MISSING_PERMISSIONS')
    const session = await GatewayClient.connect(server, founder)
    assert.deepEqual(await admin('promote bob', server), done('bob is now an administrator.\n'))
    assert.equal((await bob.post('/feeds', { name: 'general', type: 'text' })).status, 201)
    assert.deepEqual(await admin('promote bob', server), done('bob was already an administrator.\n'))
    assert.deepEqual((await session.told())[0], ['role_assign', { role_id: 2, user_id: bob.userId }])
    assert.deepEqual((await auditOf(founder))[0], {
      event_type: 'role.assign',
      actor_id: 0,
      target_id: bob.userId,
      metadata: { role_id: 2 },
    })
  })

  it('refuses to promote who has left', async () => {
    await using server = await startTestServer(engine)
    await server.register('ada')
    const bob = await server.register('bob')
    assert.equal((await bob.delete('/members/@me')).status, 204)
    const { status, err } = await admin('promote bob', server)
    assert.equal(status, 1)
    assert.match(err, /^vox: bob has left or is banned[^\n]*\n$/)
  })

  it('replaces a password and ends every session, gateway included', async () => {
    await using server = await startTestServer(engine)
    const ada = await server.register('ada')
    const session = await GatewayClient.connect(server, ada)
    const answer = await admin('reset-password ada --password-stdin', server, `${NEW_PASSWORD}\n`)
    assert.deepEqual(answer, done('The password of ada is replaced. All sessions are ended.\n'))
    assert.equal((await session.socket.closed)[0], 4004)
    assert.equal(failure(await ada.get('/users/@me')), '401 AUTH_EXPIRED')
    assert.equal(failure(await login(server, 'ada', PASSWORD)), '401 AUTH_FAILED')
    assert.equal((await login(server, 'ada', NEW_PASSWORD)).status, 200)
  })

  it('removes second factors and leaves sessions alone', async () => {
    await using server = await startTestServer(engine)
    const ada = await server.register('ada')
    await runSql(server.databaseUrl, `insert into totp_secrets (user_id, secret) values (1, 'AAAA')`)
    assert.equal(failure(await login(server, 'ada', PASSWORD)), '401 2FA_REQUIRED')
    assert.deepEqual(await admin('reset-2fa ada', server), done('ada logs in with the password alone.\n'))
    assert.equal((await login(server, 'ada', PASSWORD)).status, 200)
    assert.equal((await ada.get('/users/@me')).status, 200)
    assert.deepEqual(await auditOf(ada), [
      { event_type: '2fa.admin_reset', actor_id: 0, target_id: 1, metadata: { reason: 'by the operator' } },
    ])
  })

  it('lists administrators', async () => {
    await using server = await startTestServer(engine)
    for (const name of ['ada', 'bob', 'cid']) await server.register(name)
    await admin('promote cid', server)
    assert.deepEqual(await admin('list', server), done('1  ada\n3  cid\n'))
    const { out } = await admin('list --json', server)
    assert.deepEqual(JSON.parse(out), [
      { user_id: 1, username: 'ada', bot: false },
      { user_id: 3, username: 'cid', bot: false },
    ])
  })
})

forEachEngine('vox admin without a server', (engine) => {
  it('does all of it in the database', async () => {
    const stopped = { databaseUrl: await engine.freshUrl() }
    assert.deepEqual(await create('ada', stopped), done('ada is an administrator.\n'))
    const before = await startAgain(engine, stopped)
    const bob = await before.register('bob')
    await before.close()

    assert.deepEqual(await admin('promote bob', stopped), done('bob is now an administrator.\n'))
    assert.equal((await admin('reset-password ada --password-stdin', stopped, `${NEW_PASSWORD}\n`)).status, 0)
    assert.deepEqual(await admin('reset-2fa ada', stopped), done('ada logs in with the password alone.\n'))
    assert.deepEqual(await admin('list', stopped), done('1  ada\n2  bob\n'))

    await using server = await startAgain(engine, stopped)
    assert.equal((await new Client(server.url, bob.token).post('/feeds', { name: 'g', type: 'text' })).status, 201)
    assert.equal((await login(server, 'ada', NEW_PASSWORD)).status, 200)
  })

  it('makes a role of administrators when the last one is lost', async () => {
    await using server = await startTestServer(engine)
    await server.register('ada')
    await server.close()
    await runSql(server.databaseUrl, 'delete from role_members', 'delete from roles where role_id = 2')
    assert.equal((await admin('promote ada', server)).status, 0)
    assert.deepEqual(await admin('list', server), done('1  ada\n'))
  })

  it('says that somebody else holds the database', async () => {
    const databaseUrl = await engine.freshUrl()
    await using _ = await openTestDatabase(databaseUrl)
    const { status, err } = await admin('list', { databaseUrl })
    assert.equal(status, 1)
    assert.match(err, /^vox: A Vox process has this database but does not answer at [^\n]*VOX_CONTROL_SOCKET\.\n$/)
  })

  it('makes no database where there is none, except for the first administrator', async () => {
    const databaseUrl = await engine.freshUrl()
    for (const args of ['list', 'promote ada', 'reset-2fa ada']) {
      const { status, err } = await admin(args, { databaseUrl })
      assert.equal(status, 1)
      assert.match(err, /^vox: There is no Vox database at [^\n]* --database-url\.\n$/)
    }
  })
})

describe('vox admin', () => {
  it('says what is wrong with a name or a password', async () => {
    await using server = await startTestServer(sqlite)
    await server.register('ada')
    for (const [args, input, expected] of [
      ['create ada --password-stdin', PASSWORD, /There is an account ada already/],
      ['create a@b --password-stdin', PASSWORD, /username: must not contain @/],
      ['create bob --password-stdin', 'short\n', /password: must have at least 8 characters/],
      ['create bob --password-stdin', '', /nothing on standard input/],
      ['reset-password ada --password-stdin', 'short\n', /password: must have at least 8/],
      ['reset-password zed --password-stdin', PASSWORD, /There is no account zed/],
      ['reset-2fa zed', '', /There is no account zed/],
      ['promote zed', '', /There is no account zed/],
    ] as const) {
      const { status, out, err } = await admin(args, server, input)
      assert.deepEqual([status, out], [1, ''], args)
      assert.match(err, expected)
      assert.match(err, /^vox: [^\n]+\n$/)
    }
  })

  it('takes a password with spaces and without a line end as it is', async () => {
    await using server = await startTestServer(sqlite)
    for (const [name, input] of [
      ['ada', ' correct horse '],
      ['bob', ' correct horse \r\nsecond line\n'],
    ] as const) {
      assert.equal((await admin(`create ${name} --password-stdin`, server, input)).status, 0)
      assert.equal((await login(server, name, ' correct horse ')).status, 200)
    }
  })

  it('asks for a password at terminals only', async () => {
    const { status, err } = await admin('create ada', { databaseUrl: 'sqlite+aiosqlite://' })
    assert.equal(status, 2)
    assert.match(err, /--password-stdin/)
  })

  it('does not pretend to change a database in memory', async () => {
    const { status, err } = await create('ada', { databaseUrl: 'sqlite+aiosqlite://' })
    assert.equal(status, 1)
    assert.match(err, /in memory/)
  })

  it('does not bring an older database up to date by the way', async () => {
    await using server = await startTestServer(sqlite)
    await server.close()
    await runSql(server.databaseUrl, 'delete from vox_migrations where version > 1')
    const { status, err } = await admin('list', server)
    assert.equal(status, 1)
    assert.match(err, /older version.*vox migrate/)
  })
})
