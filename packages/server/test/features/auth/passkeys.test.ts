import assert from 'node:assert/strict'
import { it } from 'node:test'
import { stringifyJson } from '@vox/protocol'
import { addPasskey, challengeFor, enableTotp, logIn, PASSKEYS, restarted } from '../../support/accounts.ts'
import { Authenticator, flat } from '../../support/authenticator.ts'
import { encodeCbor } from '../../support/cbor.ts'
import { TestClock } from '../../support/clock.ts'
import { type Engine, forEachEngine } from '../../support/engines.ts'
import { type Answer, type Client, failure, startTestServer, type TestServer } from '../../support/server.ts'
import { runSql } from '../../support/sql.ts'

const MINUTE_MS = 60_000

/** Server, clock, a client of `ada`, and her authenticator with a passkey. */
async function withPasskey(engine: Engine, key = new Authenticator()) {
  const clock = new TestClock()
  const server = await startTestServer(engine, { clock, env: PASSKEYS })
  const ada = await server.register('ada')
  assert.equal((await addPasskey(ada, key, 'Blue key')).status, 200)
  return { clock, server, ada, key }
}

const beginSetup = async (client: Client) => (await client.post('/auth/2fa/setup', { method: 'webauthn' })).body

type Assertion = ReturnType<Authenticator['get']>

const logInWith = ({ visitor }: TestServer, username: string, assertion: Assertion): Promise<Answer> =>
  visitor.post('/auth/login/webauthn', { username, ...flat(assertion) })

/** Base64 in the standard alphabet and with padding. */
const padded = (text: string): string => Buffer.from(text, 'base64url').toString('base64')

forEachEngine('passkeys', (engine) => {
  it('go through registration, list, login and removal', async () => {
    const clock = new TestClock()
    await using server = await startTestServer(engine, { clock, env: PASSKEYS })
    const ada = await server.register('ada')
    const key = new Authenticator()
    const credential_id = key.id.toString('base64url')
    const setup = await ada.post('/auth/2fa/setup', { method: 'webauthn' })
    assert.equal(setup.headers.get('cache-control'), 'no-store')
    const { setup_id, creation_options } = setup.body
    assert.match(setup_id, /^setup_webauthn_[\w-]{64,}$/)
    const { challenge_id, challenge } = creation_options
    assert.match(challenge_id, /^[\w-]{22}$/)
    assert.match(challenge, /^[\w-]{86}$/)
    assert.deepEqual(setup.body, {
      setup_id,
      method: 'webauthn',
      totp_secret: null,
      totp_uri: null,
      creation_options: {
        challenge_id,
        rp: { name: 'Vox', id: 'example.org' },
        user: { id: 'AAAAAAAAAAE', name: 'ada', displayName: 'ada' },
        challenge,
        pubKeyCredParams: [-7, -8, -36, -37, -38, -39, -257, -258, -259].map((alg) => ({ type: 'public-key', alg })),
        timeout: 60_000,
        excludeCredentials: [],
        authenticatorSelection: { residentKey: 'preferred', userVerification: 'preferred' },
        attestation: 'none',
      },
    })

    const attestation = key.create(creation_options)
    const confirmed = await ada.post('/auth/2fa/setup/confirm', { setup_id, attestation })
    assert.equal(confirmed.body.success, true)
    assert.equal(confirmed.body.recovery_codes.length, 8)
    const registered_at = clock.now() / 1000
    const listed = { credential_id, name: 'Security Key', registered_at, last_used_at: null }
    assert.deepEqual((await ada.get('/auth/webauthn/credentials')).body, [listed])
    assert.equal((await ada.get('/auth/2fa')).body.webauthn_enabled, true)
    const descriptor = { id: credential_id, type: 'public-key', transports: ['usb'] }
    assert.deepEqual((await beginSetup(ada)).creation_options.excludeCredentials, [descriptor])

    clock.advance(MINUTE_MS)
    const request = await challengeFor(server, 'ADA')
    assert.deepEqual(request, {
      challenge_id: request.challenge_id,
      options: {
        challenge: request.challenge,
        timeout: 60_000,
        rpId: 'example.org',
        allowCredentials: [descriptor],
        userVerification: 'preferred',
      },
      challenge: request.challenge,
      credential_ids: [credential_id],
    })
    const answer = await logInWith(server, 'ada', key.get(request))
    assert.equal(answer.headers.get('cache-control'), 'no-store')
    const { token } = answer.body
    assert.deepEqual(answer.body, { token, user_id: ada.userId, display_name: 'ada', roles: [2] })
    const used = { ...listed, last_used_at: registered_at + 60 }
    assert.deepEqual((await ada.get('/auth/webauthn/credentials')).body, [used])

    const removed = await ada.delete(`/auth/webauthn/credentials/${credential_id}`)
    assert.deepEqual([removed.status, removed.body], [200, { success: true }])
    const again = await ada.delete(`/auth/webauthn/credentials/${credential_id}`)
    assert.equal(failure(again), '404 WEBAUTHN_CREDENTIAL_NOT_FOUND')
    assert.deepEqual((await ada.get('/auth/webauthn/credentials')).body, [])
  })

  it('may be several, each with its name', async () => {
    const { server, ada } = await withPasskey(engine)
    await using _ = server
    const eddsa = new Authenticator({ algorithm: 'EdDSA', attestation: 'packed' })
    assert.deepEqual((await addPasskey(ada, eddsa, '')).body, { success: true, recovery_codes: [] })
    assert.equal((await addPasskey(ada, new Authenticator({ attestation: 'packed' }), 'Phone')).status, 200)
    const names = (await ada.get('/auth/webauthn/credentials')).body.map(({ name }: { name: string }) => name)
    assert.deepEqual(names, ['Blue key', 'Security Key', 'Phone'])
    assert.equal((await logInWith(server, 'ada', eddsa.get(await challengeFor(server, 'ada')))).status, 200)
    assert.equal(failure(await addPasskey(ada, new Authenticator(), 'x'.repeat(65))), '422 VALIDATION_ERROR')
  })

  it('are at most 32 per account', async () => {
    const { server, ada } = await withPasskey(engine)
    await using _ = server
    const late = await beginSetup(ada)
    const rows = Array.from({ length: 31 }, (_, i) => `(${ada.userId}, 'id${i}', '', '', 0, '[]', 0)`)
    await runSql(
      server.databaseUrl,
      `insert into passkeys (user_id, credential_id, name, public_key, sign_count, transports, registered_at)
       values ${rows.join(', ')}`,
    )
    assert.equal(failure(await ada.post('/auth/2fa/setup', { method: 'webauthn' })), '403 DEVICE_LIMIT_REACHED')
    const attestation = new Authenticator().create(late.creation_options)
    const confirmed = await ada.post('/auth/2fa/setup/confirm', { setup_id: late.setup_id, attestation })
    assert.equal(failure(confirmed), '403 DEVICE_LIMIT_REACHED')
  })

  it('need to be configured for new ones and for challenges', async () => {
    const { server: configured, ada } = await withPasskey(engine)
    await using server = await restarted(configured, engine, {})
    const visitor = server.visitor
    const challenge = (username: string) => visitor.post('/auth/login/webauthn/challenge', { username })
    assert.equal(failure(await challenge('nobody')), '401 AUTH_FAILED')
    assert.equal(failure(await challenge('ada')), '400 WEBAUTHN_NOT_CONFIGURED')
    const login = {
      username: 'ada',
      challenge_id: 'x',
      credential_id: 'x',
      client_data_json: 'x',
      authenticator_data: 'x',
      signature: 'x',
    }
    assert.equal(failure(await visitor.post('/auth/login/webauthn', login)), '400 WEBAUTHN_FAILED')
    assert.equal(failure(await visitor.post('/auth/login/webauthn', { ...login, username: 'no' })), '401 AUTH_FAILED')
    assert.equal((await logIn(server, 'ada')).body.available_methods[0], 'webauthn')
    assert.ok(ada.token)
  })

  it('of an account have to exist for a challenge', async () => {
    const { server } = await withPasskey(engine)
    await using _ = server
    await server.register('bob')
    const challenge = (body: object) => server.visitor.post('/auth/login/webauthn/challenge', body)
    assert.equal(failure(await challenge({ username: 'nobody' })), '401 AUTH_FAILED')
    assert.equal(failure(await challenge({ username: 'bob' })), '404 WEBAUTHN_CREDENTIAL_NOT_FOUND')
    assert.equal(failure(await challenge({})), '422 VALIDATION_ERROR')
  })

  it('are removed by the form of their id that the list shows, by their owner', async () => {
    const key = new Authenticator({ credentialId: Buffer.alloc(32, 0xff) })
    const { server, ada } = await withPasskey(engine, key)
    await using _ = server
    const bob = await server.register('bob')
    const id = key.id.toString('base64url')
    for (const [client, segment] of [
      [ada, 'unknown'],
      [ada, '%20'],
      [ada, encodeURIComponent(padded(id))],
      [bob, id],
    ] as const)
      assert.equal(
        failure(await client.delete(`/auth/webauthn/credentials/${segment}`)),
        '404 WEBAUTHN_CREDENTIAL_NOT_FOUND',
        segment,
      )
    assert.equal((await ada.delete(`/auth/webauthn/credentials/${id}`)).status, 200)
  })

  it('take the recovery codes with them when no factor is left', async () => {
    const { clock, server, ada, key } = await withPasskey(engine)
    await using _ = server
    const path = `/auth/webauthn/credentials/${key.id.toString('base64url')}`
    await enableTotp(ada, clock)
    await ada.delete(path)
    assert.equal((await ada.get('/auth/2fa')).body.recovery_codes_left, 8)
    const bob = await server.register('bob')
    const bobsKey = new Authenticator()
    await addPasskey(bob, bobsKey)
    await bob.delete(`/auth/webauthn/credentials/${bobsKey.id.toString('base64url')}`)
    assert.equal((await bob.get('/auth/2fa')).body.recovery_codes_left, 0)
    assert.equal((await logIn(server, 'bob')).status, 200)
  })

  it('can have ids of 1023 bytes', async () => {
    const key = new Authenticator({ credentialId: Buffer.alloc(1023, 7) })
    const { server, ada } = await withPasskey(engine, key)
    await using _ = server
    assert.equal((await logInWith(server, 'ada', key.get(await challengeFor(server, 'ada')))).status, 200)
    assert.equal((await ada.delete(`/auth/webauthn/credentials/${key.id.toString('base64url')}`)).status, 200)
    const tooLong = new Authenticator({ credentialId: Buffer.alloc(1024, 7) })
    assert.equal(failure(await addPasskey(ada, tooLong)), '400 WEBAUTHN_FAILED')
  })
})

forEachEngine('the registration of a passkey', (engine) => {
  it('takes every documented form of the attestation', async () => {
    await using server = await startTestServer(engine, { env: PASSKEYS })
    const ada = await server.register('ada')
    type Attestation = ReturnType<Authenticator['create']>
    const forms: ((standard: Attestation) => object)[] = [
      (standard) => standard,
      (standard) => ({ ...standard, authenticatorAttachment: 'platform', clientExtensionResults: {}, extra: [1] }),
      ({ challenge_id: _, ...rest }) => rest,
      ({ id: _, ...rest }) => rest,
      ({ rawId: _, type: __, ...rest }) => rest,
      flat,
      ({ challenge_id: _, ...standard }) => flat(standard as Attestation),
      ({ id, response, ...rest }) => ({
        ...rest,
        id,
        rawId: padded(id),
        response: {
          clientDataJSON: padded(response.clientDataJSON),
          attestationObject: padded(response.attestationObject),
        },
      }),
    ]
    for (const [index, form] of forms.entries()) {
      const { setup_id, creation_options } = await beginSetup(ada)
      const attestation = form(new Authenticator().create(creation_options))
      const { status, body } = await ada.post('/auth/2fa/setup/confirm', { setup_id, attestation })
      assert.equal(status, 200, `form ${index}: ${stringifyJson(body)}`)
    }
    assert.equal((await ada.get('/auth/webauthn/credentials')).body.length, forms.length)
  })

  it('refuses whatever does not verify', async () => {
    await using server = await startTestServer(engine, { env: PASSKEYS })
    const ada = await server.register('ada')
    type Attestation = ReturnType<Authenticator['create']>
    const key = () => new Authenticator()
    const packed = () => new Authenticator({ attestation: 'packed' })
    type Options = Parameters<Authenticator['create']>[0]
    const faults: Record<string, (options: Options) => unknown> = {
      'another origin': (o) => key().create(o, { origin: 'https://evil.example' }),
      'the origin with a slash': (o) => key().create(o, { origin: 'https://chat.example.org/' }),
      'another domain': (o) => key().create(o, { rpId: 'evil.example' }),
      'an assertion': (o) => key().create(o, { type: 'webauthn.get' }),
      'nobody present': (o) => key().create(o, { flags: 0x40 }),
      'no credential': (o) => key().create(o, { flags: 0x01 }),
      'another challenge': (o) => key().create({ ...o, challenge: 'AAAA' }),
      'a statement with format none': (o) => key().create(o, { statement: new Map([['alg', -7]]) }),
      'an unknown format': (o) => key().create(o, { format: 'homemade' }),
      'a packed statement of nothing': (o) => key().create(o, { format: 'packed' }),
      'a statement signed by nobody': (o) =>
        packed().create(o, {
          statement: new Map<string, number | Buffer>([
            ['alg', -7],
            ['sig', Buffer.alloc(70)],
          ]),
        }),
      'truncated data': (o) => key().create(o, { tamper: (bytes) => bytes.subarray(0, -10) }),
      'data of every length': (o) => key().create(o, { tamper: (bytes) => bytes.subarray(0, 40) }),
      'no CBOR': (o) => key().create(o, { tamper: () => Buffer.from('garbage') }),
      'CBOR of something else': (o) => key().create(o, { tamper: () => encodeCbor(new Map([[1, 2]])) }),
      'CBOR without end': (o) => key().create(o, { tamper: () => Buffer.alloc(40_000, 0x81) }),
      'ids that differ': (o) => ({ ...key().create(o), id: 'AAAA' }),
      'an id of another credential': (o) => ({ ...key().create(o), id: 'AAAA', rawId: 'AAAA' }),
      'another type': (o) => ({ ...key().create(o), type: 'password' }),
      'no response': ({ challenge_id }) => ({ challenge_id, id: 'AAAA', response: {} }),
      'only a name': () => ({ surprise: true }),
      'no base64': (o) => {
        const attestation = key().create(o)
        return { ...attestation, response: { ...attestation.response, clientDataJSON: '{}' } }
      },
      'no JSON': (o) => {
        const attestation = key().create(o)
        return { ...attestation, response: { ...attestation.response, clientDataJSON: 'AAAA' } }
      },
      nothing: () => ({}),
      null: () => null,
      'left out': () => undefined,
    } satisfies Record<string, (options: Options) => Partial<Attestation> | object | null | undefined>
    for (const [fault, answer] of Object.entries(faults)) {
      const { setup_id, creation_options } = await beginSetup(ada)
      const attestation = answer(creation_options)
      const refused = await ada.post('/auth/2fa/setup/confirm', { setup_id, attestation })
      assert.equal(failure(refused), '400 WEBAUTHN_FAILED', fault)
    }
    assert.deepEqual((await ada.get('/auth/webauthn/credentials')).body, [])
  })

  it('bounds what it looks at', async () => {
    await using server = await startTestServer(engine, { env: PASSKEYS })
    const ada = await server.register('ada')
    const { setup_id, creation_options } = await beginSetup(ada)
    const { response, ...attestation } = new Authenticator().create(creation_options)
    for (const wrong of [
      { ...attestation, response: { ...response, attestationObject: 'A'.repeat(65_537) } },
      { ...attestation, response: { ...response, clientDataJSON: 'A'.repeat(4097) } },
      { ...attestation, response, id: 'A'.repeat(4097) },
      { ...attestation, response, id: 5 },
      { ...attestation, response: 'response' },
      flat({ ...attestation, response: { ...response, attestationObject: 'A'.repeat(65_537) } }),
      [],
      'attestation',
    ]) {
      const refused = await ada.post('/auth/2fa/setup/confirm', { setup_id, attestation: wrong })
      assert.equal(failure(refused), '422 VALIDATION_ERROR')
    }
    const confirmed = await ada.post('/auth/2fa/setup/confirm', { setup_id, attestation: { ...attestation, response } })
    assert.equal(confirmed.status, 200)
  })

  it('has one attempt per challenge, on the set-up that the challenge was made for, in time', async () => {
    const { clock, server, ada, key } = await withPasskey(engine)
    await using _ = server
    const confirm = (setup_id: string, attestation: object) =>
      ada.post('/auth/2fa/setup/confirm', { setup_id, attestation })
    const fresh = () => new Authenticator()

    const failed = await beginSetup(ada)
    await confirm(failed.setup_id, fresh().create(failed.creation_options, { origin: 'https://evil.example' }))
    const retry = await confirm(failed.setup_id, fresh().create(failed.creation_options))
    assert.equal(failure(retry), '400 WEBAUTHN_FAILED')

    const [one, two] = [await beginSetup(ada), await beginSetup(ada)]
    const crossed = await confirm(one.setup_id, fresh().create(two.creation_options))
    assert.equal(failure(crossed), '400 WEBAUTHN_FAILED')
    assert.equal((await confirm(two.setup_id, fresh().create(two.creation_options))).status, 200)
    assert.equal(failure(await confirm(two.setup_id, {})), '401 2FA_SETUP_EXPIRED')

    const forLogin = await challengeFor(server, 'ada')
    const setup = await beginSetup(ada)
    const { challenge_id, challenge } = forLogin
    const wrongPurpose = fresh().create({ ...setup.creation_options, challenge_id, challenge })
    assert.equal(failure(await confirm(setup.setup_id, wrongPurpose)), '400 WEBAUTHN_FAILED')
    assert.equal((await logInWith(server, 'ada', key.get(forLogin))).status, 200)

    const late = await beginSetup(ada)
    clock.advance(5 * MINUTE_MS)
    const tooLate = await confirm(late.setup_id, fresh().create(late.creation_options))
    assert.equal(failure(tooLate), '400 WEBAUTHN_FAILED')
    clock.advance(5 * MINUTE_MS)
    assert.equal(failure(await confirm(late.setup_id, {})), '401 2FA_SETUP_EXPIRED')
  })

  it('refuses a credential that is registered already, and leaves that one alone', async () => {
    const { server, ada, key } = await withPasskey(engine)
    await using _ = server
    const bob = await server.register('bob')
    for (const client of [ada, bob]) {
      const twin = new Authenticator({ credentialId: key.id })
      assert.equal(failure(await addPasskey(client, twin)), '400 WEBAUTHN_FAILED')
    }
    assert.equal((await bob.get('/auth/2fa')).body.webauthn_enabled, false)
    assert.equal((await logInWith(server, 'ada', key.get(await challengeFor(server, 'ada')))).status, 200)
  })

  it('is of somebody else for somebody else', async () => {
    const { server, ada } = await withPasskey(engine)
    await using _ = server
    const bob = await server.register('bob')
    const { setup_id, creation_options } = await beginSetup(ada)
    const attestation = new Authenticator().create(creation_options)
    assert.equal(failure(await bob.post('/auth/2fa/setup/confirm', { setup_id, attestation })), '403 FORBIDDEN')
    assert.equal((await ada.post('/auth/2fa/setup/confirm', { setup_id, attestation })).status, 200)
  })
})

forEachEngine('login with a passkey', (engine) => {
  it('stands for the second factor too', async () => {
    const { clock, server, ada, key } = await withPasskey(engine)
    await using _ = server
    await enableTotp(ada, clock)
    const answer = await logInWith(server, 'ada', key.get(await challengeFor(server, 'ada')))
    assert.equal(answer.status, 200)
    assert.equal(answer.body.user_id, ada.userId)
  })

  it('takes every field in either base64, and a missing or matching user handle', async () => {
    const { server, key } = await withPasskey(engine)
    await using _ = server
    for (const userHandle of [null, undefined, '', 'AAAAAAAAAAE', 'AAAAAAAAAAE=']) {
      const assertion = flat(key.get(await challengeFor(server, 'ada')))
      const fields = Object.entries(assertion).map(([name, value]) =>
        name === 'challenge_id' ? [name, value] : [name, value && padded(value)],
      )
      const body = { username: 'ada', ...Object.fromEntries(fields), user_handle: userHandle }
      assert.equal((await server.visitor.post('/auth/login/webauthn', body)).status, 200, String(userHandle))
    }
  })

  it('holds to the rule of the counter', async () => {
    const { server, key } = await withPasskey(engine, new Authenticator({ counter: 5 }))
    await using _ = server
    const attempt = async (counter: number) =>
      failure(await logInWith(server, 'ada', key.get(await challengeFor(server, 'ada'), { counter })))
    assert.equal(await attempt(5), '401 WEBAUTHN_FAILED', 'that of the registration counts')
    assert.equal(await attempt(6), '200 undefined')
    assert.equal(await attempt(6), '401 WEBAUTHN_FAILED')
    assert.equal(await attempt(5), '401 WEBAUTHN_FAILED')
    assert.equal(await attempt(0), '401 WEBAUTHN_FAILED')
    assert.equal(await attempt(2 ** 31 + 5), '200 undefined')
    assert.equal(await attempt(2 ** 31 + 4), '401 WEBAUTHN_FAILED')
    assert.equal(await attempt(2 ** 32 - 1), '200 undefined')
  })

  it('takes authenticators without a counter', async () => {
    const { server, key } = await withPasskey(engine, new Authenticator({ counter: 0 }))
    await using _ = server
    for (let i = 0; i < 2; i++)
      assert.equal((await logInWith(server, 'ada', key.get(await challengeFor(server, 'ada')))).status, 200)
  })

  it('lets one of two in that come at once with one counter', async () => {
    const { server, key } = await withPasskey(engine)
    await using _ = server
    const challenges = [await challengeFor(server, 'ada'), await challengeFor(server, 'ada')]
    const answers = await Promise.all(
      challenges.map((challenge) => logInWith(server, 'ada', key.get(challenge, { counter: 9 }))),
    )
    assert.deepEqual(answers.map(({ status }) => status).sort(), [200, 401])
  })

  it('spends a challenge with the first attempt, whatever comes of it', async () => {
    const { clock, server, key } = await withPasskey(engine)
    await using _ = server
    const failed = await challengeFor(server, 'ada')
    const other = await challengeFor(server, 'ada')
    const bad = key.get(failed, { origin: 'https://evil.example' })
    assert.equal(failure(await logInWith(server, 'ada', bad)), '401 WEBAUTHN_FAILED')
    assert.equal(failure(await logInWith(server, 'ada', key.get(failed))), '400 WEBAUTHN_FAILED')
    const good = key.get(other)
    assert.equal((await logInWith(server, 'ada', good)).status, 200, 'an older challenge stays')
    assert.equal(failure(await logInWith(server, 'ada', good)), '400 WEBAUTHN_FAILED')
    const twice = key.get(await challengeFor(server, 'ada'))
    const answers = await Promise.all([0, 1].map(() => logInWith(server, 'ada', twice)))
    assert.deepEqual(answers.map(({ status }) => status).sort(), [200, 400])
    const late = await challengeFor(server, 'ada')
    clock.advance(5 * MINUTE_MS)
    assert.equal(failure(await logInWith(server, 'ada', key.get(late))), '400 WEBAUTHN_FAILED')
  })

  it('refuses challenges and passkeys of somebody else', async () => {
    const { server, ada, key } = await withPasskey(engine)
    await using _ = server
    const bobsKey = new Authenticator()
    await addPasskey(await server.register('bob'), bobsKey)
    const bobs = bobsKey.get(await challengeFor(server, 'bob'))
    assert.equal(failure(await logInWith(server, 'ada', bobs)), '401 AUTH_FAILED')
    const onAdas = bobsKey.get(await challengeFor(server, 'ada'))
    assert.equal(failure(await logInWith(server, 'ada', onAdas)), '400 WEBAUTHN_FAILED')
    const { creation_options } = await beginSetup(ada)
    const { challenge_id, challenge } = creation_options
    const ofSetup = key.get({ challenge_id, options: { challenge, rpId: 'example.org' } })
    assert.equal(failure(await logInWith(server, 'ada', ofSetup)), '400 WEBAUTHN_FAILED')
  })

  it('refuses whatever does not verify', async () => {
    const { server, key } = await withPasskey(engine)
    await using _ = server
    type Request = Parameters<Authenticator['get']>[0]
    const changed = (request: Request, response: object) => {
      const assertion = key.get(request)
      return { ...assertion, response: { ...assertion.response, ...response } }
    }
    const faults: Record<string, (request: Request) => Assertion> = {
      'another origin': (r) => key.get(r, { origin: 'https://evil.example' }),
      'another domain': (r) => key.get(r, { rpId: 'evil.example' }),
      'a registration': (r) => key.get(r, { type: 'webauthn.create' }),
      'nobody present': (r) => key.get(r, { flags: 0 }),
      'another challenge': (r) => key.get({ ...r, options: { ...r.options, challenge: 'AAAA' } }),
      'tampered data': (r) => key.get(r, { tamper: (bytes) => bytes.fill(0xff, bytes.length - 4) }),
      'truncated data': (r) => key.get(r, { tamper: (bytes) => bytes.subarray(0, 20) }),
      'another signature': (r) => changed(r, { signature: 'MEUCIQ' }),
      'no signature': (r) => changed(r, { signature: '' }),
      'no base64': (r) => changed(r, { authenticatorData: '{}' }),
      'no JSON': (r) => changed(r, { clientDataJSON: 'AAAA' }),
      'the handle of somebody else': (r) => key.get(r, { userHandle: 'AAAAAAAAAAI' }),
      'no handle at all': (r) => key.get(r, { userHandle: '{}' }),
    }
    for (const [fault, answer] of Object.entries(faults)) {
      const refused = await logInWith(server, 'ada', answer(await challengeFor(server, 'ada')))
      assert.equal(failure(refused), '401 WEBAUTHN_FAILED', fault)
    }
  })

  it('finds the challenge by its value where its id is left out', async () => {
    const { server, ada, key } = await withPasskey(engine)
    await using _ = server
    const assertion = async () => {
      const { challenge_id: _, ...rest } = key.get(await challengeFor(server, 'ada'))
      return rest
    }
    const withoutId = await assertion()
    const step = async (given: object) =>
      server.visitor.post('/auth/login/2fa', {
        mfa_ticket: (await logIn(server, 'ada')).body.mfa_ticket,
        method: 'webauthn',
        assertion: given,
      })
    assert.equal((await step(withoutId)).status, 200)
    assert.equal(failure(await step(withoutId)), '400 WEBAUTHN_FAILED')
    for (const clientDataJSON of [undefined, '{}', 'AAAA', Buffer.from('[]').toString('base64url')])
      assert.equal(failure(await step({ id: 'AAAA', response: { clientDataJSON } })), '400 WEBAUTHN_FAILED')
    const flatForm = flat({ ...(await assertion()), challenge_id: undefined } as never)
    assert.equal((await ada.delete('/auth/2fa', { method: 'webauthn', assertion: flatForm })).status, 200)
  })

  it('verifies against what was configured when the challenge was made', async () => {
    const { clock, server: before, key } = await withPasskey(engine)
    const request = await challengeFor(before, 'ada')
    const env = {
      VOX_WEBAUTHN_RP_ID: 'example.net',
      VOX_WEBAUTHN_ORIGIN: 'https://one.example.net, https://two.example.net',
    }
    await using server = await restarted(before, engine, { clock, env })
    assert.equal((await logInWith(server, 'ada', key.get(request))).status, 200)
    for (const origin of ['https://one.example.net', 'https://two.example.net'])
      assert.equal((await logInWith(server, 'ada', key.get(await challengeFor(server, 'ada'), { origin }))).status, 200)
    const old = key.get(await challengeFor(server, 'ada'))
    assert.equal(failure(await logInWith(server, 'ada', old)), '401 WEBAUTHN_FAILED')
  })

  it('is closed to the banned, and open to those who have left', async () => {
    const { server, ada } = await withPasskey(engine)
    await using _ = server
    const bob = await server.register('bob')
    const key = new Authenticator()
    await addPasskey(bob, key)
    await bob.delete('/members/@me')
    assert.equal((await logInWith(server, 'bob', key.get(await challengeFor(server, 'bob')))).status, 200)
    const request = await challengeFor(server, 'bob')
    await ada.put(`/bans/${bob.userId}`)
    assert.equal(failure(await logInWith(server, 'bob', key.get(request))), '401 AUTH_FAILED')
    const challenge = await server.visitor.post('/auth/login/webauthn/challenge', { username: 'bob' })
    assert.equal(failure(challenge), '401 AUTH_FAILED')
  })

  it('needs all of its fields, none of them too long', async () => {
    const { server, key } = await withPasskey(engine)
    await using _ = server
    const body = { username: 'ada', ...flat(key.get(await challengeFor(server, 'ada'))) }
    for (const name of [
      'username',
      'challenge_id',
      'credential_id',
      'client_data_json',
      'authenticator_data',
      'signature',
    ])
      for (const value of [undefined, null, 5, 'A'.repeat(4097)]) {
        const refused = await server.visitor.post('/auth/login/webauthn', { ...body, [name]: value })
        assert.equal(failure(refused), '422 VALIDATION_ERROR', name)
      }
    assert.equal((await server.visitor.post('/auth/login/webauthn', body)).status, 200)
  })
})
