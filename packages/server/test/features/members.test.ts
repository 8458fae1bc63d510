import assert from 'node:assert/strict'
import { it } from 'node:test'
import { TestClock } from '../support/clock.ts'
import { auditTypes, createFeed, grant, lastAudit, registerAll } from '../support/community.ts'
import { forEachEngine } from '../support/engines.ts'
import { connectAll } from '../support/gateway-client.ts'
import { Client, failure, PASSWORD, startTestServer } from '../support/server.ts'
import { runSql } from '../support/sql.ts'

const HOUR_MS = 3_600_000
const START_S = Date.UTC(2026, 0, 1) / 1000

forEachEngine('members', (engine) => {
  it('are everybody with an active account, with roles and nickname', async () => {
    const clock = new TestClock()
    await using server = await startTestServer(engine, { clock })
    const [ada, bob] = await registerAll(server, 'ada', 'bob')
    const member = (user_id: number, username: string, role_ids: number[]) => ({
      user_id,
      username,
      display_name: username,
      avatar: null,
      nickname: null,
      role_ids,
      joined_at: START_S,
      bot: false,
    })
    const { status, body } = await bob.get('/members')
    assert.equal(status, 200)
    assert.deepEqual(body, { items: [member(1, 'ada', [2]), member(2, 'bob', [])], cursor: '2' })
    assert.deepEqual((await ada.get('/members/2')).body, member(2, 'bob', []))
    assert.deepEqual((await ada.get('/members/@me')).body, member(1, 'ada', [2]))
  })

  it('are listed once each while walking by cursor, however many there are', async () => {
    await using server = await startTestServer(engine)
    const ada = await server.register('ada')
    const rows = Array.from({ length: 449 }, (_, i) => `('m${i}', 'm${i}', 0, 0)`)
    await server.close()
    await runSql(
      server.databaseUrl,
      `insert into users (username, username_key, created_at, joined_at) values ${rows.join(', ')}`,
      `insert into users (username, username_key, created_at, joined_at, active) values ('gone', 'gone', 0, null, ${engine.name === 'sqlite' ? 0 : false})`,
    )
    await using again = await startTestServer(engine, { env: { VOX_DATABASE_URL: server.databaseUrl } })
    const reader = new Client(again.url, ada.token)
    assert.equal((await reader.get('/members?limit=300')).body.items.length, 200)
    assert.equal((await reader.get('/members')).body.items.length, 100)
    const seen: number[] = []
    let cursor: string | null = '0'
    const sizes: number[] = []
    while (cursor !== null) {
      const { body }: { body: { items: { user_id: number }[]; cursor: string | null } } = await reader.get(
        `/members?limit=200&cursor=${cursor}`,
      )
      seen.push(...body.items.map(({ user_id }) => user_id))
      sizes.push(body.items.length)
      cursor = body.cursor
    }
    assert.deepEqual(sizes, [200, 200, 50, 0])
    assert.deepEqual(
      seen,
      Array.from({ length: 450 }, (_, i) => i + 1),
    )
    assert.deepEqual((await reader.get('/members?after=448&cursor=1&limit=1')).body.items[0].user_id, 449)
  })

  it('are asked for with sensible limits and ids', async () => {
    await using server = await startTestServer(engine)
    const ada = await server.register('ada')
    for (const query of ['limit=0', 'limit=1001', 'limit=x', 'after=abc', 'cursor=abc', 'after=-1'])
      assert.equal(failure(await ada.get(`/members?${query}`)), '422 VALIDATION_ERROR', query)
    assert.equal(failure(await ada.get('/members/abc')), '422 VALIDATION_ERROR')
    assert.equal(failure(await ada.get('/members/4294967296')), '422 VALIDATION_ERROR')
    assert.equal(failure(await ada.get('/members/99')), '404 USER_NOT_FOUND')
    for (const method of ['PATCH', 'DELETE'])
      assert.equal(failure(await ada.request(method, '/members/abc', {})), '400 INVALID_USER_ID')
  })
})

forEachEngine('nicknames', (engine) => {
  it('are set, kept and cleared, and every time everybody hears of it', async () => {
    await using server = await startTestServer(engine)
    const [ada, bob] = await registerAll(server, 'ada', 'bob')
    const [watcher] = await connectAll(server, ada)
    const set = (body: object) => bob.patch('/members/@me', body)
    assert.equal((await set({ nickname: 'Bobby' })).body.nickname, 'Bobby')
    assert.equal((await set({})).body.nickname, 'Bobby')
    assert.equal((await set({ nickname: null })).body.nickname, null)
    assert.equal((await set({ nickname: 'B' })).body.nickname, 'B')
    assert.equal((await set({ nickname: '' })).body.nickname, null)
    const without = ['member_update', { user_id: 2 }]
    const called = (nickname: string) => ['member_update', { user_id: 2, nickname }]
    assert.deepEqual(await watcher?.told(), [called('Bobby'), called('Bobby'), without, called('B'), without])
    assert.deepEqual(await auditTypes(ada), Array(5).fill('member.update'))
    assert.deepEqual(await lastAudit(ada), ['member.update', 2, 2, { nickname: null }])
    assert.equal((await ada.get('/members/2')).body.nickname, null)
  })

  it('have a length and need a body', async () => {
    await using server = await startTestServer(engine)
    const ada = await server.register('ada')
    assert.equal(failure(await ada.patch('/members/@me', { nickname: 'x'.repeat(65) })), '422 VALIDATION_ERROR')
    assert.equal((await ada.patch('/members/@me', { nickname: '😀'.repeat(64) })).status, 200)
    assert.equal(failure(await ada.patch('/members/@me', { nickname: 5 })), '422 VALIDATION_ERROR')
    assert.equal(failure(await ada.patch('/members/@me')), '422 VALIDATION_ERROR')
  })

  it('need CHANGE_NICKNAME for oneself, MANAGE_NICKNAMES and a higher rank for others', async () => {
    await using server = await startTestServer(engine)
    const [ada, bob, cid, dan] = await registerAll(server, 'ada', 'bob', 'cid', 'dan')
    assert.equal(failure(await bob.patch('/members/99', { nickname: 'x' })), '403 MISSING_PERMISSIONS')
    await grant(ada, bob, ['MANAGE_NICKNAMES'], 10)
    await grant(ada, cid, ['MANAGE_NICKNAMES'], 10)
    assert.equal((await bob.patch(`/members/${dan.userId}`, { nickname: 'x' })).body.nickname, 'x')
    assert.equal(failure(await bob.patch(`/members/${cid.userId}`, { nickname: 'x' })), '403 ROLE_HIERARCHY')
    assert.equal(failure(await bob.patch('/members/1', { nickname: 'x' })), '403 ROLE_HIERARCHY')
    assert.equal(failure(await bob.patch('/members/99', { nickname: 'x' })), '404 USER_NOT_FOUND')
    assert.equal((await ada.patch(`/members/${cid.userId}`, { nickname: 'x' })).status, 200)
    await ada.patch('/roles/1', { permissions: 1 })
    const refused = await dan.patch('/members/@me', { nickname: 'y' })
    assert.equal(failure(refused), '403 MISSING_PERMISSIONS')
    assert.equal(refused.body.error.missing_permission, 'change_nickname')
    await dan.delete('/members/@me')
    assert.equal(failure(await bob.patch(`/members/${dan.userId}`, { nickname: 'x' })), '404 USER_NOT_FOUND')
  })
})

forEachEngine('leaving', (engine) => {
  it('ends membership, roles and nickname, but neither the profile nor overrides', async () => {
    const clock = new TestClock()
    await using server = await startTestServer(engine, { clock })
    const [ada, bob] = await registerAll(server, 'ada', 'bob')
    await grant(ada, bob, ['MANAGE_SPACES'])
    const feed = await createFeed(ada)
    await ada.put(`/feeds/${feed}/permissions/user/${bob.userId}`, { allow: 0, deny: 1 })
    await bob.patch('/members/@me', { nickname: 'Bobby' })
    const [watcher, leaver, second] = await connectAll(server, ada, bob, bob)
    assert.equal((await bob.delete('/members/@me')).status, 204)
    const left = ['member_leave', { user_id: 2 }]
    assert.deepEqual(await watcher?.told(), [left])
    for (const session of [leaver, second]) assert.deepEqual(await session?.lastWords(), { told: [left], code: 4004 })
    assert.deepEqual(await lastAudit(ada), ['member.leave', 2, 2, { reason: 'Left' }])

    assert.equal(failure(await ada.get('/members/2')), '404 USER_NOT_FOUND')
    assert.deepEqual((await ada.get('/users/2')).body.roles, [])
    assert.equal((await ada.get('/members')).body.items.length, 1)
    assert.equal((await ada.get('/server')).body.member_count, 1)
    for (const path of ['/members', '/users/@me', '/server/layout'])
      assert.equal(failure(await bob.get(path)), '403 BANNED', path)
    assert.equal(failure(await bob.delete('/members/@me')), '403 BANNED')

    clock.advance(HOUR_MS)
    const { code } = (await ada.post('/invites', {})).body
    assert.equal((await bob.post('/members/join', { invite_code: code })).status, 204)
    const { role_ids, nickname, joined_at } = (await bob.get('/members/@me')).body
    assert.deepEqual([role_ids, nickname, joined_at], [[], null, START_S + 3600])
    assert.equal(failure(await bob.get(`/feeds/${feed}`)), '404 SPACE_NOT_FOUND')
  })

  it('is not for administrators', async () => {
    await using server = await startTestServer(engine)
    const [ada, bob] = await registerAll(server, 'ada', 'bob')
    await ada.put('/members/2/roles/2')
    for (const admin of [ada, bob]) {
      assert.equal(failure(await admin.delete('/members/@me')), '400 INVALID_TARGET')
      assert.equal(failure(await admin.delete(`/members/${admin.userId}`, { reason: 'x' })), '400 INVALID_TARGET')
    }
  })

  it('leaves the token good for logging out and coming back', async () => {
    await using server = await startTestServer(engine)
    const [, bob] = await registerAll(server, 'ada', 'bob')
    await bob.delete('/members/@me')
    assert.equal(failure(await bob.post('/members/join', {})), '422 VALIDATION_ERROR')
    assert.equal((await bob.post('/auth/logout')).status, 204)
    assert.equal(failure(await bob.post('/auth/logout')), '401 AUTH_EXPIRED')
  })

  it('is remembered over a restart', async () => {
    await using server = await startTestServer(engine)
    const [ada, bob] = await registerAll(server, 'ada', 'bob')
    await bob.delete('/members/@me')
    await server.close()
    await using again = await startTestServer(engine, { env: { VOX_DATABASE_URL: server.databaseUrl } })
    assert.equal(failure(await new Client(again.url, bob.token).get('/members')), '403 BANNED')
    assert.equal((await new Client(again.url, ada.token).get('/members')).body.items.length, 1)
  })
})

forEachEngine('kicking', (engine) => {
  it('takes no body, an empty one or a reason', async () => {
    await using server = await startTestServer(engine)
    const [ada, bob, cid, dan] = await registerAll(server, 'ada', 'bob', 'cid', 'dan')
    assert.equal(failure(await ada.delete('/members/2', { reason: 'x'.repeat(257) })), '422 VALIDATION_ERROR')
    assert.equal((await ada.delete(`/members/${bob.userId}`)).status, 204)
    assert.deepEqual(await lastAudit(ada), ['member.kick', 1, 2, null])
    assert.equal((await ada.delete(`/members/${cid.userId}`, {})).status, 204)
    assert.equal((await ada.delete(`/members/${dan.userId}`, { reason: 'spam' })).status, 204)
    assert.deepEqual(await lastAudit(ada), ['member.kick', 1, 4, { reason: 'spam' }])
  })

  it('happens once: who is gone already is left in peace', async () => {
    await using server = await startTestServer(engine)
    const [ada, bob] = await registerAll(server, 'ada', 'bob')
    const [watcher, kicked] = await connectAll(server, ada, bob)
    const answers = await Promise.all([ada.delete('/members/2'), ada.delete('/members/2')])
    assert.deepEqual(
      answers.map(({ status }) => status),
      [204, 204],
    )
    assert.equal((await ada.delete('/members/2')).status, 204)
    assert.deepEqual(await watcher?.told(), [['member_leave', { user_id: 2 }]])
    assert.deepEqual(await kicked?.lastWords(), { told: [['member_leave', { user_id: 2 }]], code: 4004 })
    assert.deepEqual(await auditTypes(ada), ['member.kick'])
  })

  it('needs KICK_MEMBERS and a higher rank', async () => {
    await using server = await startTestServer(engine)
    const [ada, bob, cid, dan, eve] = await registerAll(server, 'ada', 'bob', 'cid', 'dan', 'eve')
    assert.equal(failure(await bob.delete('/members/99')), '403 MISSING_PERMISSIONS')
    assert.equal(failure(await bob.delete('/members/5')), '403 MISSING_PERMISSIONS')
    await grant(ada, bob, ['KICK_MEMBERS'], 10)
    await grant(ada, cid, [], 10)
    await grant(ada, dan, [], 9)
    for (const { userId } of [ada, cid, dan])
      assert.equal(failure(await bob.delete(`/members/${userId}`)), '403 ROLE_HIERARCHY')
    assert.equal(failure(await bob.delete('/members/99')), '404 USER_NOT_FOUND')
    assert.equal((await bob.delete(`/members/${eve.userId}`)).status, 204)
  })

  it('lets nobody come back as more than a plain member', async () => {
    await using server = await startTestServer(engine)
    const [ada, bob] = await registerAll(server, 'ada', 'bob')
    await grant(ada, bob, ['KICK_MEMBERS'])
    const { code } = (await bob.post('/invites', {})).body
    await ada.delete('/members/2')
    assert.equal(failure(await bob.post('/members/join', { invite_code: 'nonsense' })), '422 INVITE_INVALID')
    assert.equal((await bob.post('/members/join', { invite_code: code })).status, 204)
    assert.equal(failure(await bob.delete('/members/1')), '403 MISSING_PERMISSIONS')
  })

  it('spares the last administrator, whoever kicks', async () => {
    await using server = await startTestServer(engine)
    const [ada, bob] = await registerAll(server, 'ada', 'bob', 'cid')
    await grant(ada, bob, ['KICK_MEMBERS'], 0)
    assert.equal(failure(await bob.delete('/members/1')), '400 INVALID_TARGET')
    await ada.put('/members/3/roles/2')
    assert.equal((await bob.delete('/members/1')).status, 204)
    assert.equal(failure(await bob.delete('/members/3')), '400 INVALID_TARGET')
  })

  it('succeeds for one of two administrators who kick each other', async () => {
    await using server = await startTestServer(engine)
    const [ada, bob] = await registerAll(server, 'ada', 'bob')
    await ada.put('/members/2/roles/2')
    const answers = await Promise.all([ada.delete('/members/2'), bob.delete('/members/1')])
    assert.deepEqual(answers.map(({ status }) => status).sort(), [204, 403])
  })
})

forEachEngine('joining', (engine) => {
  it('tells everybody every time, and counts each account once', async () => {
    await using server = await startTestServer(engine)
    const [ada, bob] = await registerAll(server, 'ada', 'bob')
    const { code } = (await ada.post('/invites', {})).body
    const [watcher] = await connectAll(server, ada)
    assert.equal((await bob.post('/members/join', { invite_code: code })).status, 204)
    assert.equal((await bob.post('/members/@me/join', { invite_code: code })).status, 204)
    const joined = ['member_join', { user_id: 2, username: 'bob', display_name: 'bob' }]
    assert.deepEqual(await watcher?.told(), [joined, joined])
    assert.equal((await ada.get('/invites')).body.items[0].uses, 1)
    assert.deepEqual(await auditTypes(ada), ['invite.create'])
  })

  it('refuses codes that are unknown, expired or used up, in this order', async () => {
    const clock = new TestClock()
    await using server = await startTestServer(engine, { clock })
    const [ada, bob, cid] = await registerAll(server, 'ada', 'bob', 'cid')
    const [watcher] = await connectAll(server, ada)
    const join = async (client: Client, code: unknown) =>
      failure(await client.post('/members/join', { invite_code: code }))
    const short = (await ada.post('/invites', { max_uses: 1, max_age: 60 })).body.code
    const single = (await ada.post('/invites', { max_uses: 1 })).body.code
    await watcher?.told()
    assert.equal(await join(bob, 'x'.repeat(65)), '422 VALIDATION_ERROR')
    assert.equal(await join(bob, 5), '422 VALIDATION_ERROR')
    assert.equal(await join(bob, 'unknown'), '422 INVITE_INVALID')
    assert.equal((await bob.post('/members/join', { invite_code: short })).status, 204)
    assert.equal(await join(cid, short), '422 INVITE_INVALID')
    assert.equal((await bob.post('/members/join', { invite_code: short })).status, 204)
    clock.advance(60_000)
    assert.equal(await join(cid, short), '410 INVITE_EXPIRED')
    assert.equal(await join(bob, short), '410 INVITE_EXPIRED')
    assert.equal((await bob.post('/members/join', { invite_code: single })).status, 204)
    assert.equal((await watcher?.told())?.length, 3)
  })

  it('is for one of ten when one use is left', async () => {
    await using server = await startTestServer(engine)
    const ada = await server.register('ada')
    const many = await Promise.all(Array.from({ length: 10 }, (_, i) => server.register(`m${i}`)))
    await Promise.all(many.map((client) => client.delete('/members/@me')))
    const { code } = (await ada.post('/invites', { max_uses: 1 })).body
    const answers = await Promise.all(many.map((client) => client.post('/members/join', { invite_code: code })))
    assert.deepEqual(answers.map(({ status }) => status).sort(), [204, ...Array(9).fill(422)])
    assert.equal((await ada.get('/invites')).body.items[0].uses, 1)
    assert.equal((await ada.get('/server')).body.member_count, 2)
  })

  it('is not for the banned, whatever the code', async () => {
    await using server = await startTestServer(engine)
    const [ada, bob] = await registerAll(server, 'ada', 'bob')
    const { code } = (await ada.post('/invites', {})).body
    await ada.put('/bans/2')
    for (const invite_code of [code, 'nonsense', 5])
      assert.equal(failure(await bob.post('/members/join', { invite_code })), '403 BANNED')
    assert.equal(failure(await bob.post('/auth/logout')), '403 BANNED')
    assert.equal((await ada.get('/invites')).body.items[0].uses, 0)
  })

  it('is possible with a fresh login after leaving', async () => {
    await using server = await startTestServer(engine)
    const [ada, bob] = await registerAll(server, 'ada', 'bob')
    await bob.delete('/members/@me')
    const { body } = await server.visitor.post('/auth/login', { username: 'bob', password: PASSWORD })
    const again = new Client(server.url, body.token)
    assert.equal(failure(await again.get('/members')), '403 BANNED')
    const { code } = (await ada.post('/invites', {})).body
    assert.equal((await again.post('/members/join', { invite_code: code })).status, 204)
    assert.equal((await again.get('/members')).status, 200)
  })
})
