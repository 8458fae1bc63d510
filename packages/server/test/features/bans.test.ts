import assert from 'node:assert/strict'
import { it } from 'node:test'
import { snowflake } from '@vox/protocol'
import { TestClock } from '../support/clock.ts'
import { auditTypes, createFeed, grant, lastAudit, registerAll } from '../support/community.ts'
import { forEachEngine } from '../support/engines.ts'
import { connectAll } from '../support/gateway-client.ts'
import { Client, failure, startTestServer } from '../support/server.ts'
import { runSql } from '../support/sql.ts'

const START = Date.UTC(2026, 0, 1)
const DAY_MS = 86_400_000

forEachEngine('bans', (engine) => {
  it('end a membership and are shown with reason, time and author', async () => {
    await using server = await startTestServer(engine, { clock: new TestClock() })
    const [ada, bob] = await registerAll(server, 'ada', 'bob')
    const [watcher, banned] = await connectAll(server, ada, bob)
    const { status, body } = await ada.put('/bans/2', { reason: 'spam' })
    assert.equal(status, 200)
    const ban = {
      user_id: 2,
      username: 'bob',
      display_name: 'bob',
      reason: 'spam',
      created_at: START / 1000,
      banned_by: 1,
    }
    assert.deepEqual(body, ban)
    assert.deepEqual((await ada.get('/bans')).body, { items: [ban], cursor: '2' })
    assert.deepEqual(await watcher?.told(), [['member_ban', { user_id: 2 }]])
    assert.deepEqual(await banned?.lastWords(), { told: [['member_ban', { user_id: 2 }]], code: 4004 })
    assert.deepEqual(await lastAudit(ada), ['member.ban', 1, 2, { reason: 'spam' }])
    assert.equal(failure(await bob.get('/users/@me')), '403 BANNED')
    assert.equal(failure(await ada.get('/members/2')), '404 USER_NOT_FOUND')
    assert.equal((await ada.get('/users/2')).status, 200)
  })

  it('take no body, an empty one, and nulls', async () => {
    await using server = await startTestServer(engine)
    const [ada] = await registerAll(server, 'ada', 'bob', 'cid', 'dan')
    assert.equal((await ada.put('/bans/2')).body.reason, null)
    assert.equal((await ada.put('/bans/3', {})).body.reason, null)
    assert.equal((await ada.put('/bans/4', { reason: null, delete_msg_days: null })).body.reason, null)
    assert.deepEqual(await lastAudit(ada), ['member.ban', 1, 4, { reason: null }])
  })

  it('of the banned change the reason if one is given, and nothing else', async () => {
    const clock = new TestClock()
    await using server = await startTestServer(engine, { clock })
    const [ada, bob] = await registerAll(server, 'ada', 'bob')
    const [watcher] = await connectAll(server, ada)
    const answers = await Promise.all([ada.put('/bans/2', { reason: 'a' }), ada.put('/bans/2', { reason: 'b' })])
    assert.deepEqual(
      answers.map(({ status, body }) => [status, body.reason]),
      [
        [200, 'a'],
        [200, 'b'],
      ],
    )
    assert.deepEqual(await watcher?.told(), [['member_ban', { user_id: bob.userId }]])
    clock.advance(DAY_MS)
    const { body } = await ada.put('/bans/2', {})
    assert.deepEqual([body.reason, body.created_at], ['b', START / 1000])
    assert.deepEqual(await auditTypes(ada), ['member.ban', 'member.ban', 'member.ban'])
  })

  it('are refused for what cannot be banned', async () => {
    await using server = await startTestServer(engine)
    const [ada, bob, cid, dan] = await registerAll(server, 'ada', 'bob', 'cid', 'dan')
    const ban = async (client: Client, id: unknown, body?: object) => failure(await client.put(`/bans/${id}`, body))
    assert.equal(await ban(dan, 'abc'), '403 MISSING_PERMISSIONS')
    assert.equal(await ban(dan, 99), '403 MISSING_PERMISSIONS')
    await grant(ada, bob, ['BAN_MEMBERS'], 10)
    await grant(ada, cid, [], 10)
    for (const body of [
      { delete_msg_days: -1 },
      { delete_msg_days: 15 },
      { delete_msg_days: 'x' },
      { reason: 'x'.repeat(257) },
      { reason: 5 },
    ])
      assert.equal(await ban(ada, 4, body), '422 VALIDATION_ERROR', JSON.stringify(body))
    assert.equal(await ban(ada, 'abc'), '422 VALIDATION_ERROR')
    assert.equal(await ban(ada, '@me'), '400 INVALID_TARGET')
    assert.equal(await ban(ada, 1), '400 INVALID_TARGET')
    assert.equal(await ban(ada, 99), '404 USER_NOT_FOUND')
    assert.equal(await ban(bob, 1), '403 ROLE_HIERARCHY')
    assert.equal(await ban(bob, 3), '403 ROLE_HIERARCHY')
    assert.equal((await bob.put('/bans/4')).status, 200)
    assert.deepEqual((await ada.get('/bans')).body.items.length, 1)
  })

  it('never leave the server without an administrator', async () => {
    await using server = await startTestServer(engine)
    const [ada, bob] = await registerAll(server, 'ada', 'bob', 'cid')
    await grant(ada, bob, ['BAN_MEMBERS'], 0)
    assert.equal(failure(await bob.put('/bans/1')), '400 INVALID_TARGET')
    await ada.put('/members/3/roles/2')
    assert.equal((await bob.put('/bans/1')).status, 200)
    assert.equal(failure(await bob.put('/bans/3')), '400 INVALID_TARGET')
  })

  it('succeed for one of two administrators who ban each other', async () => {
    await using server = await startTestServer(engine)
    const [ada, bob] = await registerAll(server, 'ada', 'bob')
    await ada.put('/members/2/roles/2')
    const answers = await Promise.all([ada.put('/bans/2'), bob.put('/bans/1')])
    assert.deepEqual(answers.map(({ status }) => status).sort(), [200, 403])
  })

  it('can be set on accounts that have left, and then keep them out', async () => {
    await using server = await startTestServer(engine)
    const [ada, bob] = await registerAll(server, 'ada', 'bob')
    await bob.delete('/members/@me')
    const [watcher] = await connectAll(server, ada)
    assert.equal((await ada.put('/bans/2')).status, 200)
    assert.deepEqual(await watcher?.told(), [['member_ban', { user_id: 2 }]])
    const { code } = (await ada.post('/invites', {})).body
    assert.equal(failure(await bob.post('/members/join', { invite_code: code })), '403 BANNED')
  })

  it('hold over a restart', async () => {
    await using server = await startTestServer(engine)
    const [ada, bob] = await registerAll(server, 'ada', 'bob')
    await ada.put('/bans/2')
    const { code } = (await ada.post('/invites', {})).body
    await server.close()
    await using again = await startTestServer(engine, { env: { VOX_DATABASE_URL: server.databaseUrl } })
    const returning = new Client(again.url, bob.token)
    assert.equal(failure(await returning.post('/members/join', { invite_code: code })), '403 BANNED')
  })

  it('are listed by user id, a page at a time', async () => {
    await using server = await startTestServer(engine)
    const [ada, bob] = await registerAll(server, 'ada', 'bob', 'cid', 'dan')
    assert.deepEqual((await ada.get('/bans')).body, { items: [], cursor: null })
    for (const id of [4, 2, 3]) await ada.put(`/bans/${id}`)
    const page = async (query: string) => {
      const { items, cursor } = (await ada.get(`/bans?${query}`)).body
      return [items.map(({ user_id }: { user_id: number }) => user_id), cursor]
    }
    assert.deepEqual(await page('limit=2'), [[2, 3], '3'])
    assert.deepEqual(await page('limit=2&after=3'), [[4], '4'])
    assert.deepEqual(await page('after=4'), [[], null])
    assert.equal(failure(await bob.get('/bans')), '403 BANNED')
  })
})

forEachEngine('lifting a ban', (engine) => {
  it('makes the account a plain member again at once', async () => {
    const clock = new TestClock()
    await using server = await startTestServer(engine, { clock })
    const [ada, bob] = await registerAll(server, 'ada', 'bob')
    await grant(ada, bob, ['KICK_MEMBERS'])
    await ada.put('/bans/2')
    clock.advance(DAY_MS)
    const [watcher] = await connectAll(server, ada)
    assert.equal((await ada.delete('/bans/2')).status, 204)
    assert.deepEqual(await watcher?.told(), [['member_unban', { user_id: 2 }]])
    assert.deepEqual(await lastAudit(ada), ['member.unban', 1, 2, null])
    const { role_ids, joined_at } = (await bob.get('/members/2')).body
    assert.deepEqual([role_ids, joined_at], [[], (START + DAY_MS) / 1000])
    assert.equal((await ada.get('/server')).body.member_count, 2)
    assert.equal(failure(await ada.delete('/bans/2')), '404 BAN_NOT_FOUND')
  })

  it('needs a ban and BAN_MEMBERS', async () => {
    await using server = await startTestServer(engine)
    const [ada, bob] = await registerAll(server, 'ada', 'bob')
    assert.equal(failure(await bob.delete('/bans/99')), '403 MISSING_PERMISSIONS')
    assert.equal(failure(await ada.delete('/bans/2')), '404 BAN_NOT_FOUND')
    assert.equal(failure(await ada.delete('/bans/99')), '404 BAN_NOT_FOUND')
    assert.equal(failure(await ada.delete('/bans/abc')), '422 VALIDATION_ERROR')
    assert.equal(failure(await ada.delete('/bans/@me')), '404 BAN_NOT_FOUND')
  })
})

forEachEngine('messages of the banned', (engine) => {
  it('go with the days asked for, told feed by feed to those who see it', async () => {
    const clock = new TestClock()
    await using server = await startTestServer(engine, { clock })
    const [ada, bob, cid] = await registerAll(server, 'ada', 'bob', 'cid')
    const open = await createFeed(ada)
    const hidden = await createFeed(ada, { hidden: true })
    await ada.put(`/feeds/${hidden}/permissions/user/${bob.userId}`, { allow: 1, deny: 0 })
    const send = async (client: Client, path: string, body = 'x') =>
      (await client.post(`${path}/messages`, { body })).body.msg_id as bigint
    const old = await send(bob, `/feeds/${open}`)
    const root = await send(ada, `/feeds/${open}`)
    const { thread_id } = (await ada.post(`/feeds/${open}/threads`, { parent_msg_id: root, name: 'thread' })).body
    clock.advance(2 * DAY_MS)
    const fresh = [
      await send(bob, `/feeds/${open}`),
      await send(bob, `/feeds/${open}/threads/${thread_id}`),
      await send(bob, `/feeds/${open}`),
    ]
    const secret = await send(bob, `/feeds/${hidden}`)
    const [admin, plain] = await connectAll(server, ada, cid)
    assert.equal((await ada.put('/bans/2', { delete_msg_days: 1 })).status, 200)
    const ban = ['member_ban', { user_id: 2 }]
    const goneIn = (feed_id: number, ...msg_ids: bigint[]) => ['message_bulk_delete', { feed_id, msg_ids }]
    assert.deepEqual(await plain?.told(), [ban, goneIn(open, ...fresh)])
    const told = (await admin?.told()) ?? []
    assert.deepEqual(told.slice(0, 1), [ban])
    assert.deepEqual(new Set(told.slice(1)), new Set([goneIn(open, ...fresh), goneIn(hidden, secret)]))
    assert.deepEqual(await lastAudit(ada), ['member.ban', 1, 2, { reason: null, deleted_messages: 4 }])
    const left = (await ada.get(`/feeds/${open}/messages`)).body.messages
    assert.deepEqual(
      left.map(({ msg_id }: { msg_id: bigint }) => msg_id),
      [root, old],
    )
  })

  it('are told in events of at most a thousand', async () => {
    await using server = await startTestServer(engine)
    const [ada] = await registerAll(server, 'ada', 'bob')
    const feed = await createFeed(ada)
    await server.close()
    const newest = snowflake({ timestamp: Date.now(), worker: 0, sequence: 0 })
    const ids = Array.from({ length: 4100 }, (_, i) => newest - BigInt(i)).reverse()
    const rows = ids.map((id) => `(${id}, ${feed}, 2, 'x')`)
    await runSql(server.databaseUrl, `insert into messages (msg_id, feed_id, author_id, body) values ${rows}`)
    await using again = await startTestServer(engine, { env: { VOX_DATABASE_URL: server.databaseUrl } })
    const admin = new Client(again.url, ada.token)
    const [watcher] = await connectAll(again, admin)
    await admin.put('/bans/2', { delete_msg_days: 1 })
    const events = ((await watcher?.told()) ?? []).slice(1) as [string, { msg_ids: bigint[] }][]
    assert.deepEqual(
      events.map(([, { msg_ids }]) => msg_ids.length),
      [1000, 1000, 1000, 1000, 100],
    )
    assert.deepEqual(
      events.flatMap(([, { msg_ids }]) => msg_ids),
      ids,
    )
    assert.deepEqual((await admin.get(`/feeds/${feed}/messages`)).body.messages, [])
  })

  it('stay unless asked for, and may go with a later call', async () => {
    await using server = await startTestServer(engine)
    const [ada, bob] = await registerAll(server, 'ada', 'bob')
    const feed = await createFeed(ada)
    await bob.post(`/feeds/${feed}/messages`, { body: 'x' })
    const count = async () => (await ada.get(`/feeds/${feed}/messages`)).body.messages.length
    await ada.put('/bans/2', { delete_msg_days: 0 })
    assert.equal(await count(), 1)
    const [watcher] = await connectAll(server, ada)
    await ada.put('/bans/2', { delete_msg_days: 1 })
    assert.equal(await count(), 0)
    assert.deepEqual(
      (await watcher?.told())?.map(([type]) => type),
      ['message_bulk_delete'],
    )
  })
})
