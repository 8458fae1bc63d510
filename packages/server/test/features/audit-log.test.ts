import assert from 'node:assert/strict'
import { it } from 'node:test'
import { type Member, registerAll } from '../support/community.ts'
import { forEachEngine } from '../support/engines.ts'
import { Client, failure, startTestServer } from '../support/server.ts'
import { runSql } from '../support/sql.ts'

const TYPES = ['2fa.admin_reset', 'role.update', 'role.delete', 'a%b', 'a_b', 'a\\b', 'a[b', 'a?b', 'axb']

/** A server with one entry of each of these types; the administrator's client and the ids of the entries. */
async function withEntries(engine: Parameters<Parameters<typeof forEachEngine>[1]>[0]) {
  const before = await startTestServer(engine)
  const ada = await before.register('ada')
  const bob = await before.register('bob')
  await before.close()
  const rows = TYPES.map(
    (type, i) => `(${i + 1}, '${type}', ${i === 0 ? 'null' : 1}, ${i}, '{"n": 4611686018427387904}')`,
  )
  await runSql(
    before.databaseUrl,
    `insert into audit_log (entry_id, event_type, actor_id, target_id, metadata) values ${rows.join(', ')}`,
  )
  const server = await startTestServer(engine, { env: { VOX_DATABASE_URL: before.databaseUrl } })
  const at = ({ token, userId }: Member) => Object.assign(new Client(server.url, token), { userId })
  return Object.assign(server, { ada: at(ada), bob: at(bob) })
}

forEachEngine('the audit log', (engine) => {
  it('shows who did what, with every digit', async () => {
    await using server = await withEntries(engine)
    const { status, body } = await server.ada.get('/audit-log?limit=2')
    assert.equal(status, 200)
    assert.equal(body.cursor, '2')
    assert.deepEqual(body.entries, [
      {
        entry_id: 1,
        event_type: '2fa.admin_reset',
        actor_id: 0,
        target_id: 0,
        metadata: { n: 4611686018427387904n },
        timestamp: 1_735_689_600_000,
      },
      {
        entry_id: 2,
        event_type: 'role.update',
        actor_id: 1,
        target_id: 1,
        metadata: { n: 4611686018427387904n },
        timestamp: 1_735_689_600_000,
      },
    ])
  })

  it('is searched by type, in which only * is special', async () => {
    await using server = await withEntries(engine)
    const found = async (pattern: string) => {
      const { entries } = (await server.ada.get(`/audit-log?event_type=${encodeURIComponent(pattern)}`)).body
      return entries.map(({ event_type }: { event_type: string }) => event_type)
    }
    assert.deepEqual(await found('2fa.*'), ['2fa.admin_reset'])
    assert.deepEqual(await found('2fa.admin_reset'), ['2fa.admin_reset'])
    assert.deepEqual(await found('*.delete'), ['role.delete'])
    assert.deepEqual(await found('role.*'), ['role.update', 'role.delete'])
    assert.deepEqual(await found('r*e*'), ['role.update', 'role.delete'])
    assert.deepEqual(await found('*'), TYPES)
    for (const none of ['member.*', '2fa_admin*', '2FA.*', '2fa', 'role', '%', '_', '', 'role.updat?', '[r]ole.*'])
      assert.deepEqual(await found(none), [], none)
    for (const literal of ['a%b', 'a_b', 'a\\b', 'a[b', 'a?b']) assert.deepEqual(await found(literal), [literal])
  })

  it('is searched by actor and target, and by all at once', async () => {
    await using server = await withEntries(engine)
    const found = async (query: string) => {
      const { entries } = (await server.ada.get(`/audit-log?${query}`)).body
      return entries.map(({ entry_id }: { entry_id: number }) => entry_id)
    }
    assert.deepEqual(await found('actor_id=0'), [1])
    assert.deepEqual(await found('actor_id=1'), [2, 3, 4, 5, 6, 7, 8, 9])
    assert.deepEqual(await found('actor_id=2'), [])
    assert.deepEqual(await found('target_id=2'), [3])
    assert.deepEqual(await found('event_type=role.*&actor_id=1&target_id=2'), [3])
    assert.deepEqual(await found('event_type=role.*&target_id=5'), [])
  })

  it('is walked from the oldest on, or back from an entry', async () => {
    await using server = await withEntries(engine)
    const page = async (query: string) => {
      const { entries, cursor } = (await server.ada.get(`/audit-log?${query}`)).body
      return [entries.map(({ entry_id }: { entry_id: number }) => entry_id), cursor]
    }
    assert.deepEqual(await page('after=0'), [[1, 2, 3, 4, 5, 6, 7, 8, 9], '9'])
    assert.deepEqual(await page('after=4&limit=2'), [[5, 6], '6'])
    assert.deepEqual(await page('cursor=4&limit=2'), [[5, 6], '6'])
    assert.deepEqual(await page('after=9'), [[], null])
    assert.deepEqual(await page('before=9&limit=3'), [[8, 7, 6], '6'])
    assert.deepEqual(await page('before=9&limit=3&cursor=6'), [[5, 4, 3], '3'])
    assert.deepEqual(await page('before=6&after=3'), [[5, 4], '4'])
    assert.deepEqual(await page('before=9223372036854775807&limit=1'), [[9], '9'])
  })

  it('refuses bad queries, and readers without VIEW_AUDIT_LOG', async () => {
    await using server = await withEntries(engine)
    const { ada, bob } = server
    for (const query of ['after=x', 'before=-1', 'limit=0', 'actor_id=ada', `event_type=${'x'.repeat(65)}`])
      assert.equal(failure(await ada.get(`/audit-log?${query}`)), '422 VALIDATION_ERROR', query)
    assert.equal(failure(await bob.get('/audit-log?limit=0')), '403 MISSING_PERMISSIONS')
  })

  it('comes fifty entries to a page, at most a hundred', async () => {
    await using server = await startTestServer(engine)
    const [ada] = await registerAll(server, 'ada')
    await Promise.all(Array.from({ length: 110 }, () => ada.patch('/members/@me', {})))
    assert.equal((await ada.get('/audit-log')).body.entries.length, 50)
    assert.equal((await ada.get('/audit-log?limit=1000')).body.entries.length, 100)
  })
})
