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
import { grant, lastAudit, registerAll } from '../../support/community.ts'
import { forEachEngine } from '../../support/engines.ts'
import { type Client, failure, startTestServer } from '../../support/server.ts'

forEachEngine('the reset of a second factor by an administrator', (engine) => {
  it('takes everything but sessions and password', async () => {
    const clock = new TestClock()
    await using server = await startTestServer(engine, { clock, env: PASSKEYS })
    const ada = await server.register('ada')
    const bob = await server.register('bob')
    const { secret } = await enableTotp(bob, clock)
    const key = new Authenticator()
    await addPasskey(bob, key)
    const ticket = await ticketFor(server, 'bob')
    const step = (code: string) => server.visitor.post('/auth/login/2fa', { mfa_ticket: ticket, method: 'totp', code })
    for (let i = 0; i < 5; i++) await step(wrongCode(secret, clock))
    const setup = (await bob.post('/auth/2fa/setup', { method: 'webauthn' })).body
    const request = await challengeFor(server, 'bob')

    const reset = await ada.post('/admin/2fa-reset', { target_user_id: bob.userId, reason: 'lost phone' })
    assert.equal(reset.status, 204)

    const nothing = { totp_enabled: false, webauthn_enabled: false, recovery_codes_left: 0 }
    assert.deepEqual((await bob.get('/auth/2fa')).body, nothing, 'the session survives')
    assert.equal((await logIn(server, 'bob')).status, 200)
    assert.equal(failure(await step(totpCode(secret, clock))), '401 2FA_INVALID_CODE')
    const attestation = new Authenticator().create(setup.creation_options)
    const confirmed = await bob.post('/auth/2fa/setup/confirm', { setup_id: setup.setup_id, attestation })
    assert.equal(failure(confirmed), '401 2FA_SETUP_EXPIRED')
    await enableTotp(bob, clock)
    const assertion = key.get(request)
    const withOldKey = { mfa_ticket: await ticketFor(server, 'bob'), method: 'webauthn', assertion }
    assert.equal(failure(await server.visitor.post('/auth/login/2fa', withOldKey)), '400 WEBAUTHN_FAILED')
  })

  it('clears the failures, so that the account is not shut out', async () => {
    const clock = new TestClock()
    await using server = await startTestServer(engine, { clock })
    const ada = await server.register('ada')
    const bob = await server.register('bob')
    const { secret } = await enableTotp(bob, clock)
    const wrong = { method: 'totp', code: wrongCode(secret, clock) }
    for (let i = 0; i < 10; i++) await bob.delete('/auth/2fa', wrong)
    assert.equal(failure(await bob.delete('/auth/2fa', wrong)), '401 2FA_MAX_ATTEMPTS')
    await ada.post('/admin/2fa-reset', { target_user_id: bob.userId, reason: '' })
    await enableTotp(bob, clock)
    assert.equal(failure(await bob.delete('/auth/2fa', wrong)), '401 2FA_INVALID_CODE')
  })

  it('is audited each time, with its reason', async () => {
    await using server = await startTestServer(engine)
    const [ada, bob] = await registerAll(server, 'ada', 'bob')
    for (const [body, target, reason] of [
      [{ target_user_id: bob.userId, reason: 'lost phone' }, bob, 'lost phone'],
      [{ user_id: String(bob.userId), reason: '' }, bob, ''],
      [{ target_user_id: ada.userId, reason: 'my own' }, ada, 'my own'],
    ] as const) {
      assert.equal((await ada.post('/admin/2fa-reset', body)).status, 204)
      assert.deepEqual(await lastAudit(ada), ['2fa.admin_reset', ada.userId, target.userId, { reason }])
    }
  })

  it('needs the permission, a body, a target, and a target below', async () => {
    await using server = await startTestServer(engine)
    const [ada, mod, bob] = await registerAll(server, 'ada', 'mod', 'bob')
    await grant(ada, mod, ['MANAGE_2FA'])
    const reset = async (client: Client, target_user_id: unknown, reason: unknown = '') =>
      failure(await client.post('/admin/2fa-reset', { target_user_id, reason }))
    const refused = await bob.post('/admin/2fa-reset', { target_user_id: 99 })
    assert.equal(failure(refused), '403 MISSING_PERMISSIONS')
    assert.equal(refused.body.error.missing_permission, 'manage_2fa')
    assert.equal(await reset(mod, undefined), '422 VALIDATION_ERROR')
    assert.equal(await reset(mod, bob.userId, null), '422 VALIDATION_ERROR')
    assert.equal(await reset(mod, bob.userId, 'x'.repeat(257)), '422 VALIDATION_ERROR')
    assert.equal(await reset(mod, 99), '404 USER_NOT_FOUND')
    assert.equal(await reset(mod, ada.userId), '403 ROLE_HIERARCHY')
    assert.equal(await reset(mod, bob.userId), '204 undefined')
    assert.equal(await reset(mod, mod.userId), '204 undefined', 'oneself is exempt')
    assert.equal(await reset(ada, mod.userId), '204 undefined')
  })
})
