import assert from 'node:assert/strict'
import { it } from 'node:test'
import {
  addPasskey,
  challengeFor,
  enableTotp,
  guest,
  logIn,
  PASSKEYS,
  restarted,
  ticketFor,
  totpCode,
  wrongCode,
} from '../../support/accounts.ts'
import { Authenticator } from '../../support/authenticator.ts'
import { TestClock } from '../../support/clock.ts'
import { registerAll } from '../../support/community.ts'
import { type Engine, forEachEngine } from '../../support/engines.ts'
import { GatewayClient } from '../../support/gateway-client.ts'
import { Client, failure, startTestServer, type TestServer } from '../../support/server.ts'
import { runSql } from '../../support/sql.ts'

const STEP_MS = 30_000
const MINUTE_MS = 60_000

/** Server, clock and a client of `ada` with TOTP. */
async function withTotp(engine: Engine, env: Record<string, string> = {}) {
  const clock = new TestClock()
  const server = await startTestServer(engine, { clock, env })
  const ada = await server.register('ada')
  return { clock, server, ada, ...(await enableTotp(ada, clock)) }
}

const secondStep = ({ visitor }: TestServer, mfa_ticket: string, rest: object) =>
  visitor.post('/auth/login/2fa', { mfa_ticket, ...rest })

forEachEngine('setting up TOTP', (engine) => {
  it('takes a set-up, a code, and one step more at the next login', async () => {
    const clock = new TestClock()
    await using server = await startTestServer(engine, { clock })
    const ada = await server.register('ada')
    assert.deepEqual((await ada.get('/auth/2fa')).body, {
      totp_enabled: false,
      webauthn_enabled: false,
      recovery_codes_left: 0,
    })
    const setup = await ada.post('/auth/2fa/setup', { method: 'totp' })
    assert.equal(setup.headers.get('cache-control'), 'no-store')
    const { setup_id, totp_secret } = setup.body
    assert.match(setup_id, /^setup_totp_[\w-]{64,}$/)
    assert.match(totp_secret, /^[A-Z2-7]{32}$/)
    assert.deepEqual(setup.body, {
      setup_id,
      method: 'totp',
      totp_secret,
      totp_uri: `otpauth://totp/Vox:ada?secret=${totp_secret}&issuer=Vox`,
      creation_options: null,
    })
    assert.equal((await logIn(server, 'ada')).status, 200, 'nothing changes before the confirmation')

    const code = totpCode(totp_secret, clock)
    const confirmed = await ada.post('/auth/2fa/setup/confirm', { setup_id, code })
    assert.equal(confirmed.headers.get('cache-control'), 'no-store')
    assert.equal(confirmed.body.success, true)
    assert.equal(new Set(confirmed.body.recovery_codes).size, 8)
    for (const recovery of confirmed.body.recovery_codes) assert.match(recovery, /^[A-Z0-9]{4}-[A-Z0-9]{4}$/)
    assert.deepEqual((await ada.get('/auth/2fa')).body, {
      totp_enabled: true,
      webauthn_enabled: false,
      recovery_codes_left: 8,
    })

    const demand = await logIn(server, 'ada')
    assert.equal(demand.status, 401)
    assert.equal(demand.headers.get('cache-control'), 'no-store')
    const { mfa_ticket } = demand.body
    assert.match(mfa_ticket, /^mfa_[\w-]{64,}$/)
    const available_methods = ['totp', 'recovery']
    assert.deepEqual(demand.body, {
      error: { code: '2FA_REQUIRED', message: demand.body.error.message, mfa_ticket, available_methods },
      mfa_required: true,
      mfa_ticket,
      available_methods,
    })

    const finished = await secondStep(server, mfa_ticket, { method: 'totp', code })
    assert.equal(finished.status, 200)
    assert.equal(finished.headers.get('cache-control'), 'no-store')
    const { token } = finished.body
    assert.deepEqual(finished.body, { token, user_id: ada.userId, display_name: 'ada', roles: [2] })
    assert.equal((await new Client(server.url, token).get('/users/@me')).status, 200)
    assert.equal((await ada.get('/users/@me')).status, 200, 'other sessions stay')
  })

  it('is possible once; a second set-up replaces one that is not confirmed', async () => {
    const clock = new TestClock()
    await using server = await startTestServer(engine, { clock })
    const ada = await server.register('ada')
    const first = (await ada.post('/auth/2fa/setup', { method: 'totp' })).body
    const second = (await ada.post('/auth/2fa/setup', { method: 'totp' })).body
    const confirm = ({ setup_id, totp_secret }: typeof first) =>
      ada.post('/auth/2fa/setup/confirm', { setup_id, code: totpCode(totp_secret, clock) })
    assert.equal(failure(await confirm(first)), '401 2FA_SETUP_EXPIRED')
    assert.equal((await confirm(second)).status, 200)
    assert.equal(failure(await confirm(second)), '401 2FA_SETUP_EXPIRED')
    assert.equal(failure(await ada.post('/auth/2fa/setup', { method: 'totp' })), '409 2FA_ALREADY_ENABLED')
  })

  it('lets a wrong code be followed by the right one', async () => {
    const clock = new TestClock()
    await using server = await startTestServer(engine, { clock })
    const ada = await server.register('ada')
    const { setup_id, totp_secret } = (await ada.post('/auth/2fa/setup', { method: 'totp' })).body
    const confirm = (code?: unknown) => ada.post('/auth/2fa/setup/confirm', { setup_id, code })
    for (let i = 0; i < 12; i++)
      assert.equal(failure(await confirm(wrongCode(totp_secret, clock))), '401 2FA_INVALID_CODE')
    assert.equal(failure(await confirm(totpCode(totp_secret, clock, 2))), '401 2FA_INVALID_CODE')
    for (const missing of [undefined, null, '']) assert.equal(failure(await confirm(missing)), '400 2FA_INVALID_CODE')
    assert.equal(failure(await confirm('1'.repeat(33))), '422 VALIDATION_ERROR')
    assert.equal((await confirm(` ${totpCode(totp_secret, clock, -1)} `)).status, 200)
    assert.equal(failure(await logIn(server, 'ada')), '401 2FA_REQUIRED', 'and no attempt has been counted')
  })

  it('refuses set-ups that are none, not yours, or over', async () => {
    const clock = new TestClock()
    await using server = await startTestServer(engine, { clock })
    const [ada, bob] = [await server.register('ada'), await server.register('bob')]
    const { setup_id, totp_secret } = (await ada.post('/auth/2fa/setup', { method: 'totp' })).body
    const confirm = (client: Client, setup: string) =>
      client.post('/auth/2fa/setup/confirm', { setup_id: setup, code: totpCode(totp_secret, clock) })
    assert.equal(failure(await confirm(ada, 'xyz')), '400 2FA_SETUP_EXPIRED')
    assert.equal(failure(await confirm(ada, 'setup_totp_xyz')), '401 2FA_SETUP_EXPIRED')
    assert.equal(failure(await confirm(ada, 'setup_webauthn_xyz')), '401 2FA_SETUP_EXPIRED')
    assert.equal(failure(await confirm(ada, `setup_totp_${'x'.repeat(256)}`)), '422 VALIDATION_ERROR')
    assert.equal(failure(await confirm(bob, setup_id)), '403 FORBIDDEN')
    assert.equal(failure(await new Client(server.url, setup_id).get('/users/@me')), '401 AUTH_FAILED')
    clock.advance(10 * MINUTE_MS)
    assert.equal(failure(await confirm(ada, setup_id)), '401 2FA_SETUP_EXPIRED')
    const fresh = (await ada.post('/auth/2fa/setup', { method: 'totp' })).body
    await runSql(server.databaseUrl, 'delete from totp_secrets')
    assert.equal(failure(await confirm(ada, fresh.setup_id)), '400 2FA_SETUP_EXPIRED')
  })

  it('confirms once, however many confirm at once', async () => {
    const clock = new TestClock()
    await using server = await startTestServer(engine, { clock })
    const ada = await server.register('ada')
    const { setup_id, totp_secret } = (await ada.post('/auth/2fa/setup', { method: 'totp' })).body
    const confirm = () => ada.post('/auth/2fa/setup/confirm', { setup_id, code: totpCode(totp_secret, clock) })
    const answers = await Promise.all([confirm(), confirm(), confirm()])
    assert.deepEqual(answers.map(({ status }) => status).sort(), [200, 401, 401])
    assert.equal((await ada.get('/auth/2fa')).body.recovery_codes_left, 8)
  })

  it('is for people of this server, by a known method', async () => {
    await using prepared = await startTestServer(engine)
    const ada = await prepared.register('ada')
    const asGuest = 'update auth_sessions set user_id = 2'
    assert.equal(failure(await ada.post('/auth/2fa/setup', { method: 'sms' })), '400 INVALID_METHOD')
    assert.equal(failure(await ada.post('/auth/2fa/setup', {})), '422 VALIDATION_ERROR')
    assert.equal(failure(await ada.post('/auth/2fa/setup', { method: 'webauthn' })), '400 WEBAUTHN_NOT_CONFIGURED')
    await using server = await restarted(prepared, engine, {}, guest('gus'), asGuest)
    const gus = new Client(server.url, ada.token)
    assert.equal(failure(await gus.post('/auth/2fa/setup', { method: 'totp' })), '403 FORBIDDEN')
    assert.equal(failure(await gus.post('/auth/2fa/setup', { method: 'sms' })), '400 INVALID_METHOD')
  })
})

forEachEngine('the second step of a login', (engine) => {
  it('takes a code once, and never one of an earlier step', async () => {
    const { clock, server, secret } = await withTotp(engine)
    await using _ = server
    const attempt = async (steps: number) =>
      failure(
        await secondStep(server, await ticketFor(server, 'ada'), {
          method: 'totp',
          code: totpCode(secret, clock, steps),
        }),
      )
    assert.equal(await attempt(0), '200 undefined')
    assert.equal(await attempt(0), '401 2FA_INVALID_CODE')
    assert.equal(await attempt(-1), '401 2FA_INVALID_CODE')
    clock.advance(STEP_MS)
    assert.equal(await attempt(-1), '401 2FA_INVALID_CODE', 'used, though still inside the window')
    assert.equal(await attempt(1), '200 undefined')
    assert.equal(await attempt(0), '401 2FA_INVALID_CODE')
    clock.advance(10 * STEP_MS)
    assert.equal(await attempt(2), '401 2FA_INVALID_CODE')
    assert.equal(await attempt(-2), '401 2FA_INVALID_CODE')
    assert.equal(await attempt(-1), '200 undefined')
  })

  it('lets one of two in that come at once with one code', async () => {
    const { clock, server, secret } = await withTotp(engine)
    await using _ = server
    const tickets = [await ticketFor(server, 'ada'), await ticketFor(server, 'ada')]
    const proof = { method: 'totp', code: totpCode(secret, clock) }
    const onTwoTickets = await Promise.all(tickets.map((ticket) => secondStep(server, ticket, proof)))
    assert.deepEqual(onTwoTickets.map(({ status }) => status).sort(), [200, 401])
    clock.advance(2 * STEP_MS)
    const ticket = await ticketFor(server, 'ada')
    const again = { method: 'totp', code: totpCode(secret, clock) }
    const onOneTicket = await Promise.all([0, 1, 2].map(() => secondStep(server, ticket, again)))
    assert.deepEqual(onOneTicket.map(({ status }) => status).sort(), [200, 401, 401])
  })

  it('offers what the account has, in order', async () => {
    const clock = new TestClock()
    await using server = await startTestServer(engine, { clock, env: PASSKEYS })
    const [ada, bob] = [await server.register('ada'), await server.register('bob')]
    const methods = async (name: string, where = server) => (await logIn(where, name)).body.available_methods
    await enableTotp(ada, clock)
    assert.deepEqual(await methods('ada'), ['totp', 'recovery'])
    await addPasskey(ada, new Authenticator())
    assert.deepEqual(await methods('ada'), ['totp', 'webauthn', 'recovery'])
    await addPasskey(bob, new Authenticator())
    assert.deepEqual(await methods('bob'), ['webauthn', 'recovery'])
    await using unconfigured = await restarted(server, engine, { clock }, 'update recovery_codes set used = true')
    assert.deepEqual(await methods('ada', unconfigured), ['totp', 'webauthn'])
    assert.deepEqual(await methods('bob', unconfigured), ['webauthn'])
  })

  it('is reached by the older path too', async () => {
    const { clock, server, secret } = await withTotp(engine)
    await using _ = server
    const mfa_ticket = await ticketFor(server, 'ada')
    const answer = await server.visitor.post('/auth/mfa', { mfa_ticket, method: 'totp', code: totpCode(secret, clock) })
    assert.equal(answer.status, 200)
    assert.match(answer.body.token, /^vox_sess_/)
  })

  it('takes a recovery code once, in whatever form it is typed', async () => {
    const { server, ada, recoveryCodes } = await withTotp(engine)
    await using _ = server
    const [first = '', second = '', third = ''] = recoveryCodes
    const use = async (code: string) => secondStep(server, await ticketFor(server, 'ada'), { method: 'recovery', code })
    const left = async () => (await ada.get('/auth/2fa')).body.recovery_codes_left
    assert.equal((await use(first)).status, 200)
    assert.equal(await left(), 7)
    assert.equal(failure(await use(first)), '401 2FA_INVALID_CODE')
    assert.equal((await use(` ${second.toLowerCase().replace('-', '')}\t`)).status, 200)
    assert.equal(await left(), 6)
    assert.equal(failure(await use('AAAA-AAAA')), '401 2FA_INVALID_CODE')
    assert.equal(failure(await use('nonsense!')), '401 2FA_INVALID_CODE')
    const answers = await Promise.all([use(third), use(third)])
    assert.deepEqual(answers.map(({ status }) => status).sort(), [200, 401])
    assert.equal(await left(), 5)
  })

  it('says when the recovery codes are spent; other methods still work on the ticket', async () => {
    const { clock, server, ada, secret } = await withTotp(engine)
    await using _ = server
    await runSql(server.databaseUrl, 'update recovery_codes set used = true')
    const ticket = await ticketFor(server, 'ada')
    const recovery = { method: 'recovery', code: 'AAAA-AAAA' }
    for (let i = 0; i < 6; i++)
      assert.equal(failure(await secondStep(server, ticket, recovery)), '422 2FA_RECOVERY_EXHAUSTED')
    assert.equal((await secondStep(server, ticket, { method: 'totp', code: totpCode(secret, clock) })).status, 200)
    assert.equal((await ada.get('/auth/2fa')).body.recovery_codes_left, 0)
  })

  it('refuses tickets that are unknown, used or over', async () => {
    const { clock, server, ada, secret } = await withTotp(engine)
    await using _ = server
    const attempt = async (ticket: unknown, steps = 0) =>
      failure(
        await server.visitor.post('/auth/login/2fa', {
          mfa_ticket: ticket,
          method: 'totp',
          code: totpCode(secret, clock, steps),
        }),
      )
    for (const ticket of ['mfa_nonsense', 'nonsense', '', ada.token])
      assert.equal(await attempt(ticket), '401 2FA_INVALID_CODE', String(ticket))
    for (const ticket of [undefined, null, 5, 'x'.repeat(257)])
      assert.equal(await attempt(ticket), '422 VALIDATION_ERROR', String(ticket))
    const used = await ticketFor(server, 'ada')
    assert.equal(failure(await new Client(server.url, used).get('/users/@me')), '401 AUTH_FAILED')
    assert.equal(await attempt(used), '200 undefined')
    assert.equal(await attempt(used, 1), '401 2FA_INVALID_CODE')
    const over = await ticketFor(server, 'ada')
    clock.advance(5 * MINUTE_MS)
    assert.equal(await attempt(over), '401 2FA_INVALID_CODE')
  })

  it('gives nothing that opens a gateway session', async () => {
    const { server, ada } = await withTotp(engine)
    await using _ = server
    const bob = await server.register('bob')
    const { setup_id } = (await bob.post('/auth/2fa/setup', { method: 'totp' })).body
    for (const token of [await ticketFor(server, 'ada'), setup_id, 'fed_unknown'])
      await assert.rejects(GatewayClient.connect(server, { token }), /closed/)
    await (await GatewayClient.connect(server, ada)).socket.close()
  })

  it('does not count what is no attempt', async () => {
    const { clock, server, secret } = await withTotp(engine)
    await using _ = server
    const ticket = await ticketFor(server, 'ada')
    for (let i = 0; i < 3; i++) {
      for (const proof of [
        { method: 'sms', code: '123456' },
        { method: 'totp' },
        { method: 'totp', code: null },
        { method: 'totp', code: '' },
        { method: 'recovery', code: '' },
        { method: 'webauthn' },
        { method: 'webauthn', assertion: {} },
        { method: 'webauthn', assertion: null, code: '123456' },
      ])
        assert.equal(failure(await secondStep(server, ticket, proof)), '400 2FA_INVALID_CODE', JSON.stringify(proof))
      assert.equal(failure(await secondStep(server, ticket, { code: '123456' })), '422 VALIDATION_ERROR')
    }
    assert.equal((await secondStep(server, ticket, { method: 'totp', code: totpCode(secret, clock) })).status, 200)
  })

  it('counts a code of TOTP where there is none', async () => {
    await using server = await startTestServer(engine, { env: PASSKEYS })
    await addPasskey(await server.register('ada'), new Authenticator())
    const ticket = await ticketFor(server, 'ada')
    for (let i = 0; i < 5; i++)
      assert.equal(
        failure(await secondStep(server, ticket, { method: 'totp', code: '123456' })),
        '401 2FA_INVALID_CODE',
      )
    assert.equal(failure(await secondStep(server, ticket, { method: 'totp', code: '123456' })), '401 2FA_MAX_ATTEMPTS')
  })

  it('kills a ticket with five failures, also over a restart; a new one works', async () => {
    const { clock, server, secret } = await withTotp(engine)
    await using _ = server
    const ticket = await ticketFor(server, 'ada')
    const wrong = { method: 'totp', code: wrongCode(secret, clock) }
    const right = () => ({ method: 'totp', code: totpCode(secret, clock) })
    for (let i = 0; i < 5; i++) assert.equal(failure(await secondStep(server, ticket, wrong)), '401 2FA_INVALID_CODE')
    assert.equal(failure(await secondStep(server, ticket, right())), '401 2FA_MAX_ATTEMPTS')
    await using again = await restarted(server, engine, { clock })
    assert.equal(failure(await secondStep(again, ticket, right())), '401 2FA_MAX_ATTEMPTS')
    assert.equal((await secondStep(again, await ticketFor(again, 'ada'), right())).status, 200)
    clock.advance(5 * MINUTE_MS)
    assert.equal(failure(await secondStep(again, ticket, right())), '401 2FA_INVALID_CODE')
  })

  it('counts ten failures per account, whatever the tickets, until the first is fifteen minutes old', async () => {
    const { clock, server, ada, secret } = await withTotp(engine)
    await using _ = server
    for (let round = 0; round < 2; round++) {
      const ticket = await ticketFor(server, 'ada')
      for (let i = 0; i < 5; i++) await secondStep(server, ticket, { method: 'totp', code: wrongCode(secret, clock) })
    }
    const blocked = async (where = server) => {
      const proof = { method: 'totp', code: totpCode(secret, clock) }
      return failure(await secondStep(where, await ticketFor(where, 'ada'), proof))
    }
    assert.equal(await blocked(), '401 2FA_MAX_ATTEMPTS')
    const removal = { method: 'totp', code: totpCode(secret, clock) }
    assert.equal(failure(await ada.delete('/auth/2fa', removal)), '401 2FA_MAX_ATTEMPTS')
    assert.equal(failure(await ada.post('/auth/2fa/recovery-codes', removal)), '401 2FA_MAX_ATTEMPTS')
    assert.equal((await ada.get('/users/@me')).status, 200, 'sessions are not affected')
    await using again = await restarted(server, engine, { clock })
    assert.equal(await blocked(again), '401 2FA_MAX_ATTEMPTS')
    clock.advance(15 * MINUTE_MS - 1)
    assert.equal(await blocked(again), '401 2FA_MAX_ATTEMPTS')
    clock.advance(1)
    assert.equal(await blocked(again), '200 undefined')
  })

  it('does not let guesses through that come all at once', async () => {
    const { clock, server, secret } = await withTotp(engine)
    await using _ = server
    const ticket = await ticketFor(server, 'ada')
    const wrong = { method: 'totp', code: wrongCode(secret, clock) }
    const answers = await Promise.all(Array.from({ length: 12 }, () => secondStep(server, ticket, wrong)))
    const codes = answers.map(({ body }) => body.error.code).sort()
    assert.deepEqual(codes, [...Array(5).fill('2FA_INVALID_CODE'), ...Array(7).fill('2FA_MAX_ATTEMPTS')])
  })

  it('is closed to somebody banned since the first one', async () => {
    const clock = new TestClock()
    await using server = await startTestServer(engine, { clock })
    const [ada, bob] = await registerAll(server, 'ada', 'bob')
    const { secret } = await enableTotp(bob, clock)
    const ticket = await ticketFor(server, 'bob')
    await ada.put(`/bans/${bob.userId}`)
    const proof = { method: 'totp', code: totpCode(secret, clock) }
    assert.equal(failure(await secondStep(server, ticket, proof)), '401 AUTH_FAILED')
    assert.equal(failure(await secondStep(server, ticket, proof)), '401 2FA_INVALID_CODE', 'the ticket is void')
  })

  it('lets those in who have left', async () => {
    const clock = new TestClock()
    await using server = await startTestServer(engine, { clock })
    const [, bob] = await registerAll(server, 'ada', 'bob')
    const { secret } = await enableTotp(bob, clock)
    await bob.delete('/members/@me')
    const proof = { method: 'totp', code: totpCode(secret, clock) }
    assert.equal((await secondStep(server, await ticketFor(server, 'bob'), proof)).status, 200)
  })

  it('takes a passkey of the account, and of nobody else', async () => {
    const clock = new TestClock()
    await using server = await startTestServer(engine, { clock, env: PASSKEYS })
    const [ada, bob] = [await server.register('ada'), await server.register('bob')]
    const [adasKey, bobsKey] = [new Authenticator(), new Authenticator({ algorithm: 'EdDSA' })]
    await addPasskey(ada, adasKey)
    await addPasskey(bob, bobsKey)
    const ticket = await ticketFor(server, 'ada')
    const attempt = (assertion: object) => secondStep(server, ticket, { method: 'webauthn', assertion })
    assert.equal(failure(await attempt(bobsKey.get(await challengeFor(server, 'bob')))), '400 WEBAUTHN_FAILED')
    assert.equal(failure(await attempt(bobsKey.get(await challengeFor(server, 'ada')))), '400 WEBAUTHN_FAILED')
    const foreignOrigin = adasKey.get(await challengeFor(server, 'ada'), { origin: 'https://evil.example' })
    assert.equal(failure(await attempt(foreignOrigin)), '401 WEBAUTHN_FAILED')
    const good = adasKey.get(await challengeFor(server, 'ada'))
    const answer = await attempt(good)
    assert.equal(answer.status, 200)
    assert.equal(answer.body.user_id, ada.userId)
    const replayed = { method: 'webauthn', assertion: good }
    const replay = await secondStep(server, await ticketFor(server, 'ada'), replayed)
    assert.equal(failure(replay), '400 WEBAUTHN_FAILED')
  })

  it('counts failed passkeys', async () => {
    await using server = await startTestServer(engine, { env: PASSKEYS })
    const key = new Authenticator()
    await addPasskey(await server.register('ada'), key)
    const ticket = await ticketFor(server, 'ada')
    const proof = { method: 'webauthn', assertion: { challenge_id: 'unknown' } }
    for (let i = 0; i < 5; i++) assert.equal(failure(await secondStep(server, ticket, proof)), '400 WEBAUTHN_FAILED')
    const assertion = key.get(await challengeFor(server, 'ada'))
    assert.equal(failure(await secondStep(server, ticket, { method: 'webauthn', assertion })), '401 2FA_MAX_ATTEMPTS')
  })
})
