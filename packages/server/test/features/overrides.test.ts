import assert from 'node:assert/strict'
import { it } from 'node:test'
import { Permission } from '@vox/protocol'
import { createFeed, grant, lastAudit, registerAll } from '../support/community.ts'
import { forEachEngine } from '../support/engines.ts'
import { connectAll, GatewayClient } from '../support/gateway-client.ts'
import { failure, startTestServer, type TestServer } from '../support/server.ts'
import { runSql } from '../support/sql.ts'

const HIDE = { allow: 0, deny: Permission.VIEW_SPACE }

/** An administrator, a moderator at rank 10 who may manage roles, a plain member, and feed 1. */
async function withFeed(server: TestServer) {
  const [ada, mod, bob] = await registerAll(server, 'ada', 'mod', 'bob')
  const modRole = await grant(ada, mod, ['MANAGE_ROLES', 'VIEW_SPACE', 'SEND_MESSAGES'])
  await createFeed(ada)
  return { ada, mod, bob, modRole }
}

forEachEngine('permission overrides', (engine) => {
  it('are told to those who see the space, with what they are', async () => {
    await using server = await startTestServer(engine)
    const { ada, mod, bob, modRole } = await withFeed(server)
    await ada.put(`/feeds/1/permissions/user/${bob.userId}`, HIDE)
    const [adas, mods, bobs] = await connectAll(server, ada, mod, bob)
    const target = { space_type: 'feed', space_id: 1, target_type: 'role', target_id: modRole }
    const sets = { allow: 9223372036854775807n, deny: 2 }
    assert.equal((await ada.put(`/feeds/1/permissions/role/${modRole}`, sets)).status, 204)
    assert.deepEqual(await lastAudit(ada), ['permission_override.update', ada.userId, modRole, { ...target, ...sets }])
    assert.equal((await ada.delete(`/feeds/1/permissions/role/${modRole}`)).status, 204)
    assert.deepEqual(await lastAudit(ada), ['permission_override.delete', ada.userId, modRole, target])
    const expected = [
      ['permission_override_update', { ...target, ...sets }],
      ['permission_override_delete', target],
    ]
    assert.deepEqual(await adas?.told(), expected)
    assert.deepEqual(await mods?.told(), expected)
    assert.deepEqual(await bobs?.told(), [])
  })

  it('refuse what they cannot be about', async () => {
    await using server = await startTestServer(engine)
    const { ada, mod, bob, modRole } = await withFeed(server)
    const secret = await createFeed(ada, { hidden: true })
    await ada.put(`/feeds/${secret}/permissions/role/${modRole}`, HIDE)
    for (const [client, path, expected] of [
      [ada, '/feeds/1/permissions/badtype/1', '400 INVALID_TARGET_TYPE'],
      [ada, '/feeds/99/permissions/badtype/1', '400 INVALID_TARGET_TYPE'],
      [ada, '/feeds/99/permissions/role/1', '404 SPACE_NOT_FOUND'],
      [ada, '/rooms/1/permissions/role/1', '404 SPACE_NOT_FOUND'],
      [mod, `/feeds/${secret}/permissions/role/1`, '404 SPACE_NOT_FOUND'],
      [ada, '/feeds/1/permissions/role/99', '404 SPACE_NOT_FOUND'],
      [ada, '/feeds/1/permissions/user/99', '404 USER_NOT_FOUND'],
      [ada, '/feeds/1/permissions/user/abc', '422 VALIDATION_ERROR'],
      [bob, '/feeds/1/permissions/role/1', '403 MISSING_PERMISSIONS'],
      [mod, `/feeds/1/permissions/role/${modRole}`, '403 ROLE_HIERARCHY'],
      [mod, '/feeds/1/permissions/role/2', '403 ROLE_HIERARCHY'],
      [mod, `/feeds/1/permissions/user/${mod.userId}`, '403 ROLE_HIERARCHY'],
      [mod, `/feeds/1/permissions/user/${ada.userId}`, '403 ROLE_HIERARCHY'],
    ] as const) {
      assert.equal(failure(await client.put(path, HIDE)), expected, path)
      if (!path.endsWith('99') || path === '/feeds/99/permissions/role/1')
        assert.equal(failure(await client.delete(path)), expected, `delete ${path}`)
    }
    const { room_id } = (await ada.post('/rooms', { name: 'room', type: 'voice' })).body
    for (const [client, target, expected] of [
      [ada, 'user/99', '404 USER_NOT_FOUND'],
      [mod, `role/${modRole}`, '403 ROLE_HIERARCHY'],
    ] as const)
      assert.equal(failure(await client.put(`/rooms/${room_id}/permissions/${target}`, HIDE)), expected)
    const ownRole = `/rooms/${room_id}/permissions/role/${modRole}`
    assert.equal(failure(await mod.delete(ownRole)), '403 ROLE_HIERARCHY')
    for (const body of [undefined, {}, { allow: 1 }, { allow: -1, deny: 0 }, { allow: 0, deny: 2n ** 63n }])
      assert.equal(failure(await ada.put('/feeds/1/permissions/role/1', body)), '422 VALIDATION_ERROR')
    assert.deepEqual((await ada.get('/feeds/1')).body.permission_overrides, [])
  })

  it('change only in bits that the caller holds', async () => {
    await using server = await startTestServer(engine)
    const { ada, mod, bob } = await withFeed(server)
    const path = `/feeds/1/permissions/user/${bob.userId}`
    const { BAN_MEMBERS, SEND_MESSAGES } = Permission
    for (const sets of [
      { allow: BAN_MEMBERS, deny: 0 },
      { allow: 0, deny: BAN_MEMBERS },
    ])
      assert.equal(failure(await mod.put(path, sets)), '403 MISSING_PERMISSIONS')
    await ada.put(path, { allow: BAN_MEMBERS, deny: 0 })
    assert.equal((await mod.put(path, { allow: BAN_MEMBERS, deny: SEND_MESSAGES })).status, 204)
    assert.equal(failure(await mod.put(path, { allow: 0, deny: SEND_MESSAGES })), '403 MISSING_PERMISSIONS')
    assert.equal(failure(await mod.delete(path)), '403 MISSING_PERMISSIONS')
    assert.equal((await mod.put('/feeds/1/permissions/role/1', { allow: 0, deny: SEND_MESSAGES })).status, 204)
    assert.equal((await mod.delete('/feeds/1/permissions/role/1')).status, 204)
  })

  it('that say nothing new, or are not there, change nothing', async () => {
    await using server = await startTestServer(engine)
    const { ada, bob } = await withFeed(server)
    await ada.put('/feeds/1/permissions/role/1', { allow: 1, deny: 2 })
    const gateway = await GatewayClient.connect(server, bob)
    assert.equal((await ada.put('/feeds/1/permissions/role/1', { allow: 1, deny: 2 })).status, 204)
    assert.equal((await ada.delete(`/feeds/1/permissions/user/${bob.userId}`)).status, 204)
    assert.equal((await ada.delete('/feeds/1/permissions/role/99')).status, 204)
    assert.equal((await ada.delete('/feeds/1/permissions/user/99')).status, 204)
    assert.deepEqual(await gateway.told(), [])
    const { entries } = (await ada.get('/audit-log?event_type=permission_override.*')).body
    assert.equal(entries.length, 1)
    assert.equal((await ada.put(`/feeds/1/permissions/user/${bob.userId}`, { allow: 0, deny: 0 })).status, 204)
    assert.equal((await ada.get('/feeds/1')).body.permission_overrides.length, 2)
  })

  it('are replaced, and listed once, roles before users, also after a restart', async () => {
    await using server = await startTestServer(engine)
    const { ada, mod, bob, modRole } = await withFeed(server)
    await ada.put(`/feeds/1/permissions/user/${bob.userId}`, { allow: 2, deny: 0 })
    await ada.put(`/feeds/1/permissions/member/${mod.userId}`, { allow: 2, deny: 0 })
    await ada.put(`/feeds/1/permissions/role/${modRole}`, { allow: 0, deny: 4 })
    await ada.put('/feeds/1/permissions/role/1', { allow: 0, deny: 4 })
    await ada.put(`/feeds/1/permissions/user/${bob.userId}`, { allow: 8, deny: 8 })
    const expected = [
      { target_type: 'role', target_id: 1, allow: 0, deny: 4 },
      { target_type: 'role', target_id: modRole, allow: 0, deny: 4 },
      { target_type: 'user', target_id: mod.userId, allow: 2, deny: 0 },
      { target_type: 'user', target_id: bob.userId, allow: 8, deny: 8 },
    ]
    assert.deepEqual((await ada.get('/server/layout')).body.feeds[0].permission_overrides, expected)
    await server.close()
    await using again = await startTestServer(engine, { env: { VOX_DATABASE_URL: server.databaseUrl } })
    const answer = await fetch(`${again.url}/api/v1/feeds/1`, { headers: { authorization: `Bearer ${ada.token}` } })
    assert.deepEqual(((await answer.json()) as { permission_overrides: object }).permission_overrides, expected)
  })

  it('hold in rooms as they do in feeds', async () => {
    await using server = await startTestServer(engine)
    const { ada, bob } = await withFeed(server)
    await ada.post('/rooms', { name: 'lounge', type: 'voice' })
    const gateway = await GatewayClient.connect(server, bob)
    assert.equal((await ada.put('/rooms/1/permissions/role/1', HIDE)).status, 204)
    assert.equal(failure(await bob.get('/rooms/1')), '404 SPACE_NOT_FOUND')
    assert.equal((await bob.get('/feeds/1')).status, 200)
    assert.equal((await ada.delete('/rooms/1/permissions/role/1')).status, 204)
    const target = { space_type: 'room', space_id: 1, target_type: 'role', target_id: 1 }
    assert.deepEqual(await gateway.told(), [
      ['permission_override_update', { ...target, allow: 0, deny: 1 }],
      ['room_delete', { room_id: 1 }],
      ['permission_override_delete', target],
      ['room_create', { room_id: 1, name: 'lounge', type: 'voice', position: 1, permission_overrides: [] }],
    ])
  })

  it('of somebody who left still hold when they come back', async () => {
    await using server = await startTestServer(engine)
    const { ada, bob } = await withFeed(server)
    await bob.delete('/members/@me')
    assert.equal((await ada.put(`/feeds/1/permissions/user/${bob.userId}`, HIDE)).status, 204)
    const { body: invite } = await ada.post('/invites', {})
    assert.equal((await bob.post('/members/join', { invite_code: invite.code })).status, 204)
    assert.equal(failure(await bob.get('/feeds/1')), '404 SPACE_NOT_FOUND')
  })

  it('need the right to manage roles when a space begins with them', async () => {
    await using server = await startTestServer(engine)
    const { ada, mod, bob } = await withFeed(server)
    await grant(ada, bob, ['MANAGE_SPACES'], 20)
    await grant(ada, mod, ['MANAGE_SPACES'], 10)
    const create = (permission_overrides: object[]) => ({ name: 'x', type: 'text', permission_overrides })
    const hidden = { target_type: 'role', target_id: 1, ...HIDE }
    const admins = { ...hidden, target_id: 2 }
    const banning = { ...hidden, allow: Permission.BAN_MEMBERS }
    assert.equal((await bob.post('/feeds', create([]))).status, 201)
    assert.equal(failure(await bob.post('/feeds', create([hidden]))), '403 MISSING_PERMISSIONS')
    for (const [path, type] of [
      ['/feeds', 'text'],
      ['/rooms', 'voice'],
    ] as const) {
      assert.equal(failure(await mod.post(path, { ...create([hidden, admins]), type })), '403 ROLE_HIERARCHY')
      const nobody = { ...hidden, target_type: 'user', target_id: 99 }
      assert.equal(failure(await ada.post(path, { ...create([nobody]), type })), '404 USER_NOT_FOUND')
    }
    assert.equal(failure(await mod.post('/feeds', create([banning]))), '403 MISSING_PERMISSIONS')
    assert.equal((await mod.post('/feeds', create([hidden]))).status, 201)
  })

  it('are bounded in number: 100 to begin with, 500 in all', async () => {
    await using server = await startTestServer(engine)
    const [ada] = await registerAll(server, 'ada')
    const initial = (count: number) =>
      Array.from({ length: count }, (_, n) => ({ target_type: 'role', target_id: 10 + n, allow: 0, deny: 0 }))
    const numbers = 'with recursive n(i) as (select 10 union all select i + 1 from n where i < 510)'
    await createFeed(ada)
    await ada.post('/rooms', { name: 'room', type: 'voice' })
    await server.close()
    await runSql(
      server.databaseUrl,
      `insert into roles (role_id, name, position, permissions) ${numbers} select i, 'r', 5, 0 from n`,
      `insert into permission_overrides (feed_id, role_id, allow, deny) ${numbers} select 1, i, 0, 0 from n where i < 510`,
      `insert into permission_overrides (room_id, role_id, allow, deny) ${numbers} select 1, i, 0, 0 from n where i < 510`,
    )
    await using full = await startTestServer(engine, { env: { VOX_DATABASE_URL: server.databaseUrl } })
    const put = (path: string, body: object) =>
      fetch(`${full.url}/api/v1${path}`, {
        method: path === '/feeds' ? 'POST' : 'PUT',
        headers: { authorization: `Bearer ${ada.token}`, 'content-type': 'application/json' },
        body: JSON.stringify(body),
      }).then(({ status }) => status)
    for (const space of ['/feeds/1', '/rooms/1']) {
      assert.equal(await put(`${space}/permissions/role/510`, { allow: 1, deny: 0 }), 400)
      assert.equal(await put(`${space}/permissions/role/11`, { allow: 1, deny: 0 }), 204)
    }
    const feed = { name: 'x', type: 'text' }
    assert.equal(await put('/feeds', { ...feed, permission_overrides: initial(101) }), 422)
    assert.equal(await put('/feeds', { ...feed, permission_overrides: initial(100) }), 201)
  })
})
