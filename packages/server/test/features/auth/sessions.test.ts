import assert from 'node:assert/strict'
import { it } from 'node:test'
import { enableTotp, logIn, restarted, ticketFor } from '../../support/accounts.ts'
import { TestClock } from '../../support/clock.ts'
import { openTestDatabase } from '../../support/database.ts'
import { forEachEngine } from '../../support/engines.ts'
import { GatewayClient } from '../../support/gateway-client.ts'
import { Client, failure, startTestServer } from '../../support/server.ts'

const HOUR_MS = 3_600_000
const DAY_S = 86_400

forEachEngine('sessions', (engine) => {
  it('are listed newest first, without tickets, set-ups and what is over', async () => {
    const clock = new TestClock()
    await using server = await startTestServer(engine, { clock })
    const ada = await server.register('ada')
    await server.register('bob')
    clock.advance(1500)
    const second = new Client(server.url, (await logIn(server, 'ada')).body.token)
    const third = (await logIn(server, 'ada')).body.token
    assert.ok(third)
    await enableTotp(ada, clock)
    await ticketFor(server, 'ada')
    await ada.post('/auth/2fa/setup', { method: 'totp' })
    const { sessions } = (await second.get('/auth/sessions')).body
    const created = Math.floor(clock.now() / 1000)
    const dated = (session_id: number, created_at: number, current: boolean) => ({
      session_id,
      created_at,
      expires_at: created_at + 30 * DAY_S,
      current,
    })
    const [newest, , oldest] = sessions
    assert.deepEqual(sessions, [
      dated(newest.session_id, created, false),
      dated(newest.session_id - 1, created, true),
      dated(oldest.session_id, created - 1, false),
    ])
    clock.advance(30 * DAY_S * 1000 - 1500)
    const last = new Client(server.url, third)
    assert.equal((await last.get('/auth/sessions')).body.sessions.length, 2)
  })

  it('are ended by their owner: another one, and the own one', async () => {
    await using server = await startTestServer(engine)
    const ada = await server.register('ada')
    const bob = await server.register('bob')
    const other = new Client(server.url, (await logIn(server, 'ada')).body.token)
    const [{ session_id: otherId }, { session_id: ownId }] = (await ada.get('/auth/sessions')).body.sessions
    const revoke = (client: Client, id: unknown) => client.delete(`/auth/sessions/${id}`)
    const connection = await GatewayClient.connect(server, other)
    assert.equal(failure(await revoke(bob, otherId)), '404 SESSION_NOT_FOUND')
    assert.equal((await revoke(ada, otherId)).status, 204)
    assert.equal((await connection.lastWords()).code, 4004)
    assert.equal(failure(await other.get('/users/@me')), '401 AUTH_EXPIRED')
    assert.equal(failure(await revoke(ada, otherId)), '404 SESSION_NOT_FOUND')
    for (const id of ['abc', '-1', '1.5', '4294967296'])
      assert.equal(failure(await revoke(ada, id)), '422 VALIDATION_ERROR', id)
    assert.equal(failure(await revoke(ada, 4294967295)), '404 SESSION_NOT_FOUND')
    assert.equal((await revoke(ada, ownId)).status, 204)
    assert.equal(failure(await ada.get('/users/@me')), '401 AUTH_EXPIRED')
  })

  it('do not include tickets, which nobody can revoke', async () => {
    const clock = new TestClock()
    await using server = await startTestServer(engine, { clock })
    const ada = await server.register('ada')
    await enableTotp(ada, clock)
    const [{ session_id }] = (await ada.get('/auth/sessions')).body.sessions
    await ticketFor(server, 'ada')
    for (let id = session_id + 1; id < session_id + 5; id++)
      assert.equal(failure(await ada.delete(`/auth/sessions/${id}`)), '404 SESSION_NOT_FOUND')
  })

  it('end with a logout by either scheme, whatever body comes with it', async () => {
    await using server = await startTestServer(engine)
    const ada = await server.register('ada')
    const { token } = (await logIn(server, 'ada')).body
    const logout = (scheme: string, body?: unknown) =>
      server.visitor.post('/auth/logout', body, { authorization: `${scheme} ${token}` })
    assert.equal((await logout('Bot', { token: 'x' })).status, 204)
    assert.equal(failure(await logout('Bearer')), '401 AUTH_EXPIRED')
    assert.equal((await ada.post('/auth/logout')).status, 204)
    assert.equal(failure(await ada.post('/auth/logout')), '401 AUTH_EXPIRED')
  })

  it('are not written when they are used before half of their life, and prolonged after', async () => {
    const clock = new TestClock()
    await using server = await startTestServer(engine, { clock })
    const ada = await server.register('ada')
    const expiry = async (client: Client) => (await client.get('/auth/sessions')).body.sessions[0].expires_at
    const first = await expiry(ada)
    clock.advance(15 * DAY_S * 1000)
    assert.equal(await expiry(ada), first)
    clock.advance(DAY_S * 1000)
    const { socket } = await GatewayClient.connect(server, ada)
    await socket.close()
    assert.equal(await expiry(ada), clock.now() / 1000 + 30 * DAY_S)
  })
})

forEachEngine('the hourly clean-up', (engine) => {
  it('removes expired sessions, tickets, set-ups with what they prepared, challenges and old failures', async () => {
    const clock = new TestClock()
    await using server = await startTestServer(engine, { clock, env: { VOX_AUTH_SESSION_TTL_DAYS: '1' } })
    const ada = await server.register('ada')
    const bob = await server.register('bob')
    await enableTotp(ada, clock)
    await bob.post('/auth/2fa/setup', { method: 'totp' })
    const mfa_ticket = await ticketFor(server, 'ada')
    await server.visitor.post('/auth/login/2fa', { mfa_ticket, method: 'totp', code: '000000' })
    clock.advance(HOUR_MS)
    await server.close()
    const counts = async () => {
      await using database = await openTestDatabase(server.databaseUrl)
      const count = async (table: 'auth_sessions' | 'totp_secrets' | 'second_factor_failures') =>
        (await database.read.selectFrom(table).selectAll().execute()).length
      return [await count('auth_sessions'), await count('totp_secrets'), await count('second_factor_failures')]
    }
    assert.deepEqual(await counts(), [2, 1, 0], 'two sessions and one confirmed secret remain')
    await using later = await restarted(server, engine, { clock })
    clock.advance(24 * HOUR_MS)
    await later.close()
    assert.deepEqual(await counts(), [0, 1, 0])
  })
})
