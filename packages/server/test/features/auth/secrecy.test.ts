import assert from 'node:assert/strict'
import { it } from 'node:test'
import { stringifyJson } from '@vox/protocol'
import {
  addPasskey,
  challengeFor,
  enableTotp,
  logIn,
  PASSKEYS,
  ticketFor,
  totpCode,
  wrongCode,
} from '../../support/accounts.ts'
import { Authenticator, flat } from '../../support/authenticator.ts'
import { TestClock } from '../../support/clock.ts'
import { forEachEngine } from '../../support/engines.ts'
import { GatewayClient } from '../../support/gateway-client.ts'
import { keepingLog } from '../../support/log.ts'
import { Client, PASSWORD, startTestServer } from '../../support/server.ts'

const WRONG_PASSWORD = 'a wrong password'
const NEW_PASSWORD = 'a new password'

forEachEngine('the log', (engine) => {
  it('holds no password, token, ticket, code, secret or challenge, at whatever level', async () => {
    const clock = new TestClock()
    const { log, records } = keepingLog()
    log.level = 'trace'
    const secrets = new Set([PASSWORD, WRONG_PASSWORD, NEW_PASSWORD])
    const know = <T>(value: T): T => {
      collect(value, secrets)
      return value
    }
    {
      await using server = await startTestServer(engine, { clock, env: PASSKEYS, log })
      const ada = know(await server.register('ada'))
      await logIn(server, 'ada', WRONG_PASSWORD)
      await logIn(server, WRONG_PASSWORD)
      know((await logIn(server, 'ada')).body)

      const { secret, recoveryCodes } = know(await enableTotp(ada, clock))
      const { setup_id } = know((await ada.post('/auth/2fa/setup', { method: 'webauthn' })).body)
      await ada.post('/auth/2fa/setup/confirm', { setup_id: know(`${setup_id}x`), attestation: {} })
      const ticket = know(await ticketFor(server, 'ada'))
      const step = (method: string, code: string) =>
        server.visitor.post('/auth/login/2fa', { mfa_ticket: ticket, method, code: know(code) })
      await step('totp', wrongCode(secret, clock))
      await step('recovery', 'AAAA-AAAA')
      know((await step('totp', totpCode(secret, clock))).body)
      await step('recovery', recoveryCodes[0] ?? '')

      const key = new Authenticator()
      await addPasskey(ada, key)
      for (const deviations of [{}, { origin: 'https://evil.example' }]) {
        const request = know(await challengeFor(server, 'ada'))
        const login = know({ username: 'ada', ...flat(key.get(request, deviations)) })
        know((await server.visitor.post('/auth/login/webauthn', login)).body)
      }

      await server.visitor.post('/auth/login', { federation_token: know('fed_not_a_token_at_all') })
      await server.visitor.post('/auth/login', { bot_token: ada.token })
      await new Client(server.url, know('vox_sess_not_a_token_at_all')).get('/users/@me')
      await server.visitor.raw('POST', '/api/v1/auth/login', `{"password": "${WRONG_PASSWORD}"`, {
        'content-type': 'application/json',
      })
      await ada.put('/auth/password', { current_password: WRONG_PASSWORD, new_password: NEW_PASSWORD })
      const { socket } = await GatewayClient.connect(server, ada)
      await socket.close()
      await ada.delete('/auth/2fa', { method: 'totp', code: know(totpCode(secret, clock, 1)) })
      await ada.post('/auth/logout')
    }
    assert.ok(records.filter(({ message }) => message === 'login failed').length >= 6)
    assert.ok(records.some(({ level }) => level === 'debug'))
    // Random request ids could hold the six digits of a code by chance.
    const text = stringifyJson(records.map(({ request: _, timestamp: __, ...record }) => record))
    for (const known of secrets) assert.ok(!text.includes(known), known)
  })

  it('names the address and, if there is one, the account of a failed login', async () => {
    const { log, records } = keepingLog()
    await using server = await startTestServer(engine, { log })
    const ada = await server.register('ada')
    await logIn(server, 'nobody')
    await logIn(server, 'ada', WRONG_PASSWORD)
    await server.visitor.post(
      '/auth/login',
      { username: 'ada', password: WRONG_PASSWORD },
      { 'x-forwarded-for': '192.0.2.7' },
    )
    const failed = records.filter(({ message }) => message === 'login failed')
    assert.deepEqual(
      failed.map(({ timestamp: _, ...record }) => record),
      [
        { address: '127.0.0.1' },
        { address: '127.0.0.1', user_id: ada.userId },
        { address: '192.0.2.7', user_id: ada.userId },
      ].map((who) => ({ level: 'info', logger: 'auth', code: 'AUTH_FAILED', ...who, message: 'login failed' })),
    )
  })
})

/** Tokens and the like, codes of six digits, recovery codes; not addresses. */
const SECRET = /^(?!http)(?:\S{16,}|[0-9]{6}|[A-Z0-9]{4}-[A-Z0-9]{4})$/

/** Adds every secret in a value. */
function collect(value: unknown, secrets: Set<string>): void {
  if (typeof value === 'string' && SECRET.test(value)) secrets.add(value)
  else if (typeof value === 'object' && value !== null) for (const part of Object.values(value)) collect(part, secrets)
}
