import assert from 'node:assert/strict'
import { it } from 'node:test'
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
import { Authenticator } from '../../support/authenticator.ts'
import { TestClock } from '../../support/clock.ts'
import { type Engine, forEachEngine } from '../../support/engines.ts'
import { connectAll } from '../../support/gateway-client.ts'
import { Client, failure, startTestServer } from '../../support/server.ts'
import { runSql } from '../../support/sql.ts'

/** Server, clock and a client of `ada` with TOTP and a passkey. */
async function withBoth(engine: Engine) {
  const clock = new TestClock()
  const server = await startTestServer(engine, { clock, env: PASSKEYS })
  const ada = await server.register('ada')
  const totp = await enableTotp(ada, clock)
  const key = new Authenticator()
  await addPasskey(ada, key)
  return { clock, server, ada, key, ...totp }
}

const status = async (client: Client) => (await client.get('/auth/2fa')).body

forEachEngine('removing a second factor', (engine) => {
  it('takes a code of TOTP, once; recovery codes go with the last factor', async () => {
    const clock = new TestClock()
    await using server = await startTestServer(engine, { clock })
    const ada = await server.register('ada')
    const { secret } = await enableTotp(ada, clock)
    const remove = (code: string) => ada.delete('/auth/2fa', { method: 'totp', code })
    assert.equal(failure(await remove(wrongCode(secret, clock))), '401 2FA_INVALID_CODE')
    const code = totpCode(secret, clock)
    await server.visitor.post('/auth/login/2fa', { mfa_ticket: await ticketFor(server, 'ada'), method: 'totp', code })
    assert.equal(failure(await remove(code)), '401 2FA_INVALID_CODE', 'used for a login already')
    const removed = await remove(totpCode(secret, clock, 1))
    assert.deepEqual([removed.status, removed.body], [200, { success: true }])
    assert.deepEqual(await status(ada), { totp_enabled: false, webauthn_enabled: false, recovery_codes_left: 0 })
    assert.equal((await logIn(server, 'ada')).status, 200)
    assert.equal(failure(await remove(code)), '422 2FA_NOT_ENABLED')
  })

  it('takes the code that confirmed the set-up', async () => {
    const clock = new TestClock()
    await using server = await startTestServer(engine, { clock })
    const ada = await server.register('ada')
    const { secret } = await enableTotp(ada, clock)
    assert.equal((await ada.delete('/auth/2fa', { method: 'totp', code: totpCode(secret, clock) })).status, 200)
  })

  it('takes a recovery code for either, and spends it', async () => {
    const { server, ada, recoveryCodes } = await withBoth(engine)
    await using _ = server
    const [first, second] = recoveryCodes
    assert.equal((await ada.delete('/auth/2fa', { method: 'webauthn', code: first })).status, 200)
    assert.deepEqual(await status(ada), { totp_enabled: true, webauthn_enabled: false, recovery_codes_left: 7 })
    assert.equal(failure(await ada.delete('/auth/2fa', { method: 'totp', code: first })), '401 2FA_INVALID_CODE')
    assert.equal((await ada.delete('/auth/2fa', { method: 'totp', code: second })).status, 200)
    assert.deepEqual(await status(ada), { totp_enabled: false, webauthn_enabled: false, recovery_codes_left: 0 })
  })

  it('takes a passkey for the passkeys, and no code of TOTP', async () => {
    const { clock, server, ada, key, secret, recoveryCodes } = await withBoth(engine)
    await using _ = server
    await addPasskey(ada, new Authenticator())
    const remove = async (body: object) => ada.delete('/auth/2fa', { method: 'webauthn', ...body })
    assert.equal(failure(await remove({ code: totpCode(secret, clock) })), '401 2FA_INVALID_CODE')
    const spoilt = key.get(await challengeFor(server, 'ada'), { origin: 'https://evil.example' })
    assert.equal(failure(await remove({ assertion: spoilt, code: recoveryCodes[0] })), '401 2FA_INVALID_CODE')
    assert.equal((await status(ada)).recovery_codes_left, 8, 'the assertion alone decides')
    const assertion = key.get(await challengeFor(server, 'ada'))
    assert.equal((await remove({ assertion })).status, 200)
    assert.deepEqual((await ada.get('/auth/webauthn/credentials')).body, [], 'all of them')
    assert.deepEqual(await status(ada), { totp_enabled: true, webauthn_enabled: false, recovery_codes_left: 8 })
  })

  it('does not take the passkey of somebody else', async () => {
    const { server, ada } = await withBoth(engine)
    await using _ = server
    const bobsKey = new Authenticator()
    await addPasskey(await server.register('bob'), bobsKey)
    for (const name of ['bob', 'ada']) {
      const assertion = bobsKey.get(await challengeFor(server, name))
      assert.equal(failure(await ada.delete('/auth/2fa', { method: 'webauthn', assertion })), '401 2FA_INVALID_CODE')
    }
  })

  it('looks at the method first, then at the state, then at the proof', async () => {
    const { server, ada, recoveryCodes } = await withBoth(engine)
    await using _ = server
    const bob = await server.register('bob')
    const [code] = recoveryCodes
    assert.equal(failure(await ada.delete('/auth/2fa', { method: 'sms', code })), '400 INVALID_METHOD')
    assert.equal((await status(ada)).recovery_codes_left, 8)
    assert.equal(failure(await ada.delete('/auth/2fa', {})), '422 VALIDATION_ERROR')
    assert.equal(failure(await ada.delete('/auth/2fa')), '422 VALIDATION_ERROR')
    for (const method of ['totp', 'webauthn']) {
      assert.equal(failure(await bob.delete('/auth/2fa', { method, code })), '422 2FA_NOT_ENABLED')
      for (const proof of [{}, { code: '' }, { code: null }, { assertion: {} }, { assertion: null }])
        for (let i = 0; i < 2; i++)
          assert.equal(failure(await ada.delete('/auth/2fa', { method, ...proof })), '401 2FA_INVALID_CODE')
    }
    assert.equal((await ada.delete('/auth/2fa', { method: 'totp', code })).status, 200, 'and nothing was counted')
  })

  it('does not count a pending set-up as enabled', async () => {
    await using server = await startTestServer(engine)
    const ada = await server.register('ada')
    await ada.post('/auth/2fa/setup', { method: 'totp' })
    assert.equal((await status(ada)).totp_enabled, false)
    assert.equal(failure(await ada.delete('/auth/2fa', { method: 'totp', code: '123456' })), '422 2FA_NOT_ENABLED')
  })

  it('ends the other sessions with their gateway connections, and voids the tickets', async () => {
    const clock = new TestClock()
    await using server = await startTestServer(engine, { clock })
    const ada = await server.register('ada')
    const other = new Client(server.url, (await logIn(server, 'ada')).body.token)
    const { secret } = await enableTotp(ada, clock)
    const ticket = await ticketFor(server, 'ada')
    const [mine, theirs] = await connectAll(server, ada, other)
    await ada.delete('/auth/2fa', { method: 'totp', code: totpCode(secret, clock) })
    assert.equal((await theirs?.lastWords())?.code, 4004)
    assert.equal(failure(await other.get('/users/@me')), '401 AUTH_EXPIRED')
    assert.deepEqual(await mine?.told(), [])
    await mine?.socket.close()
    assert.equal((await ada.get('/users/@me')).status, 200)
    const step = { mfa_ticket: ticket, method: 'totp', code: totpCode(secret, clock, 1) }
    assert.equal(failure(await server.visitor.post('/auth/login/2fa', step)), '401 2FA_INVALID_CODE')
  })
})

forEachEngine('recovery codes', (engine) => {
  it('are made with the first factor, stay with the second, and are made anew once all are spent', async () => {
    const clock = new TestClock()
    await using server = await startTestServer(engine, { clock, env: PASSKEYS })
    const ada = await server.register('ada')
    assert.equal((await enableTotp(ada, clock)).recoveryCodes.length, 8)
    assert.deepEqual((await addPasskey(ada, new Authenticator())).body, { success: true, recovery_codes: [] })
    await runSql(server.databaseUrl, 'update recovery_codes set used = true')
    assert.equal((await addPasskey(ada, new Authenticator())).body.recovery_codes.length, 8)
    assert.equal((await status(ada)).recovery_codes_left, 8)
  })

  it('are replaced for a code of TOTP or a passkey, and for nothing else', async () => {
    const { clock, server, ada, key, secret, recoveryCodes } = await withBoth(engine)
    await using _ = server
    const renew = (body: object) => ada.post('/auth/2fa/recovery-codes', body)
    const assertion = key.get(await challengeFor(server, 'ada'))
    for (const [body, expected] of [
      [{ method: 'sms', code: '123456' }, '400 INVALID_METHOD'],
      [{ method: 'recovery', code: recoveryCodes[0] }, '400 INVALID_METHOD'],
      [{ method: 'totp', code: recoveryCodes[0] }, '401 2FA_INVALID_CODE'],
      [{ method: 'totp' }, '401 2FA_INVALID_CODE'],
      [{ method: 'totp', assertion }, '401 2FA_INVALID_CODE'],
      [{ method: 'webauthn', code: totpCode(secret, clock) }, '401 2FA_INVALID_CODE'],
      [{ code: totpCode(secret, clock) }, '422 VALIDATION_ERROR'],
    ] as const)
      assert.equal(failure(await renew(body)), expected, JSON.stringify(body))
    assert.equal((await status(ada)).recovery_codes_left, 8)

    const code = totpCode(secret, clock)
    const renewed = await renew({ method: 'totp', code })
    assert.equal(renewed.status, 200)
    assert.equal(renewed.headers.get('cache-control'), 'no-store')
    assert.equal(new Set([...renewed.body.recovery_codes, ...recoveryCodes]).size, 16)
    assert.equal(failure(await renew({ method: 'totp', code })), '401 2FA_INVALID_CODE', 'the step is used up')
    const withKey = await renew({ method: 'webauthn', assertion })
    assert.equal(withKey.body.recovery_codes.length, 8)
    const use = async (recovery: string) =>
      server.visitor.post('/auth/login/2fa', {
        mfa_ticket: await ticketFor(server, 'ada'),
        method: 'recovery',
        code: recovery,
      })
    assert.equal(failure(await use(recoveryCodes[0] ?? '')), '401 2FA_INVALID_CODE')
    assert.equal(failure(await use(renewed.body.recovery_codes[0])), '401 2FA_INVALID_CODE')
    assert.equal((await use(withKey.body.recovery_codes[0])).status, 200)
  })

  it('are nothing to renew without the factor', async () => {
    await using server = await startTestServer(engine)
    const ada = await server.register('ada')
    for (const method of ['totp', 'webauthn'])
      assert.equal(
        failure(await ada.post('/auth/2fa/recovery-codes', { method, code: '123456' })),
        '422 2FA_NOT_ENABLED',
      )
  })
})
