import assert from 'node:assert/strict'
import { it } from 'node:test'
import { Permission } from '@vox/protocol'
import { forEachEngine } from '../support/engines.ts'
import { connectAll, GatewayClient } from '../support/gateway-client.ts'
import { type Client, failure, startTestServer, type TestServer } from '../support/server.ts'

const { MANAGE_ROLES, MANAGE_MESSAGES, ADMINISTRATOR, VIEW_SPACE } = Permission
const EVERYTHING = 9223372036854775807n

async function createRole(admin: Client, role: object): Promise<number> {
  const { status, body } = await admin.post('/roles', { name: 'role', ...role })
  assert.equal(
    status,
    201,
    JSON.stringify(body, (_, v) => (typeof v === 'bigint' ? `${v}` : v)),
  )
  return body.role_id
}

/** An administrator, a moderator at rank 10 who may manage roles, and a plain member. */
async function staff(server: TestServer) {
  const ada = await server.register('ada')
  const mod = await server.register('mod')
  const bob = await server.register('bob')
  const modRole = await createRole(ada, { name: 'Mod', position: 10, permissions: MANAGE_ROLES | MANAGE_MESSAGES })
  assert.equal((await ada.put(`/members/${mod.userId}/roles/${modRole}`)).status, 204)
  return { ada, mod, bob, modRole }
}

forEachEngine('roles', (engine) => {
  it('keep every digit, in answers, lists, events and the audit log', async () => {
    await using server = await startTestServer(engine)
    const ada = await server.register('ada')
    const bob = await server.register('bob')
    const gateway = await GatewayClient.connect(server, bob)
    const roleId = await createRole(ada, {
      name: 'Top',
      permissions: String(EVERYTHING),
      position: 5,
      color: '#ff8000',
    })
    const role = { role_id: roleId, name: 'Top', color: 0xff8000, permissions: EVERYTHING, position: 5 }
    const { body } = await bob.get('/roles')
    assert.deepEqual(body.items.at(-1), { ...role, hoist: false, mentionable: false })
    assert.deepEqual(body.cursor, String(roleId))
    assert.deepEqual(await gateway.told(), [['role_create', role]])
    await ada.patch(`/roles/${roleId}`, { permissions: EVERYTHING - 1n })
    assert.deepEqual(await gateway.told(), [['role_update', { role_id: roleId, permissions: EVERYTHING - 1n }]])
    const log = await ada.get('/audit-log?event_type=role.update')
    assert.deepEqual(log.body.entries[0].metadata, { permissions: EVERYTHING - 1n })
  })

  it('refuse what is not a role', async () => {
    await using server = await startTestServer(engine)
    const ada = await server.register('ada')
    for (const role of [
      {},
      { name: '' },
      { name: 'x'.repeat(65) },
      { name: 'x', permissions: 2n ** 63n },
      { name: 'x', permissions: -1 },
      { name: 'x', color: 0x1000000 },
      { name: 'x', position: -1 },
    ])
      assert.equal(failure(await ada.post('/roles', role)), '422 VALIDATION_ERROR')
    for (const answer of [
      await ada.patch('/roles/99', { name: 'x' }),
      await ada.delete('/roles/99'),
      await ada.get('/roles/99/members'),
      await ada.put('/members/1/roles/99'),
    ])
      assert.equal(failure(answer), '404 SPACE_NOT_FOUND')
    assert.equal(failure(await ada.put('/members/99/roles/2')), '404 USER_NOT_FOUND')
  })

  it('are managed only below the caller', async () => {
    await using server = await startTestServer(engine)
    const { ada, mod, bob, modRole } = await staff(server)
    for (const position of [9, 10])
      assert.equal(failure(await mod.post('/roles', { name: 'x', position })), '403 ROLE_HIERARCHY')
    const low = await createRole(mod, { position: 11, permissions: MANAGE_MESSAGES })
    const { body } = await mod.post('/roles', { name: 'x', position: 0 })
    assert.equal(body.position, 11)
    for (const answer of [
      await mod.patch(`/roles/${modRole}`, { name: 'x' }),
      await mod.patch(`/roles/${low}`, { position: 10 }),
      await mod.delete('/roles/2'),
      await mod.put(`/members/${bob.userId}/roles/${modRole}`),
      await mod.delete(`/members/${ada.userId}/roles/2`),
    ])
      assert.equal(failure(answer), '403 ROLE_HIERARCHY')
    assert.equal((await mod.put(`/members/${bob.userId}/roles/${low}`)).status, 204)
    assert.equal(failure(await bob.post('/roles', { name: 'x' })), '403 MISSING_PERMISSIONS')
  })

  it('give nobody a bit that the giver does not hold', async () => {
    await using server = await startTestServer(engine)
    const { ada, mod, bob } = await staff(server)
    const powerful = await createRole(ada, { position: 20, permissions: ADMINISTRATOR })
    const low = await createRole(mod, { position: 11 })
    for (const answer of [
      await mod.post('/roles', { name: 'x', position: 30, permissions: Permission.BAN_MEMBERS }),
      await mod.patch(`/roles/${low}`, { permissions: Permission.BAN_MEMBERS }),
      await mod.put(`/members/${bob.userId}/roles/${powerful}`),
    ])
      assert.equal(failure(answer), '403 MISSING_PERMISSIONS')
  })

  it('leave @everyone in its place', async () => {
    await using server = await startTestServer(engine)
    const { ada, mod } = await staff(server)
    for (const answer of [
      await ada.patch('/roles/1', { name: 'x' }),
      await ada.patch('/roles/1', { position: 5 }),
      await ada.patch('/roles/1', { permissions: ADMINISTRATOR }),
      await ada.delete('/roles/1'),
      await ada.put('/members/1/roles/1'),
      await ada.delete('/members/1/roles/1'),
    ])
      assert.equal(failure(answer), '400 INVALID_TARGET')
    assert.equal((await ada.patch('/roles/1', { permissions: VIEW_SPACE, name: '@everyone' })).status, 200)
    assert.equal(failure(await mod.patch('/roles/1', { color: 1 })), '403 ROLE_HIERARCHY')
    assert.deepEqual((await ada.get('/roles/1/members')).body.items, [])
  })

  it('never leave the server without an administrator', async () => {
    await using server = await startTestServer(engine)
    const ada = await server.register('ada')
    const bob = await server.register('bob')
    const bereft = async (client: Client) => [
      failure(await client.patch('/roles/2', { permissions: 0 })),
      failure(await client.delete('/roles/2')),
      failure(await client.delete(`/members/${ada.userId}/roles/2`)),
    ]
    assert.deepEqual(await bereft(ada), Array(3).fill('400 INVALID_TARGET'))
    await ada.put(`/members/${bob.userId}/roles/2`)
    const answers = await Promise.all([
      ada.delete(`/members/${bob.userId}/roles/2`),
      bob.delete(`/members/${ada.userId}/roles/2`),
    ])
    assert.deepEqual(
      answers.map(({ status }) => status).filter((status) => status === 204),
      [204],
    )
  })

  it('are assigned once, and taken with one event', async () => {
    await using server = await startTestServer(engine)
    const { ada, bob } = await staff(server)
    const role = await createRole(ada, { position: 20 })
    const gateway = await GatewayClient.connect(server, bob)
    for (let i = 0; i < 2; i++) assert.equal((await ada.put(`/members/${bob.userId}/roles/${role}`)).status, 204)
    const assigned = { role_id: role, user_id: bob.userId }
    assert.deepEqual(await gateway.told(), [['role_assign', assigned]])
    assert.deepEqual((await bob.get('/users/@me')).body.roles, [role])
    assert.deepEqual(
      (await ada.get(`/roles/${role}/members`)).body.items.map(({ user_id }: { user_id: number }) => user_id),
      [bob.userId],
    )
    for (let i = 0; i < 2; i++) assert.equal((await ada.delete(`/members/${bob.userId}/roles/${role}`)).status, 204)
    assert.deepEqual(await gateway.told(), [['role_revoke', assigned]])
    const { body } = await ada.get('/audit-log?event_type=role.*')
    assert.deepEqual(body.entries.map(({ event_type }: { event_type: string }) => event_type).slice(-2), [
      'role.assign',
      'role.revoke',
    ])
  })

  it('delete once when two delete at the same instant', async () => {
    await using server = await startTestServer(engine)
    const ada = await server.register('ada')
    const role = await createRole(ada, { position: 20 })
    const answers = await Promise.all([ada.delete(`/roles/${role}`), ada.delete(`/roles/${role}`)])
    assert.deepEqual(answers.map(({ status }) => status).sort(), [204, 404])
  })
})

forEachEngine('permission overrides', (engine) => {
  const hide = { allow: 0, deny: VIEW_SPACE }

  async function withFeed(server: TestServer) {
    const people = await staff(server)
    await people.ada.post('/feeds', { name: 'general', type: 'text' })
    return people
  }

  it('take a space away from those concerned, and from nobody else', async () => {
    await using server = await startTestServer(engine)
    const { ada, mod, bob } = await withFeed(server)
    const [bobs, mods] = await connectAll(server, bob, mod)
    assert.equal((await ada.put(`/feeds/1/permissions/user/${bob.userId}`, hide)).status, 204)
    const change = { space_type: 'feed', space_id: 1, target_type: 'user', target_id: bob.userId }
    const update = ['permission_override_update', { ...change, allow: 0, deny: 1 }]
    assert.deepEqual(await bobs?.told(), [update, ['feed_delete', { feed_id: 1 }]])
    assert.deepEqual(await mods?.told(), [update])
    assert.equal(failure(await bob.get('/feeds/1')), '404 SPACE_NOT_FOUND')

    assert.equal((await ada.delete(`/feeds/1/permissions/user/${bob.userId}`)).status, 204)
    const told = (await bobs?.told()) ?? []
    assert.deepEqual(
      told.map(([type]) => type),
      ['permission_override_delete', 'feed_create'],
    )
    assert.deepEqual(await mods?.told(), [['permission_override_delete', change]])
  })

  it('follow roles: whoever gets or loses one gains or loses sight', async () => {
    await using server = await startTestServer(engine)
    const { ada, bob } = await withFeed(server)
    const insider = await createRole(ada, { name: 'Insider', position: 20 })
    await ada.put('/feeds/1/permissions/role/1', hide)
    await ada.put(`/feeds/1/permissions/role/${insider}`, { allow: VIEW_SPACE, deny: 0 })
    const gateway = await GatewayClient.connect(server, bob)
    await ada.put(`/members/${bob.userId}/roles/${insider}`)
    await ada.delete(`/roles/${insider}`)
    assert.deepEqual(
      (await gateway.told()).map(([type]) => type),
      ['role_assign', 'feed_create', 'role_delete', 'feed_delete'],
    )
  })

  it('refuse what they cannot be about', async () => {
    await using server = await startTestServer(engine)
    const { ada, mod, bob, modRole } = await withFeed(server)
    for (const [client, path, expected] of [
      [ada, '/feeds/1/permissions/badtype/1', '400 INVALID_TARGET_TYPE'],
      [ada, '/feeds/99/permissions/role/1', '404 SPACE_NOT_FOUND'],
      [ada, '/feeds/1/permissions/role/99', '404 SPACE_NOT_FOUND'],
      [ada, '/feeds/1/permissions/user/99', '404 USER_NOT_FOUND'],
      [ada, '/feeds/1/permissions/user/abc', '422 VALIDATION_ERROR'],
      [bob, '/feeds/1/permissions/role/1', '403 MISSING_PERMISSIONS'],
      [mod, `/feeds/1/permissions/role/${modRole}`, '403 ROLE_HIERARCHY'],
      [mod, `/feeds/1/permissions/user/${mod.userId}`, '403 ROLE_HIERARCHY'],
    ] as const)
      assert.equal(failure(await client.put(path, hide)), expected, path)
    const banning = { allow: Permission.BAN_MEMBERS, deny: 0 }
    assert.equal(failure(await mod.put(`/feeds/1/permissions/user/${bob.userId}`, banning)), '403 MISSING_PERMISSIONS')
    assert.equal(failure(await ada.put('/feeds/1/permissions/role/1', { allow: 1 })), '422 VALIDATION_ERROR')
    assert.equal((await ada.delete('/feeds/1/permissions/role/99')).status, 204)
  })

  it('are replaced, and listed once, roles before users', async () => {
    await using server = await startTestServer(engine)
    const { ada, bob } = await withFeed(server)
    await ada.put(`/feeds/1/permissions/member/${bob.userId}`, { allow: 2, deny: 0 })
    await ada.put('/feeds/1/permissions/role/1', { allow: 0, deny: 4 })
    await ada.put(`/feeds/1/permissions/user/${bob.userId}`, { allow: 8, deny: 8 })
    assert.deepEqual((await ada.get('/feeds/1')).body.permission_overrides, [
      { target_type: 'role', target_id: 1, allow: 0, deny: 4 },
      { target_type: 'user', target_id: bob.userId, allow: 8, deny: 8 },
    ])
  })
})
