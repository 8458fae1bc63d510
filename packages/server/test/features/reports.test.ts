import assert from 'node:assert/strict'
import { it } from 'node:test'
import { snowflakeTime } from '@vox/protocol'
import { TestClock } from '../support/clock.ts'
import { auditTypes, createFeed, grant, lastAudit, registerAll } from '../support/community.ts'
import { forEachEngine } from '../support/engines.ts'
import { connectAll, GatewayClient } from '../support/gateway-client.ts'
import { type Client, failure, startTestServer, type TestServer } from '../support/server.ts'

const START_S = Date.UTC(2026, 0, 1) / 1000

/** Ada is administrator, Mod moderates with these permissions, Bob reports Eve. */
async function withReport(server: TestServer, ...permissions: Parameters<typeof grant>[2]) {
  const [ada, mod, bob, eve] = await registerAll(server, 'ada', 'mod', 'bob', 'eve')
  await grant(ada, mod, permissions)
  const { body } = await bob.post('/reports', { reported_user_id: eve.userId, reason: 'spam' })
  return { ada, mod, bob, eve, report: `/reports/${body.report_id}` }
}

const send = async (client: Client, feed: number, body: string): Promise<bigint> =>
  (await client.post(`/feeds/${feed}/messages`, { body })).body.msg_id

forEachEngine('reports', (engine) => {
  it('are made by anybody, silently, and read by those who view reports', async () => {
    await using server = await startTestServer(engine, { clock: new TestClock() })
    const [ada, mod, bob, eve] = await registerAll(server, 'ada', 'mod', 'bob', 'eve')
    await grant(ada, mod, ['VIEW_REPORTS'])
    const [a, e] = await connectAll(server, ada, eve)
    const { status, body } = await bob.post('/reports', {
      reported_user_id: 4,
      reason: 'spam2',
      description: 'Again',
    })
    assert.equal(status, 201)
    const summary = {
      report_id: 1,
      reporter_id: 3,
      reported_user_id: 4,
      reason: 'spam2',
      status: 'open',
      created_at: START_S,
    }
    assert.deepEqual(body, summary)
    assert.deepEqual((await mod.get('/reports')).body, { items: [summary], cursor: '1' })
    assert.deepEqual((await mod.get('/reports/1')).body, {
      ...summary,
      feed_id: null,
      dm_id: null,
      msg_id: null,
      description: 'Again',
      evidence: null,
      action: null,
      resolved_at: null,
      resolved_by: null,
    })
    assert.equal((await bob.post('/reports', { reported_user_id: 4, reason: 'spam2' })).body.report_id, 2)
    for (const session of [a, e]) assert.deepEqual(await session?.told(), [])
    assert.deepEqual(await auditTypes(ada), ['role.create', 'role.assign'])
    for (const path of ['/reports', '/reports/1', '/reports/abc'])
      assert.equal(failure(await eve.get(path)), '403 MISSING_PERMISSIONS')
    assert.equal(failure(await mod.get('/reports/99')), '404 REPORT_NOT_FOUND')
    assert.equal(failure(await mod.get('/reports/abc')), '422 VALIDATION_ERROR')
  })

  it('hold to their bounds and name somebody else', async () => {
    await using server = await startTestServer(engine)
    const [ada, bob] = await registerAll(server, 'ada', 'bob')
    const hidden = await createFeed(ada, { hidden: true })
    const report = async (body: object) =>
      failure(await bob.post('/reports', { reported_user_id: 1, reason: 'spam', ...body }))
    const message = { msg_id: 1, body: 'x', timestamp: 1 }
    for (const body of [
      { reason: 'x'.repeat(65) },
      { reason: ' ' },
      { reason: undefined },
      { description: 'x'.repeat(2001) },
      { messages: Array(51).fill(message) },
      { messages: [{ ...message, body: 'x'.repeat(20_001) }] },
      { messages: [{ ...message, body: undefined }] },
      { messages: [{ ...message, timestamp: 'yesterday' }] },
      { messages: [{ ...message, timestamp: '2026-13-01T00:00:00Z' }] },
      { messages: [{ ...message, msg_id: null }] },
      { messages: 'x' },
      { reported_user_id: 'bob' },
      { msg_id: 0 },
    ])
      assert.equal(await report(body), '422 VALIDATION_ERROR', JSON.stringify(body).slice(0, 80))
    assert.equal(await report({ reported_user_id: 99 }), '404 USER_NOT_FOUND')
    assert.equal(await report({ reported_user_id: 2 }), '400 INVALID_TARGET')
    assert.equal(await report({ feed_id: hidden }), '404 SPACE_NOT_FOUND')
    assert.equal(await report({ feed_id: 99 }), '404 SPACE_NOT_FOUND')
    assert.equal(await report({ dm_id: 99 }), '403 NOT_DM_PARTICIPANT')
    const longest = { reason: 'x'.repeat(64), description: '😀'.repeat(2000), messages: Array(50).fill(message) }
    assert.equal((await bob.post('/reports', { reported_user_id: 1, ...longest })).status, 201)
  })

  it('keep the evidence as it was sent, and say what the server knows to be true', async () => {
    await using server = await startTestServer(engine)
    const [ada, bob, eve] = await registerAll(server, 'ada', 'bob', 'eve')
    const feed = await createFeed(ada)
    const real = await send(eve, feed, 'insult')
    const other = await send(bob, feed, 'insult')
    const entry = (msg_id: bigint, body: string, timestamp: number) => ({ msg_id, body, timestamp })
    await bob.post('/reports', {
      reported_user_id: eve.userId,
      reason: 'harassment',
      messages: [
        entry(real, 'insult', 1),
        entry(real, 'worse', 2),
        entry(other, 'insult', 3),
        entry(9223372036854775807n, 'insult', 4),
        { msg_id: '5', body: 'insult', timestamp: '2026-01-01T00:00:00.5+01:00' },
        { msg_id: 6, body: 'insult', timestamp: '2026-01-01T00:00' },
      ],
    })
    assert.deepEqual((await ada.get('/reports/1')).body.evidence, [
      { ...entry(real, 'insult', 1), verified: true },
      { ...entry(real, 'worse', 2), verified: false },
      { ...entry(other, 'insult', 3), verified: false },
      { ...entry(9223372036854775807n, 'insult', 4), verified: false },
      { msg_id: 5, body: 'insult', timestamp: Date.UTC(2025, 11, 31, 23, 0, 0, 500), verified: false },
      { msg_id: 6, body: 'insult', timestamp: Date.UTC(2026, 0, 1), verified: false },
    ])
  })

  it('keep a copy of the message named, also when that and its feed are gone', async () => {
    await using server = await startTestServer(engine)
    const [ada, bob, eve] = await registerAll(server, 'ada', 'bob', 'eve')
    const feed = await createFeed(ada)
    const elsewhere = await createFeed(ada)
    const msg_id = await send(eve, feed, 'insult')
    const about = { reported_user_id: eve.userId, reason: 'harassment', msg_id }
    await bob.post('/reports', { ...about, feed_id: feed })
    await bob.post('/reports', { ...about, feed_id: elsewhere })
    await bob.post('/reports', about)
    await bob.post('/reports', { ...about, feed_id: feed, messages: [{ msg_id, body: 'insult', timestamp: 1 }] })
    await bob.post('/reports', { ...about, feed_id: feed, msg_id: 5 })
    await ada.delete(`/feeds/${feed}/messages/${msg_id}`)
    await ada.delete(`/feeds/${feed}`)
    const evidence = async (id: number) => (await ada.get(`/reports/${id}`)).body.evidence
    assert.deepEqual(await evidence(1), [{ msg_id, body: 'insult', timestamp: snowflakeTime(msg_id), verified: true }])
    assert.deepEqual([await evidence(2), await evidence(3), await evidence(5)], [null, null, null])
    assert.equal((await evidence(4)).length, 1)
    const { feed_id, msg_id: named } = (await ada.get('/reports/1')).body
    assert.deepEqual([feed_id, named], [feed, msg_id])
  })

  it('are listed by id, by status and a page at a time', async () => {
    await using server = await startTestServer(engine)
    const [ada, bob] = await registerAll(server, 'ada', 'bob')
    for (let i = 0; i < 4; i++) await bob.post('/reports', { reported_user_id: 1, reason: 'spam' })
    await ada.post('/reports/2/resolve', { action: 'dismiss' })
    const ids = async (query: string) =>
      (await ada.get(`/reports?${query}`)).body.items.map(({ report_id }: { report_id: number }) => report_id)
    assert.deepEqual(await ids(''), [1, 2, 3, 4])
    assert.deepEqual(await ids('status=open'), [1, 3, 4])
    assert.deepEqual(await ids('status=resolved'), [2])
    assert.deepEqual(await ids('limit=2&cursor=1'), [2, 3])
    assert.equal(failure(await ada.get('/reports?status=closed')), '422 VALIDATION_ERROR')
  })

  it('are deleted with a trace', async () => {
    await using server = await startTestServer(engine)
    const { ada, mod, report } = await withReport(server, 'VIEW_REPORTS')
    assert.equal(failure(await mod.delete(report)), '403 MISSING_PERMISSIONS')
    assert.equal((await ada.delete(report)).status, 204)
    assert.deepEqual(await lastAudit(ada), ['report.delete', 1, 1, { reported_user_id: 4, reason: 'spam' }])
    assert.equal(failure(await ada.delete(report)), '404 REPORT_NOT_FOUND')
    assert.equal(failure(await ada.get(report)), '404 REPORT_NOT_FOUND')
  })
})

forEachEngine('resolving a report', (engine) => {
  it('records any word, again and again', async () => {
    await using server = await startTestServer(engine, { clock: new TestClock() })
    const { ada, mod, report } = await withReport(server, 'MANAGE_REPORTS')
    for (const body of [{}, { action: '' }, { action: 'x'.repeat(51) }, { action: 'warn', reason: 'x'.repeat(257) }])
      assert.equal(failure(await mod.post(`${report}/resolve`, body)), '422 VALIDATION_ERROR')
    assert.equal((await mod.post(`${report}/resolve`, { action: 'dismiss' })).status, 204)
    assert.equal((await mod.post(`${report}/resolve`, { action: 'talked to them' })).status, 204)
    const { status, action, resolved_at, resolved_by } = (await ada.get(report)).body
    assert.deepEqual([status, action, resolved_at, resolved_by], ['resolved', 'talked to them', START_S, 2])
    assert.deepEqual(await lastAudit(ada), ['report.resolve', 2, 1, { action: 'talked to them' }])
    assert.equal(failure(await mod.post('/reports/99/resolve', { action: 'dismiss' })), '404 REPORT_NOT_FOUND')
    assert.equal(failure(await mod.get(report)), '403 MISSING_PERMISSIONS')
  })

  it('kicks, with all that is needed for that', async () => {
    await using server = await startTestServer(engine)
    const { ada, mod, eve, report } = await withReport(server, 'MANAGE_REPORTS', 'VIEW_REPORTS')
    const resolve = async (body: object) => failure(await mod.post(`${report}/resolve`, body))
    assert.equal(await resolve({ action: 'kick' }), '403 MISSING_PERMISSIONS')
    await grant(ada, mod, ['KICK_MEMBERS'], 20)
    await grant(ada, eve, [], 10)
    assert.equal(await resolve({ action: 'kick' }), '403 ROLE_HIERARCHY')
    assert.equal((await mod.get(report)).body.status, 'open')
    const [session] = await connectAll(server, eve)
    assert.equal((await ada.post(`${report}/resolve`, { action: 'kick', reason: 'enough' })).status, 204)
    assert.deepEqual(await session?.lastWords(), { told: [['member_leave', { user_id: 4 }]], code: 4004 })
    const { entries } = (await ada.get('/audit-log?event_type=member.kick')).body
    assert.deepEqual([entries.length, entries[0].metadata], [1, { reason: 'enough' }])
    assert.equal((await mod.post(`${report}/resolve`, { action: 'kick' })).status, 204)
    assert.equal((await auditTypes(ada)).filter((type) => type === 'member.kick').length, 1)
  })

  it('bans, for the reason of the report unless another is given', async () => {
    await using server = await startTestServer(engine)
    const { ada, mod, eve, report } = await withReport(server, 'MANAGE_REPORTS', 'VIEW_REPORTS')
    const [watcher] = await connectAll(server, ada)
    assert.equal(failure(await mod.post(`${report}/resolve`, { action: 'ban' })), '403 MISSING_PERMISSIONS')
    assert.equal((await mod.get(report)).body.status, 'open')
    assert.deepEqual((await ada.get('/bans')).body.items, [])
    await grant(ada, mod, ['BAN_MEMBERS'], 20)
    await watcher?.told()
    assert.equal((await mod.post(`${report}/resolve`, { action: 'ban' })).status, 204)
    assert.deepEqual(await watcher?.told(), [['member_ban', { user_id: eve.userId }]])
    const [ban] = (await ada.get('/bans')).body.items
    assert.deepEqual([ban.user_id, ban.reason, ban.banned_by], [eve.userId, 'spam', mod.userId])
    assert.equal((await mod.post(`${report}/resolve`, { action: 'ban', reason: 'other' })).status, 204)
    assert.equal((await ada.get('/bans')).body.items[0].reason, 'spam')
    assert.deepEqual(
      (await auditTypes(ada)).filter((type) => /^(report|member)/.test(type)),
      ['member.ban', 'report.resolve', 'report.resolve'],
    )
  })

  it('spares the moderator who is reported and the last administrator', async () => {
    await using server = await startTestServer(engine)
    const [ada, mod, bob] = await registerAll(server, 'ada', 'mod', 'bob')
    await grant(ada, mod, ['MANAGE_REPORTS'])
    await bob.post('/reports', { reported_user_id: mod.userId, reason: 'spam' })
    await bob.post('/reports', { reported_user_id: ada.userId, reason: 'spam' })
    for (const action of ['kick', 'ban', 'warn'])
      assert.equal(failure(await mod.post('/reports/1/resolve', { action })), '400 INVALID_TARGET')
    assert.equal(failure(await ada.post('/reports/2/resolve', { action: 'ban' })), '400 INVALID_TARGET')
    assert.equal((await ada.get('/reports?status=open')).body.items.length, 2)
    assert.equal((await mod.post('/reports/1/resolve', { action: 'dismiss' })).status, 204)
  })

  it('warns all sessions at once, naming neither moderator nor reporter', async () => {
    await using server = await startTestServer(engine)
    const { ada, mod, bob, eve, report } = await withReport(server, 'MANAGE_REPORTS')
    const [watcher, first, second] = await connectAll(server, bob, eve, eve)
    assert.equal((await mod.post(`${report}/resolve`, { action: 'warn', reason: 'Be kind' })).status, 204)
    const warning = ['notification_create', { user_id: 4, type: 'warning', body_preview: 'Be kind' }]
    for (const session of [first, second]) assert.deepEqual(await session?.told(), [warning])
    assert.deepEqual(await watcher?.told(), [])
    const { entries } = (await ada.get('/audit-log?event_type=member.warn')).body
    assert.deepEqual([entries[0].target_id, entries[0].metadata], [4, { report_id: 1, reason: 'Be kind' }])
    const later = await GatewayClient.connect(server, eve)
    assert.deepEqual(await later.told(), [])
  })

  it('warns who is away once, after the presences of the next session', async () => {
    await using server = await startTestServer(engine)
    const { ada, mod, eve, report } = await withReport(server, 'MANAGE_REPORTS')
    await mod.post(`${report}/resolve`, { action: 'warn' })
    await mod.post(`${report}/resolve`, { action: 'warn', reason: 'Be kind' })
    await server.close()
    await using again = await startTestServer(engine, { env: { VOX_DATABASE_URL: server.databaseUrl } })
    await GatewayClient.connect(again, ada)
    const { socket } = await GatewayClient.connect(again, eve, { settled: false })
    const [presence, first, second] = [await socket.next(), await socket.next(), await socket.next()]
    assert.deepEqual([presence.type, presence.d.user_id], ['presence_update', 1])
    assert.deepEqual(
      [first, second].map(({ type, d }) => [type, d.type, d.body_preview]),
      [
        ['notification_create', 'warning', 'spam'],
        ['notification_create', 'warning', 'Be kind'],
      ],
    )
    const later = await GatewayClient.connect(again, eve)
    assert.deepEqual(await later.told(), [])
  })
})
