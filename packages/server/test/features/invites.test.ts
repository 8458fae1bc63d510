import assert from 'node:assert/strict'
import { it } from 'node:test'
import { Permission } from '@vox/protocol'
import { TestClock } from '../support/clock.ts'
import { auditTypes, createFeed, grant, lastAudit, registerAll } from '../support/community.ts'
import { openTestDatabase } from '../support/database.ts'
import { forEachEngine } from '../support/engines.ts'
import { connectAll } from '../support/gateway-client.ts'
import { Client, failure, startTestServer } from '../support/server.ts'
import { runSql } from '../support/sql.ts'

const START_S = Date.UTC(2026, 0, 1) / 1000

forEachEngine('invites', (engine) => {
  it('are created, listed and deleted', async () => {
    await using server = await startTestServer(engine, { clock: new TestClock() })
    const [ada, bob] = await registerAll(server, 'ada', 'bob')
    const { status, body } = await bob.post('/invites', { max_uses: 5, max_age: 3600 })
    assert.equal(status, 201)
    assert.match(body.code, /^[\w-]{11}$/)
    assert.deepEqual(body, {
      code: body.code,
      creator_id: 2,
      feed_id: null,
      max_uses: 5,
      uses: 0,
      expires_at: START_S + 3600,
      created_at: START_S,
    })
    assert.deepEqual((await ada.get('/invites')).body, { items: [body], cursor: body.code })
    assert.deepEqual(await lastAudit(ada), ['invite.create', 2, null, { code: body.code }])
    assert.equal((await bob.delete(`/invites/${body.code}`)).status, 204)
    assert.deepEqual(await lastAudit(ada), ['invite.delete', 2, null, { code: body.code }])
    assert.equal(failure(await bob.delete(`/invites/${body.code}`)), '404 INVITE_INVALID')
    assert.deepEqual((await ada.get('/invites')).body, { items: [], cursor: null })
  })

  it('say without end in several ways, and answer as they were asked', async () => {
    const clock = new TestClock()
    await using server = await startTestServer(engine, { clock })
    const [ada, bob] = await registerAll(server, 'ada', 'bob')
    for (const max_uses of [0, null, undefined])
      for (const max_age of [0, null, undefined]) {
        const { body } = await ada.post('/invites', { max_uses, max_age })
        assert.deepEqual([body.max_uses, body.expires_at], [max_uses ?? null, null])
        clock.advance(86_400_000)
        assert.equal((await bob.post('/members/join', { invite_code: body.code })).status, 204)
      }
    assert.equal(failure(await ada.post('/invites')), '422 VALIDATION_ERROR')
    for (const body of [{ max_uses: 10_001 }, { max_age: 2_592_001 }, { max_uses: -1 }, { max_age: -1 }])
      assert.equal(failure(await ada.post('/invites', body)), '422 VALIDATION_ERROR', JSON.stringify(body))
    assert.equal((await ada.post('/invites', { max_uses: 10_000, max_age: 2_592_000 })).status, 201)
  })

  it('are previewed without a token, and show nothing once they are of no use', async () => {
    const clock = new TestClock()
    await using server = await startTestServer(engine, { clock })
    const [ada, bob] = await registerAll(server, 'ada', 'bob')
    await ada.patch('/server', { icon: 'icon.png' })
    const preview = (code: string) => new Client(server.url, 'nonsense').get(`/invites/${code}`)
    const expiring = (await ada.post('/invites', { max_age: 60 })).body.code
    const single = (await ada.post('/invites', { max_uses: 1 })).body.code
    assert.deepEqual((await preview(expiring)).body, {
      code: expiring,
      server_name: 'Vox Server',
      server_icon: 'icon.png',
      member_count: 2,
    })
    assert.equal((await ada.get('/invites')).body.items[0].uses, 0)
    await bob.post('/members/join', { invite_code: single })
    assert.equal(failure(await preview(single)), '404 INVITE_INVALID')
    clock.advance(60_000)
    assert.equal(failure(await preview(expiring)), '410 INVITE_EXPIRED')
    await ada.delete(`/invites/${expiring}`)
    assert.equal(failure(await preview(expiring)), '404 INVITE_INVALID')
  })

  it('of others are deleted by those who manage the server', async () => {
    await using server = await startTestServer(engine)
    const [ada, bob, cid] = await registerAll(server, 'ada', 'bob', 'cid')
    const { code } = (await ada.post('/invites', {})).body
    const refused = await bob.delete(`/invites/${code}`)
    assert.equal(failure(refused), '403 MISSING_PERMISSIONS')
    assert.equal(refused.body.error.missing_permission, 'manage_server')
    await grant(ada, cid, ['MANAGE_SERVER'])
    assert.equal((await cid.delete(`/invites/${code}`)).status, 204)
  })

  it('are for holders of CREATE_INVITES, and so are their events', async () => {
    await using server = await startTestServer(engine)
    const [ada, bob, cid] = await registerAll(server, 'ada', 'bob', 'cid')
    const own = (await bob.post('/invites', {})).body.code
    await ada.patch('/roles/1', { permissions: 1 })
    await grant(ada, cid, ['CREATE_INVITES'])
    for (const answer of [
      await bob.post('/invites', { max_uses: -1 }),
      await bob.get('/invites'),
      await bob.delete(`/invites/${own}`),
    ])
      assert.equal(failure(answer), '403 MISSING_PERMISSIONS')
    const [a, b, c] = await connectAll(server, ada, bob, cid)
    const { code } = (await cid.post('/invites', {})).body
    await ada.delete(`/invites/${code}`)
    await ada.delete(`/invites/${own}`)
    const created = ['invite_create', { code, creator_id: 3 }]
    const deleted = (which: string) => ['invite_delete', { code: which }]
    for (const session of [a, c]) assert.deepEqual(await session?.told(), [created, deleted(code), deleted(own)])
    assert.deepEqual(await b?.told(), [deleted(own)])
  })

  it('name their feed to those who see it', async () => {
    await using server = await startTestServer(engine)
    const [ada, bob] = await registerAll(server, 'ada', 'bob')
    const hidden = await createFeed(ada, { hidden: true })
    const open = await createFeed(ada)
    const [a, b] = await connectAll(server, ada, bob)
    const secret = (await ada.post('/invites', { feed_id: hidden })).body
    const known = (await bob.post('/invites', { feed_id: open })).body
    assert.deepEqual([secret.feed_id, known.feed_id], [hidden, open])
    assert.deepEqual(await a?.told(), [
      ['invite_create', { code: secret.code, creator_id: 1, feed_id: hidden }],
      ['invite_create', { code: known.code, creator_id: 2, feed_id: open }],
    ])
    assert.deepEqual(await b?.told(), [
      ['invite_create', { code: secret.code, creator_id: 1 }],
      ['invite_create', { code: known.code, creator_id: 2, feed_id: open }],
    ])
    const feedOf = async (client: Client, { code }: { code: string }) =>
      (await client.get('/invites')).body.items.find((invite: { code: string }) => invite.code === code).feed_id
    assert.deepEqual([await feedOf(ada, secret), await feedOf(bob, secret)], [hidden, null])
    for (const feed_id of [hidden, 99])
      assert.equal(failure(await bob.post('/invites', { feed_id })), '404 SPACE_NOT_FOUND')
    await ada.delete(`/feeds/${open}`)
    assert.equal(await feedOf(bob, known), null)
  })

  it('are kept for sync without their feed, for holders of the permission only', async () => {
    await using server = await startTestServer(engine)
    const ada = await server.register('ada')
    const { code } = (await ada.post('/invites', { feed_id: await createFeed(ada, { hidden: true }) })).body
    await server.close()
    await using database = await openTestDatabase(server.databaseUrl)
    const rows = await database.read.selectFrom('event_log').selectAll().where('type', '=', 'invite_create').execute()
    assert.deepEqual(
      rows.map(({ payload, permission }) => [JSON.parse(payload), permission]),
      [[{ code, creator_id: 1 }, Permission.CREATE_INVITES]],
    )
  })

  it('are listed by code in code-point order', async () => {
    await using server = await startTestServer(engine)
    const ada = await server.register('ada')
    await server.close()
    const codes = ['-aaaaaaaaaa', 'Zaaaaaaaaaa', '_aaaaaaaaaa', 'aaaaaaaaaaa', 'Aaaaaaaaaaa', '0aaaaaaaaaa']
    const rows = codes.map((code) => `('${code}', 1, 0)`)
    await runSql(server.databaseUrl, `insert into invites (code, creator_id, created_at) values ${rows.join(', ')}`)
    await using again = await startTestServer(engine, { env: { VOX_DATABASE_URL: server.databaseUrl } })
    const reader = new Client(again.url, ada.token)
    const found: string[] = []
    let cursor: string | null = ''
    do {
      const { body }: { body: { items: { code: string }[]; cursor: string | null } } = await reader.get(
        `/invites?limit=4&cursor=${cursor}`,
      )
      found.push(...body.items.map(({ code }) => code))
      cursor = body.cursor
    } while (cursor !== null)
    assert.deepEqual(found, codes.sort())
  })

  it('are two hundred for one creator, the expired not counted', async () => {
    const clock = new TestClock()
    await using server = await startTestServer(engine, { clock })
    const [ada, bob] = await registerAll(server, 'ada', 'bob')
    const create = (max_age?: number) => bob.post('/invites', { max_age })
    await Promise.all(Array.from({ length: 200 }, (_, i) => create(i === 0 ? 60 : undefined)))
    assert.equal(failure(await create()), '400 INVALID_OPERATION')
    assert.equal((await ada.post('/invites', {})).status, 201)
    clock.advance(60_000)
    assert.equal((await create()).status, 201)
    assert.equal(failure(await create()), '400 INVALID_OPERATION')
    assert.equal((await auditTypes(ada)).length, 100)
  })
})
