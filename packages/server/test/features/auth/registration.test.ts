import assert from 'node:assert/strict'
import { it } from 'node:test'
import { restarted } from '../../support/accounts.ts'
import { TestClock } from '../../support/clock.ts'
import { type Engine, forEachEngine } from '../../support/engines.ts'
import { GatewayClient } from '../../support/gateway-client.ts'
import { Client, failure, PASSWORD, startTestServer, type TestServer } from '../../support/server.ts'

const register = ({ visitor }: TestServer, username: string, rest: object = {}) =>
  visitor.post('/auth/register', { username, password: PASSWORD, ...rest })

forEachEngine('registration', (engine) => {
  it('takes exactly what the limits say, counted in code points', async () => {
    await using server = await startTestServer(engine)
    const attempt = async (username: string, password: string, display_name?: string) =>
      (await register(server, username, { password, display_name })).status
    assert.equal(await attempt('x'.repeat(32), 'x'.repeat(8), 'x'.repeat(64)), 201)
    assert.equal(await attempt('🐟'.repeat(32), '🐟'.repeat(128), '🐟'.repeat(64)), 201)
    assert.equal(await attempt('🐟'.repeat(33), 'x'.repeat(8)), 422)
    assert.equal(await attempt('a', '🐟'.repeat(7)), 422)
    assert.equal(await attempt('a', '🐟'.repeat(129)), 422)
    assert.equal(await attempt('a', 'x'.repeat(8), '🐟'.repeat(65)), 422)
  })

  it('looks at the rules before the name', async () => {
    await using server = await startTestServer(engine)
    await register(server, 'ada')
    assert.equal(failure(await register(server, 'ada', { password: 'short' })), '422 VALIDATION_ERROR')
    assert.equal(failure(await register(server, 'ada')), '409 AUTH_FAILED')
  })

  it('tells every member of the new one, once, and nobody of a refused one', async () => {
    await using server = await startTestServer(engine)
    const ada = await server.register('ada')
    const connection = await GatewayClient.connect(server, ada)
    const { body } = await register(server, 'bob', { display_name: 'Bob' })
    await register(server, 'bob')
    await register(server, 'cid', { password: 'short' })
    const joined = ['member_join', { user_id: body.user_id, username: 'bob', display_name: 'Bob' }]
    assert.deepEqual(await connection.told(), [joined])
    await connection.socket.close()
  })

  it('gives no role beside custom ones of position 0', async () => {
    await using prepared = await startTestServer(engine)
    await prepared.register('ada')
    const role = "insert into roles (name, position, permissions) values ('first', 0, 0)"
    await using server = await restarted(prepared, engine, {}, role)
    const bob = await server.register('bob')
    assert.deepEqual((await bob.get('/users/@me')).body.roles, [])
  })
})

/** A server in this mode on which `ada` is registered, with an invite of hers for one use within an hour. */
async function withInvite(engine: Engine, mode: string) {
  const clock = new TestClock()
  const server = await startTestServer(engine, { clock, env: { VOX_AUTH_REGISTRATION: mode } })
  const ada = await server.register('ada')
  const invite = await ada.post('/invites', { max_uses: 1, max_age: 3600 })
  assert.equal(invite.status, 201)
  const code: string = invite.body.code
  const uses = async () => (await ada.get('/invites')).body.items[0].uses
  return { clock, server, ada, code, uses }
}

forEachEngine('registration modes', (engine) => {
  it('closed lets in the founder alone, and tells nothing of names', async () => {
    await using server = await startTestServer(engine, { env: { VOX_AUTH_REGISTRATION: 'closed' } })
    await server.register('ada')
    for (const name of ['ada', 'bob']) {
      assert.equal(failure(await register(server, name)), '403 FORBIDDEN')
      assert.equal(failure(await register(server, name, { invite_code: 'x' })), '403 FORBIDDEN')
    }
    assert.equal(failure(await register(server, 'bob', { password: 'short' })), '422 VALIDATION_ERROR')
  })

  it('open ignores an invite, whatever it is', async () => {
    const { server, code, uses } = await withInvite(engine, 'open')
    await using _ = server
    for (const [index, invite_code] of [code, 'unknown', 5, null, [], ''].entries())
      assert.equal((await register(server, `user${index}`, { invite_code })).status, 201)
    assert.equal(await uses(), 0)
  })

  it('invite takes one that is good, and counts it', async () => {
    const { server, code, uses } = await withInvite(engine, 'invite')
    await using _ = server
    for (const invite_code of [undefined, null, '', 5])
      assert.equal(failure(await register(server, 'bob', { invite_code })), '403 FORBIDDEN')
    assert.equal(failure(await register(server, 'bob', { invite_code: 'unknown' })), '422 INVITE_INVALID')
    assert.equal(failure(await register(server, 'ada', { invite_code: code })), '409 AUTH_FAILED')
    assert.equal(await uses(), 0, 'a taken name costs no use')
    const { status, body } = await register(server, 'bob', { invite_code: code })
    assert.equal(status, 201)
    assert.equal((await new Client(server.url, body.token).get('/users/@me')).status, 200)
    assert.equal(await uses(), 1)
    assert.equal(failure(await register(server, 'cid', { invite_code: code })), '422 INVITE_INVALID')
  })

  it('invite lets one in of those who come at once with the last use', async () => {
    const { server, code } = await withInvite(engine, 'invite')
    await using _ = server
    const answers = await Promise.all(['b', 'c', 'd', 'e'].map((name) => register(server, name, { invite_code: code })))
    assert.deepEqual(answers.map(({ status }) => status).sort(), [201, 422, 422, 422])
  })

  it('invite refuses one that is over', async () => {
    const { clock, server, code } = await withInvite(engine, 'invite')
    await using _ = server
    clock.advance(3_600_000)
    assert.equal(failure(await register(server, 'bob', { invite_code: code })), '410 INVITE_EXPIRED')
  })
})
