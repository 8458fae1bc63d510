import assert from 'node:assert/strict'
import { it } from 'node:test'
import { DEFAULT_LIMITS } from '@vox/protocol'
import { auditTypes, createFeed, grant, lastAudit, registerAll } from '../support/community.ts'
import { forEachEngine } from '../support/engines.ts'
import { connectAll } from '../support/gateway-client.ts'
import { failure, startTestServer } from '../support/server.ts'

/** The limits of a test server, which lets all its clients come from one address. */
const UNCHANGED = { ...DEFAULT_LIMITS, connections_per_ip: 0 }

forEachEngine('a fresh server', (engine) => {
  it('has a name, one member after the first registration, and no history', async () => {
    await using server = await startTestServer(engine)
    const ada = await server.register('ada')
    assert.deepEqual((await ada.get('/server')).body, {
      name: 'Vox Server',
      icon: null,
      description: null,
      member_count: 1,
    })
    assert.deepEqual((await ada.get('/server/layout')).body, { categories: [], feeds: [], rooms: [] })
    assert.deepEqual((await ada.get('/audit-log')).body, { entries: [], cursor: null })
  })
})

forEachEngine('the profile of the server', (engine) => {
  it('is changed field by field, and everybody is told what was given', async () => {
    await using server = await startTestServer(engine)
    const [ada, bob] = await registerAll(server, 'ada', 'bob')
    const [watcher] = await connectAll(server, bob)
    const { status, body } = await ada.patch('/server', { name: 'Tea House', icon: 'icon.png', description: 'Tea' })
    assert.equal(status, 200)
    assert.deepEqual(body, { name: 'Tea House', icon: 'icon.png', description: 'Tea', member_count: 2 })
    assert.deepEqual(await lastAudit(ada), [
      'server.update',
      1,
      null,
      { name: 'Tea House', icon: 'icon.png', description: 'Tea' },
    ])
    assert.deepEqual((await ada.patch('/server', {})).body, body)
    assert.deepEqual((await ada.patch('/server', { name: null, icon: null })).body, body)
    const cleared = { ...body, icon: null, description: null }
    assert.deepEqual((await ada.patch('/server', { icon: '', description: '' })).body, cleared)
    assert.deepEqual((await bob.get('/server')).body, cleared)
    assert.deepEqual(await watcher?.told(), [
      ['server_update', { name: 'Tea House', icon: 'icon.png', description: 'Tea' }],
      ['server_update', { icon: null, description: null }],
    ])
    assert.deepEqual(await auditTypes(ada), ['server.update', 'server.update'])
    await server.close()
    await using again = await startTestServer(engine, { env: { VOX_DATABASE_URL: server.databaseUrl } })
    assert.equal((await again.visitor.raw('GET', '/')).body.name, 'Tea House')
  })

  it('holds to its bounds', async () => {
    await using server = await startTestServer(engine)
    const [ada, bob] = await registerAll(server, 'ada', 'bob')
    for (const body of [
      { name: '' },
      { name: ' \u200b' },
      { name: 'a\u0007' },
      { name: 'x'.repeat(65) },
      { icon: 'x'.repeat(513) },
      { description: 'x'.repeat(257) },
      { name: 5 },
    ])
      assert.equal(failure(await ada.patch('/server', body)), '422 VALIDATION_ERROR', JSON.stringify(body))
    assert.equal((await ada.patch('/server', { name: 'x'.repeat(64), icon: 'x'.repeat(512) })).status, 200)
    assert.equal(failure(await ada.patch('/server')), '422 VALIDATION_ERROR')
    assert.equal(failure(await bob.patch('/server', { name: 5 })), '403 MISSING_PERMISSIONS')
  })

  it('keeps what the environment fixes, and tells nobody of it', async () => {
    const env = { VOX_SERVER_NAME: 'Fixed', VOX_SERVER_ICON: '' }
    await using server = await startTestServer(engine, { env })
    const ada = await server.register('ada')
    const [watcher] = await connectAll(server, ada)
    assert.equal((await ada.patch('/server', { name: 'Other', icon: 'x' })).body.name, 'Fixed')
    assert.deepEqual(await watcher?.told(), [])
    await ada.patch('/server', { name: 'Other', description: 'Tea' })
    assert.deepEqual(await watcher?.told(), [['server_update', { description: 'Tea' }]])
    assert.equal((await ada.get('/server')).body.icon, null)
    assert.deepEqual(await auditTypes(ada), ['server.update', 'server.update'])
    await server.close()
    await using free = await startTestServer(engine, { env: { VOX_DATABASE_URL: server.databaseUrl } })
    assert.equal((await free.visitor.raw('GET', '/')).body.name, 'Other')
  })
})

forEachEngine('limits', (engine) => {
  it('are all shown and change at once, in either form', async () => {
    await using server = await startTestServer(engine)
    const ada = await server.register('ada')
    const feed = await createFeed(ada)
    assert.deepEqual((await ada.get('/server/limits')).body, UNCHANGED)
    const long = { body: 'x'.repeat(4001) }
    assert.equal(failure(await ada.post(`/feeds/${feed}/messages`, long)), '400 MESSAGE_TOO_LARGE')
    const { status, body } = await ada.patch('/server/limits', { limits: { message_body_max: 5000, bio_max: 256 } })
    assert.equal(status, 200)
    assert.deepEqual(body, { ...UNCHANGED, message_body_max: 5000 })
    assert.equal((await ada.post(`/feeds/${feed}/messages`, long)).status, 201)
    assert.deepEqual(await lastAudit(ada), ['config.update', 1, null, { key: 'limits.message_body_max', value: 5000 }])
    assert.equal((await ada.patch('/server/limits', { bio_max: '300', nickname_max: 10.0 })).body.bio_max, 300)
    assert.deepEqual((await ada.patch('/server/limits', {})).body.nickname_max, 10)
    assert.deepEqual(await auditTypes(ada), ['feed.create', 'config.update', 'config.update', 'config.update'])
  })

  it('change together or not at all', async () => {
    await using server = await startTestServer(engine)
    const ada = await server.register('ada')
    for (const wrong of [
      { max_members: 5 },
      { bio_max: -1 },
      { page_limit_bans: 0 },
      { page_limit_bans: 1001 },
      { bio_max: 2 ** 31 },
      { bio_max: 2n ** 62n },
      { role_name_min: 65 },
      { username_max: 0 },
      { constructor: 1 },
      { ['__proto__']: 1 },
    ])
      assert.equal(
        failure(await ada.patch('/server/limits', { limits: { avatar_max: 1, ...wrong } })),
        '400 INVALID_LIMIT',
        Object.keys(wrong)[0],
      )
    for (const body of [
      { limits: { avatar_max: 1, bio_max: 'x' } },
      { limits: { bio_max: null } },
      { limits: { bio_max: true } },
      { limits: [1] },
      { limits: null },
      { bio_max: 1.5 },
      [],
    ])
      assert.equal(failure(await ada.patch('/server/limits', body)), '422 VALIDATION_ERROR', JSON.stringify(body))
    assert.equal(failure(await ada.patch('/server/limits')), '422 VALIDATION_ERROR')
    assert.deepEqual((await ada.get('/server/limits')).body, UNCHANGED)
    assert.deepEqual(await auditTypes(ada), [])
  })

  it('stay where the environment has put them, and never make stored data invalid', async () => {
    await using server = await startTestServer(engine, { env: { VOX_LIMIT_BIO_MAX: '5' } })
    const [ada, bob] = await registerAll(server, 'ada', 'bob')
    assert.equal((await ada.patch('/server/limits', { limits: { bio_max: 7 } })).body.bio_max, 5)
    assert.deepEqual(await auditTypes(ada), [])
    await ada.patch('/users/@me', { avatar: 'avatar.png' })
    await ada.patch('/server/limits', { limits: { avatar_max: 1 } })
    assert.equal((await bob.get('/users/1')).body.avatar, 'avatar.png')
    assert.equal(failure(await ada.patch('/users/@me', { avatar: 'xx' })), '422 VALIDATION_ERROR')
  })

  it('are for those who manage the server', async () => {
    await using server = await startTestServer(engine)
    const [ada, bob, cid] = await registerAll(server, 'ada', 'bob', 'cid')
    await grant(ada, cid, ['MANAGE_SERVER'])
    for (const path of ['/server/limits', '/server/gifs']) {
      assert.equal(failure(await bob.get(path)), '403 MISSING_PERMISSIONS')
      assert.equal(failure(await bob.patch(path, 5)), '403 MISSING_PERMISSIONS')
      assert.equal((await cid.get(path)).status, 200)
      assert.equal((await cid.patch(path, {})).status, 200)
    }
  })
})

forEachEngine('GIF settings', (engine) => {
  it('never give the key away', async () => {
    await using server = await startTestServer(engine)
    const ada = await server.register('ada')
    const [watcher] = await connectAll(server, ada)
    const defaults = { provider: 'klipy', api_key_set: false, content_filter: 'high', locale: null }
    assert.deepEqual((await ada.get('/server/gifs')).body, defaults)
    const patch = { api_key: 's3cret', locale: 'en_US', content_filter: 'high' }
    assert.deepEqual((await ada.patch('/server/gifs', patch)).body, { ...defaults, api_key_set: true, locale: 'en_US' })
    const log = await ada.get('/audit-log')
    assert.deepEqual(
      log.body.entries.map(({ metadata }: { metadata: object }) => metadata),
      [{ key: 'gifs.api_key' }, { key: 'gifs.locale' }],
    )
    for (const answer of [await ada.get('/server/gifs'), await ada.get('/admin/config'), log])
      assert.ok(!JSON.stringify(answer.body).includes('s3cret'))
    assert.deepEqual((await ada.patch('/server/gifs', { api_key: '', locale: '' })).body, defaults)
    assert.equal((await ada.patch('/server/gifs', { provider: 'other' })).body.provider, 'other')
    assert.deepEqual(await watcher?.told(), [])
  })

  it('hold to their bounds', async () => {
    await using server = await startTestServer(engine)
    const ada = await server.register('ada')
    for (const body of [
      { provider: 'x'.repeat(33) },
      { locale: 'x'.repeat(33) },
      { api_key: 'x'.repeat(513) },
      { content_filter: 'none' },
      { content_filter: 'High' },
      { provider: 5 },
    ])
      assert.equal(failure(await ada.patch('/server/gifs', body)), '422 VALIDATION_ERROR', JSON.stringify(body))
  })
})

forEachEngine('the configuration', (engine) => {
  it('is shown without secrets, with what the environment fixes', async () => {
    const env = { VOX_SERVER_NAME: 'Fixed', VOX_FEDERATION_PRIVATE_KEY: Buffer.alloc(32, 7).toString('base64') }
    await using server = await startTestServer(engine, { env })
    const ada = await server.register('ada')
    const { config, from_environment } = (await ada.get('/admin/config')).body
    assert.equal(config['server.name'], 'Fixed')
    assert.equal(config['limits.message_body_max'], 4000)
    assert.equal(config['federation.require_sig2'], false)
    assert.equal(config['server.icon'], null)
    assert.ok(!('federation.private_key' in config) && !('gifs.api_key' in config))
    assert.ok(from_environment.includes('server.name') && !from_environment.includes('server.icon'))
  })

  it('is changed by dotted name or database key, and back by null', async () => {
    await using server = await startTestServer(engine)
    const ada = await server.register('ada')
    const [watcher] = await connectAll(server, ada)
    const put = async (key: string, value: unknown) => (await ada.put('/admin/config', { key, value })).body.config
    assert.equal((await put('limits.bio_max', 300))['limits.bio_max'], 300)
    assert.equal((await put('limit_bio_max', '301'))['limits.bio_max'], 301)
    assert.deepEqual(await lastAudit(ada), ['config.update', 1, null, { key: 'limits.bio_max' }])
    assert.equal((await put('limits.bio_max', null))['limits.bio_max'], 256)
    assert.equal((await put('federation_require_sig2', true))['federation.require_sig2'], true)
    await put('gifs.api_key', 's3cret')
    assert.equal((await ada.get('/server/gifs')).body.api_key_set, true)
    assert.deepEqual(await watcher?.told(), [])
    await put('server.name', 'Tea House')
    await put('server_icon', 'icon.png')
    await put('server.name', null)
    await put('server_icon', '')
    assert.deepEqual(await watcher?.told(), [
      ['server_update', { name: 'Tea House' }],
      ['server_update', { icon: 'icon.png' }],
      ['server_update', { name: 'Vox Server' }],
      ['server_update', { icon: null }],
    ])
  })

  it('refuses what it does not know, what only the environment holds, and bad values', async () => {
    await using server = await startTestServer(engine)
    const ada = await server.register('ada')
    const put = async (body: object) => failure(await ada.put('/admin/config', body))
    for (const key of [
      'nonsense',
      'network.port',
      'VOX_SERVER_NAME',
      'federation.private_key',
      'federation_public_key',
    ])
      assert.equal(await put({ key, value: 'x' }), '400 INVALID_LIMIT', key)
    for (const body of [
      { key: 'limits.bio_max', value: 'many' },
      { key: 'limits.bio_max', value: -1 },
      { key: 'limits.bio_max', value: 1.5 },
      { key: 'limits.username_max', value: 0 },
      { key: 'auth.registration', value: 'sometimes' },
      { key: 'server.name', value: '' },
      { key: 'server.name', value: 'x'.repeat(65) },
      { key: 'limits.bio_max', value: [1] },
      { key: 'limits.bio_max' },
      { value: 1 },
    ])
      assert.equal(await put(body), '422 VALIDATION_ERROR', JSON.stringify(body))
    assert.deepEqual(await auditTypes(ada), [])
  })

  it('is for administrators', async () => {
    await using server = await startTestServer(engine)
    const [ada, bob] = await registerAll(server, 'ada', 'bob')
    await grant(ada, bob, ['MANAGE_SERVER'])
    assert.equal(failure(await bob.get('/admin/config')), '403 MISSING_PERMISSIONS')
    assert.equal(failure(await bob.put('/admin/config', 5)), '403 MISSING_PERMISSIONS')
  })
})
