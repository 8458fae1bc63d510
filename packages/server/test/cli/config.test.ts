import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { forEachEngine, sqlite } from '../support/engines.ts'
import { GatewayClient } from '../support/gateway-client.ts'
import { startTestServer } from '../support/server.ts'
import { vox } from '../support/vox.ts'

/** `vox config` for one database. */
const configOf =
  (databaseUrl: string) =>
  (args: string, input = '') =>
    vox(`config ${args}`, { VOX_DATABASE_URL: databaseUrl, VOX_LOG_FORMAT: 'json' }, input)

const done = (out: string) => ({ status: 0, out, err: '' })

forEachEngine('vox config', (engine) => {
  it('changes a running server, tells its members, and is in the audit log', async () => {
    await using server = await startTestServer(engine)
    const ada = await server.register('ada')
    const session = await GatewayClient.connect(server, ada)
    const config = configOf(server.databaseUrl)
    assert.deepEqual(await config('set server.name Home'), done('server.name is Home (database).\n'))
    assert.deepEqual(await session.told(), [['server_update', { name: 'Home' }]])
    assert.equal((await ada.get('/server')).body.name, 'Home')
    const [entry] = (await ada.get('/audit-log')).body.entries
    assert.deepEqual([entry.event_type, entry.actor_id, entry.metadata], ['config.update', 0, { key: 'server.name' }])
    assert.deepEqual(await config('get server.name'), { status: 0, out: 'Home\n', err: '(database)\n' })
    assert.deepEqual(await config('unset server.name'), done('server.name is Vox Server (default).\n'))
    assert.equal((await ada.get('/server')).body.name, 'Vox Server')
  })

  it('changes a stopped server, even before its first start', async () => {
    const databaseUrl = await engine.freshUrl()
    const config = configOf(databaseUrl)
    assert.equal((await config('set limits.bio_max 9')).status, 0)
    assert.deepEqual(await config('get limits.bio_max'), { status: 0, out: '9\n', err: '(database)\n' })
    await using server = await startTestServer(engine, { env: { VOX_DATABASE_URL: databaseUrl } })
    assert.equal((await (await server.register('ada')).get('/server/limits')).body.bio_max, 9)
  })
})

describe('vox config', () => {
  it('takes a setting by its name, database key or variable', async () => {
    await using server = await startTestServer(sqlite)
    const config = configOf(server.databaseUrl)
    for (const name of ['limits.bio_max', 'limit_bio_max', 'VOX_LIMIT_BIO_MAX']) {
      assert.equal((await config(`set ${name} 7`)).out, 'limits.bio_max is 7 (database).\n')
      assert.equal((await config(`get ${name}`)).out, '7\n')
      assert.equal((await config(`unset ${name}`)).out, 'limits.bio_max is 256 (default).\n')
    }
  })

  it('says where each value comes from', async () => {
    await using server = await startTestServer(sqlite, { env: { VOX_SERVER_NAME: 'Fixed' } })
    const config = configOf(server.databaseUrl)
    await config('set limits.bio_max 7')
    const { out } = await config('list')
    assert.match(out, /^server\.name +VOX_SERVER_NAME +Fixed$/m)
    assert.match(out, /^server\.icon +default +unset$/m)
    assert.match(out, /^limits\.bio_max +database +7$/m)
    const entries = JSON.parse((await config('list --json')).out)
    assert.deepEqual(entries[0], {
      name: 'server.name',
      variable: 'VOX_SERVER_NAME',
      value: 'Fixed',
      source: 'environment',
    })
    assert.deepEqual(JSON.parse((await config('get server.name --json')).out), entries[0])
  })

  it('warns that the environment of the server wins', async () => {
    await using server = await startTestServer(sqlite, { env: { VOX_SERVER_NAME: 'Fixed' } })
    assert.deepEqual(await configOf(server.databaseUrl)('set server.name Home'), {
      status: 0,
      out: 'server.name is Fixed (VOX_SERVER_NAME).\n',
      err: 'The change has no effect until VOX_SERVER_NAME is removed and the server restarted.\n',
    })
  })

  it('never shows a secret, and takes none as an argument', async () => {
    await using server = await startTestServer(sqlite)
    const config = configOf(server.databaseUrl)
    const refused = await config('set gifs.api_key hunter22')
    assert.equal(refused.status, 1)
    assert.match(refused.err, /^vox: gifs\.api_key is a secret\./)
    assert.deepEqual(await config('set gifs.api_key', 'hunter22\n'), done('gifs.api_key is *** (database).\n'))
    for (const args of ['list', 'list --json', 'get gifs.api_key', 'get gifs.api_key --json']) {
      const { out, err } = await config(args)
      assert.ok(out.includes('***'))
      assert.ok(!(out + err).includes('hunter22'))
    }
  })

  it('masks the password of the database', async () => {
    const databaseUrl = await sqlite.freshUrl()
    await using _ = await startTestServer(sqlite, { env: { VOX_DATABASE_URL: `${databaseUrl}?password=hunter22` } })
    assert.match((await configOf(databaseUrl)('get database.url')).out, /password=\*\*\*\n$/)
  })

  it('refuses what administrators could not set either', async () => {
    await using server = await startTestServer(sqlite)
    const config = configOf(server.databaseUrl)
    for (const [args, input, expected] of [
      ['set colour red', '', /There is no setting colour\. "vox config list"/],
      ['get colour', '', /There is no setting colour/],
      ['unset colour', '', /There is no setting colour/],
      ['set network.port 9000', '', /network\.port comes from the environment only: set VOX_PORT/],
      ['set limits.bio_max many', '', /limits\.bio_max is "many"\. It must be a whole number/],
      ['set limits.username_min 33', '', /must not be above limits\.username_max/],
      ['set server.name', `${'x'.repeat(65)}\n`, /name: .*64/],
      ['set federation.private_key', 'AAAA\n', /There is no setting federation\.private_key that could be changed/],
    ] as const) {
      const { status, out, err } = await config(args, input)
      assert.deepEqual([status, out], [1, ''], args)
      assert.match(err, expected)
      assert.match(err, /^vox: [^\n]+\n$/)
    }
  })

  it('makes no database in order to look into it', async () => {
    const { status, err } = await configOf(await sqlite.freshUrl())('list')
    assert.equal(status, 1)
    assert.match(err, /There is no Vox database/)
  })
})
