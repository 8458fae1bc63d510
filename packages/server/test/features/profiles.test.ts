import assert from 'node:assert/strict'
import { it } from 'node:test'
import { auditTypes, lastAudit, registerAll } from '../support/community.ts'
import { forEachEngine } from '../support/engines.ts'
import { connectAll } from '../support/gateway-client.ts'
import { Client, failure, startTestServer } from '../support/server.ts'
import { runSql } from '../support/sql.ts'

forEachEngine('profiles', (engine) => {
  it('are changed by their owners, and everybody is told what was given', async () => {
    await using server = await startTestServer(engine)
    const [ada, bob] = await registerAll(server, 'ada', 'bob')
    const [watcher] = await connectAll(server, ada)
    const patch = (body: object) => bob.patch('/users/@me', body)
    const before = (await bob.get('/users/@me')).body
    assert.deepEqual((await patch({})).body, before)
    assert.deepEqual((await patch({ bio: null, avatar: null })).body, before)
    const { body } = await patch({ display_name: 'Bob', avatar: 'avatar.png', bio: 'Hi' })
    assert.deepEqual(body, { ...before, display_name: 'Bob', avatar: 'avatar.png', bio: 'Hi' })
    const cleared = await patch({ display_name: ' ', avatar: '', bio: '' })
    assert.deepEqual(cleared.body, { ...before, display_name: 'bob', avatar: null, bio: null })
    assert.deepEqual((await ada.get('/users/2')).body, cleared.body)
    assert.deepEqual(await watcher?.told(), [
      ['user_update', { user_id: 2, display_name: 'Bob', avatar: 'avatar.png', bio: 'Hi' }],
      ['user_update', { user_id: 2, display_name: 'bob', avatar: null, bio: null }],
    ])
    assert.deepEqual(await auditTypes(ada), [])
  })

  it('hold to their bounds', async () => {
    await using server = await startTestServer(engine)
    const ada = await server.register('ada')
    for (const body of [
      { bio: 'x'.repeat(257) },
      { avatar: 'x'.repeat(513) },
      { display_name: 'x'.repeat(65) },
      { display_name: 'a\nb' },
      { bio: 5 },
    ])
      assert.equal(failure(await ada.patch('/users/@me', body)), '422 VALIDATION_ERROR', JSON.stringify(body))
    const longest = { bio: '😀'.repeat(256), avatar: 'x'.repeat(512), display_name: '😀'.repeat(64) }
    assert.equal((await ada.patch('/users/@me', longest)).status, 200)
    assert.equal(failure(await ada.patch('/users/@me')), '422 VALIDATION_ERROR')
  })

  it('of others are changed by administrators, who leave a trace', async () => {
    await using server = await startTestServer(engine)
    const [ada, bob] = await registerAll(server, 'ada', 'bob')
    assert.equal((await ada.patch('/users/2', { bio: '', display_name: 'Robert' })).body.display_name, 'Robert')
    assert.deepEqual(await lastAudit(ada), ['user.update', 1, 2, { bio: null, display_name: 'Robert' }])
    assert.equal(failure(await bob.patch('/users/1', { bio: 5 })), '403 MISSING_PERMISSIONS')
    assert.equal(failure(await bob.patch('/users/99', { bio: 'x' })), '403 MISSING_PERMISSIONS')
    assert.equal(failure(await ada.patch('/users/99', { bio: 'x' })), '404 USER_NOT_FOUND')
    assert.equal(failure(await ada.patch('/users/abc', { bio: 'x' })), '400 INVALID_USER_ID')
  })

  it('of users of other servers are kept there', async () => {
    await using server = await startTestServer(engine)
    const ada = await server.register('ada')
    await server.close()
    await runSql(
      server.databaseUrl,
      `insert into users (username, username_key, home_domain, federated, created_at)
       values ('eve@a.example', 'eve@a.example', 'a.example', ${engine.name === 'sqlite' ? 1 : true}, 0)`,
    )
    await using again = await startTestServer(engine, { env: { VOX_DATABASE_URL: server.databaseUrl } })
    const admin = new Client(again.url, ada.token)
    assert.equal(failure(await admin.patch('/users/2', { bio: 'x' })), '403 FORBIDDEN')
    assert.equal((await admin.get('/users/2')).body.home_domain, 'a.example')
    assert.equal(failure(await admin.get('/members/2')), '404 USER_NOT_FOUND')
    assert.equal((await admin.get('/members')).body.items.length, 1)
    assert.equal((await admin.get('/server')).body.member_count, 1)
    assert.equal((await admin.put('/users/@me/friends/2')).status, 204)
    assert.equal((await admin.put('/bans/2')).body.username, 'eve@a.example')
    assert.equal(failure(await admin.put('/users/@me/friends/2')), '404 USER_NOT_FOUND')
    assert.equal((await admin.delete('/bans/2')).status, 204)
    assert.equal(failure(await admin.get('/members/2')), '404 USER_NOT_FOUND')
    assert.equal((await admin.put('/users/@me/friends/2')).status, 204)
  })
})

forEachEngine('presence', (engine) => {
  it('is offline without a connection, and true to oneself only when invisible', async () => {
    await using server = await startTestServer(engine)
    const [ada, bob] = await registerAll(server, 'ada', 'bob')
    const offline = { user_id: 2, status: 'offline', custom_status: null, activity: null }
    assert.deepEqual((await ada.get('/users/2/presence')).body, offline)
    const [, session] = await connectAll(server, ada, bob)
    assert.equal((await ada.get('/users/2/presence')).body.status, 'online')
    session?.socket.send('presence_update', { status: 'idle', custom_status: 'Tea', activity: { name: 'Chess' } })
    await session?.told()
    const idle = { user_id: 2, status: 'idle', custom_status: 'Tea', activity: { name: 'Chess' } }
    assert.deepEqual((await ada.get('/users/2/presence')).body, idle)
    session?.socket.send('presence_update', { status: 'invisible' })
    await session?.told()
    assert.deepEqual((await ada.get('/users/2/presence')).body, offline)
    assert.equal((await bob.get('/users/@me/presence')).body.status, 'invisible')
  })

  it('is asked for by the id of somebody', async () => {
    await using server = await startTestServer(engine)
    const ada = await server.register('ada')
    assert.equal(failure(await ada.get('/users/abc/presence')), '422 VALIDATION_ERROR')
    assert.equal(failure(await ada.get('/users/99/presence')), '404 USER_NOT_FOUND')
  })
})
