import assert from 'node:assert/strict'
import { it } from 'node:test'
import { Permission } from '@vox/protocol'
import { grant, registerAll } from '../support/community.ts'
import { forEachEngine } from '../support/engines.ts'
import { connectAll, GatewayClient } from '../support/gateway-client.ts'
import { Client, failure, startTestServer, type TestServer } from '../support/server.ts'
import { runSql } from '../support/sql.ts'

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

  it('are listed in pages, each role once', async () => {
    await using server = await startTestServer(engine)
    const [ada, bob] = await registerAll(server, 'ada', 'bob')
    for (let i = 0; i < 3; i++) await createRole(ada, {})
    const pages: number[][] = []
    for (let cursor: string | null = '0'; cursor !== null; ) {
      const { body } = await bob.get(`/roles?limit=2&cursor=${cursor}`)
      pages.push(body.items.map(({ role_id }: { role_id: number }) => role_id))
      cursor = body.cursor
    }
    assert.deepEqual(pages, [[1, 2], [3, 4], [5], []])
    assert.equal((await bob.get('/roles?limit=300')).body.items.length, 5)
    for (const query of ['limit=0', 'limit=1001', 'after=x'])
      assert.equal(failure(await bob.get(`/roles?${query}`)), '422 VALIDATION_ERROR')
  })

  it('begin below all others, with nothing, unless something is said', async () => {
    await using server = await startTestServer(engine)
    const [ada] = await registerAll(server, 'ada')
    const { status, body } = await ada.post('/roles', { name: 'plain' })
    assert.equal(status, 201)
    assert.deepEqual(body, {
      role_id: 3,
      name: 'plain',
      color: null,
      permissions: 0,
      position: 2,
      hoist: false,
      mentionable: false,
    })
    const full = { color: 5, permissions: 8, position: 0, hoist: true, mentionable: true }
    const { body: custom } = await ada.post('/roles', { name: '@everyone', ...full })
    assert.deepEqual(custom, { role_id: 4, name: '@everyone', ...full })
    const last = await createRole(ada, { position: 2 ** 31 - 1 })
    assert.equal((await ada.post('/roles', { name: 'x' })).body.position, 2 ** 31 - 1)
    assert.equal((await ada.delete(`/roles/${last}`)).status, 204)
  })

  it('named @everyone or at position 0 are ordinary roles', async () => {
    await using server = await startTestServer(engine)
    const [ada, bob] = await registerAll(server, 'ada', 'bob')
    const role = await createRole(ada, { name: '@everyone', position: 0, permissions: Permission.BAN_MEMBERS })
    assert.equal((await ada.put(`/members/${bob.userId}/roles/${role}`)).status, 204)
    assert.equal((await bob.get('/bans')).status, 200)
    assert.equal((await ada.patch(`/roles/${role}`, { name: 'x', position: 3 })).status, 200)
    assert.equal((await ada.delete(`/roles/${role}`)).status, 204)
    assert.equal(failure(await bob.get('/bans')), '403 MISSING_PERMISSIONS')
  })

  it('change in what is given and keep the rest', async () => {
    await using server = await startTestServer(engine)
    const [ada] = await registerAll(server, 'ada')
    const role = await createRole(ada, { name: 'a', color: 7, permissions: 3, position: 4 })
    const gateway = await GatewayClient.connect(server, ada)
    const { body } = await ada.patch(`/roles/${role}`, { hoist: true, color: null, position: 9 })
    const expected = {
      role_id: role,
      name: 'a',
      color: 7,
      permissions: 3,
      position: 9,
      hoist: true,
      mentionable: false,
    }
    assert.deepEqual(body, expected)
    assert.deepEqual((await ada.patch(`/roles/${role}`, {})).body, expected)
    assert.deepEqual(await gateway.told(), [['role_update', { role_id: role, hoist: true, position: 9 }]])
    const { entries } = (await ada.get('/audit-log?event_type=role.update')).body
    assert.deepEqual(
      entries.map(({ target_id, metadata }: { target_id: number; metadata: object }) => [target_id, metadata]),
      [[role, { hoist: true, position: 9 }]],
    )
    for (const patch of [
      { name: '' },
      { name: '\u200b' },
      { name: 'x'.repeat(65) },
      { color: '#12345' },
      { position: 0.5 },
    ])
      assert.equal(failure(await ada.patch(`/roles/${role}`, patch)), '422 VALIDATION_ERROR')
  })

  it('answer a missing permission before a malformed request, and that before an unknown role', async () => {
    await using server = await startTestServer(engine)
    const [ada, bob] = await registerAll(server, 'ada', 'bob')
    assert.equal(failure(await bob.patch('/roles/99', { name: 5 })), '403 MISSING_PERMISSIONS')
    assert.equal(failure(await ada.patch('/roles/99', { name: 5 })), '422 VALIDATION_ERROR')
    assert.equal(failure(await bob.put('/members/99/roles/99')), '403 MISSING_PERMISSIONS')
    assert.equal(failure(await ada.put('/members/abc/roles/99')), '422 VALIDATION_ERROR')
    assert.equal(failure(await ada.put('/members/99/roles/99')), '404 SPACE_NOT_FOUND')
    assert.equal(failure(await ada.delete('/members/99/roles/2')), '404 USER_NOT_FOUND')
    assert.equal((await ada.put('/members/@me/roles/2')).status, 204)
  })

  it('list their members, without those who left', async () => {
    await using server = await startTestServer(engine)
    const [ada, bob, cid, dan] = await registerAll(server, 'ada', 'bob', 'cid', 'dan')
    const role = await createRole(ada, {})
    for (const { userId } of [dan, bob, cid]) await ada.put(`/members/${userId}/roles/${role}`)
    await cid.delete('/members/@me')
    const page = async (query: string) => {
      const { body } = await bob.get(`/roles/${role}/members?${query}`)
      return [body.items.map(({ user_id }: { user_id: number }) => user_id), body.cursor]
    }
    assert.deepEqual(await page(''), [[bob.userId, dan.userId], String(dan.userId)])
    assert.deepEqual(await page('limit=1'), [[bob.userId], String(bob.userId)])
    assert.deepEqual(await page(`limit=1&cursor=${bob.userId}`), [[dan.userId], String(dan.userId)])
    assert.deepEqual(await page(`after=${dan.userId}`), [[], null])
    const [member] = (await bob.get(`/roles/${role}/members`)).body.items
    assert.deepEqual(member, (await bob.get(`/members/${bob.userId}`)).body)
    assert.equal(failure(await ada.put(`/members/${cid.userId}/roles/${role}`)), '404 USER_NOT_FOUND')
    assert.equal((await ada.delete(`/members/${cid.userId}/roles/${role}`)).status, 204)
  })

  it('are out of reach for whoever has none, whatever @everyone may do', async () => {
    await using server = await startTestServer(engine)
    const [ada, bob] = await registerAll(server, 'ada', 'bob')
    const low = await createRole(ada, { position: 1000 })
    await ada.patch('/roles/1', { permissions: MANAGE_ROLES })
    for (const answer of [
      await bob.post('/roles', { name: 'x' }),
      await bob.post('/roles', { name: 'x', position: 0 }),
      await bob.patch(`/roles/${low}`, { name: 'x' }),
      await bob.put(`/members/@me/roles/${low}`),
      await bob.patch('/roles/1', { permissions: 0 }),
    ])
      assert.equal(failure(answer), '403 ROLE_HIERARCHY')
  })

  it('may be given to somebody above, who stays above', async () => {
    await using server = await startTestServer(engine)
    const [ada, mod] = await registerAll(server, 'ada', 'mod')
    await grant(ada, mod, ['MANAGE_ROLES'])
    const low = await createRole(mod, {})
    assert.equal((await mod.put(`/members/${ada.userId}/roles/${low}`)).status, 204)
    assert.equal((await mod.delete(`/members/${ada.userId}/roles/${low}`)).status, 204)
  })

  it('go with their assignments and overrides, in one event for everybody', async () => {
    await using server = await startTestServer(engine)
    const [ada, bob, cid] = await registerAll(server, 'ada', 'bob', 'cid')
    const role = await createRole(ada, { name: 'Gone' })
    await ada.put(`/members/${bob.userId}/roles/${role}`)
    await ada.post('/feeds', { name: 'f', type: 'text' })
    await ada.put(`/feeds/1/permissions/role/${role}`, { allow: 2, deny: 0 })
    const sessions = await connectAll(server, ada, bob, cid)
    assert.equal((await ada.delete(`/roles/${role}`)).status, 204)
    for (const session of sessions) assert.deepEqual(await session.told(), [['role_delete', { role_id: role }]])
    assert.deepEqual((await ada.get('/feeds/1')).body.permission_overrides, [])
    assert.deepEqual((await bob.get('/users/@me')).body.roles, [])
    const { entries } = (await ada.get('/audit-log?event_type=role.delete')).body
    assert.deepEqual([entries[0].target_id, entries[0].metadata], [role, { name: 'Gone' }])
  })

  it('are bounded in number', async () => {
    await using server = await startTestServer(engine)
    const [ada] = await registerAll(server, 'ada')
    const fill = `with recursive n(i) as (select 1 union all select i + 1 from n where i < 498)
      select 'r', 5, 0 from n`
    await server.close()
    await runSql(server.databaseUrl, `insert into roles (name, position, permissions) ${fill}`)
    await using full = await startTestServer(engine, { env: { VOX_DATABASE_URL: server.databaseUrl } })
    const again = new Client(full.url, ada.token)
    assert.equal(failure(await again.post('/roles', { name: 'x' })), '400 INVALID_OPERATION')
    assert.equal((await again.delete('/roles/3')).status, 204)
    assert.equal((await again.post('/roles', { name: 'x' })).status, 201)
  })

  it('that two change at once end up with both changes, and each answer is true of its moment', async () => {
    await using server = await startTestServer(engine)
    const [ada, bob] = await registerAll(server, 'ada', 'bob')
    await ada.put(`/members/${bob.userId}/roles/2`)
    const role = await createRole(ada, { name: 'a' })
    const gateway = await GatewayClient.connect(server, ada)
    const answers = await Promise.all([
      ada.patch(`/roles/${role}`, { name: 'b' }),
      bob.patch(`/roles/${role}`, { color: 1 }),
      bob.patch(`/roles/${role}`, { name: 'c' }),
    ])
    assert.deepEqual(
      answers.map(({ status }) => status),
      [200, 200, 200],
    )
    const [final] = (await ada.get(`/roles?after=${role - 1}&limit=1`)).body.items
    const events = (await gateway.told()).map(([, data]) => data as { name?: string; color?: number })
    assert.equal(final.name, events.findLast(({ name }) => name !== undefined)?.name)
    assert.equal(final.color, 1)
    // Replaying the events in their order, every answer is the state after its own one.
    const states = events.map((_, n) => Object.assign({ color: null }, ...events.slice(0, n + 1)))
    for (const { body } of answers)
      assert.ok(states.some(({ name = 'a', color }) => name === body.name && color === body.color))
  })

  it('let nobody act with a permission that was taken away a moment ago', async () => {
    await using server = await startTestServer(engine)
    const { ada, mod, modRole } = await staff(server)
    const [revoked, created] = await Promise.all([
      ada.delete(`/members/${mod.userId}/roles/${modRole}`),
      mod.post('/roles', { name: 'x', position: 50 }),
    ])
    assert.equal(revoked.status, 204)
    // Whichever came first: after the revocation nothing more is created.
    assert.ok([201, 403].includes(created.status))
    assert.equal(failure(await mod.post('/roles', { name: 'y', position: 50 })), '403 MISSING_PERMISSIONS')
  })
})
