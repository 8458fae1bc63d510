import assert from 'node:assert/strict'
import { subscribe, unsubscribe } from 'node:diagnostics_channel'
import { once } from 'node:events'
import { request, type Server } from 'node:http'
import { type AddressInfo, connect } from 'node:net'
import { describe, it } from 'node:test'
import { Permission } from '@vox/protocol'
import { TestClock } from '../support/clock.ts'
import { createFeed, registerAll } from '../support/community.ts'
import { sqlite } from '../support/engines.ts'
import { Client, failure, PASSWORD, startTestServer, type TestServer } from '../support/server.ts'
import { refusedMeanwhile } from '../support/slow-request.ts'

const MIB = 1_048_576

describe('routing', () => {
  it('answers unknown paths and wrong methods in the envelope', async () => {
    await using server = await startTestServer(sqlite)
    const { visitor } = server
    assert.equal(failure(await visitor.get('/nowhere')), '404 NOT_FOUND')
    assert.equal(failure(await visitor.raw('GET', '/nowhere')), '404 NOT_FOUND')
    assert.equal(failure(await visitor.get('/feeds/')), '404 NOT_FOUND')
    assert.equal(failure(await visitor.get('/FEEDS')), '404 NOT_FOUND')
    const wrong = await visitor.request('PUT', '/auth/register')
    assert.equal(failure(wrong), '405 INVALID_OPERATION')
    assert.equal(wrong.headers.get('allow'), 'POST')
    assert.equal((await visitor.raw('DELETE', '/health')).headers.get('allow'), 'GET, HEAD')
  })

  it('answers methods that it does not know and paths longer than any as it answers others', async () => {
    await using server = await startTestServer(sqlite)
    for (const line of ['QUERY /api/v1/server', 'PROPFIND /api/v1/server?x=/y', 'MKCOL /api/v1/server'])
      assert.match(await ask(server, line), /^HTTP\/1.1 405 .*allow: GET.*"INVALID_OPERATION"/s)
    for (const line of ['QUERY /nowhere', 'PROPFIND /nowhere', `GET /api/v1/users/${'1'.repeat(5_000)}`])
      assert.match(await ask(server, line), /^HTTP\/1.1 404 .*"NOT_FOUND"/s)
  })

  it('passes over what a client expects, but not over a missing host', async () => {
    await using server = await startTestServer(sqlite)
    const ending = 'Connection: close\r\n\r\n'
    const expecting = await speak(server, `GET /health HTTP/1.1\r\nHost: x\r\nExpect: tea\r\n${ending}`)
    assert.match(expecting, /^HTTP\/1.1 200 OK/)
    const lost = await speak(server, `GET /health HTTP/1.1\r\n${ending}`)
    assert.match(lost, /^HTTP\/1.1 400 .*"INVALID_OPERATION","message":"The Host header is required."/s)
    assert.match(await speak(server, `GET /health HTTP/1.0\r\n${ending}`), /^HTTP\/1.1 200 OK/)
  })

  it('passes over offers to speak another protocol', async () => {
    await using server = await startTestServer(sqlite)
    for (const protocol of ['h2c', 'HTTP/2.0', 'foo, websocket']) {
      const socket = connect(Number(new URL(server.url).port), '127.0.0.1')
      for (let i = 0; i < 2; i++) {
        socket.write(`GET /health HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: ${protocol}\r\n\r\n`)
        assert.match(String(await once(socket, 'data')), /^HTTP\/1.1 200 OK/)
      }
      socket.destroy()
    }
  })

  it('keeps no connection for ever in the middle of a request', async () => {
    await using server = await startTestServer(sqlite)
    const asked = Promise.withResolvers<Server>()
    subscribe('http.server.request.start', function listen(message) {
      const { server: each } = message as { server: Server }
      if ((each.address() as AddressInfo).port !== Number(new URL(server.url).port)) return
      unsubscribe('http.server.request.start', listen)
      asked.resolve(each)
    })
    await server.visitor.raw('GET', '/health')
    const { timeout, headersTimeout, requestTimeout } = await asked.promise
    assert.deepEqual([timeout, headersTimeout, requestTimeout], [300_000, 60_000, 3_600_000])
  })

  it('refuses a path that does not decode', async () => {
    await using server = await startTestServer(sqlite)
    assert.equal(failure(await server.visitor.get('/users/%E0%A4%A')), '422 VALIDATION_ERROR')
  })

  it('names every answer', async () => {
    await using server = await startTestServer(sqlite)
    const [one, two] = [await server.visitor.get('/gateway'), await server.visitor.get('/nowhere')]
    assert.match(one.headers.get('x-request-id') ?? '', /^[0-9a-f-]{36}$/)
    assert.notEqual(one.headers.get('x-request-id'), two.headers.get('x-request-id'))
  })

  it('answers what is not HTTP with 400 in the envelope', async () => {
    await using server = await startTestServer(sqlite)
    const answer = await speak(server, 'POST /api/v1/auth/login HTTP/1.1\r\nHost: x\r\nContent-Length: abc\r\n\r\n')
    assert.match(answer, /^HTTP\/1.1 400 .*"code":"VALIDATION_ERROR"/s)
  })
})

/** What a request without headers of its own and without a body is answered. */
const ask = (server: TestServer, line: string): Promise<string> =>
  speak(server, `${line} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n`)

/** Sends bytes as they are and returns what comes back until the server closes. */
function speak({ url }: TestServer, text: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const socket = connect(Number(new URL(url).port), '127.0.0.1', () => socket.write(text))
    let answer = ''
    socket.on('data', (chunk) => {
      answer += chunk
    })
    socket.on('close', () => resolve(answer))
    socket.on('error', reject)
  })
}

describe('authentication', () => {
  it('answers each form of a bad header with its own code', async () => {
    await using server = await startTestServer(sqlite)
    const { token } = await server.register('ada')
    const me = async (authorization?: string) =>
      server.visitor.get('/users/@me', authorization === undefined ? {} : { authorization })
    assert.equal(failure(await me()), '422 VALIDATION_ERROR')
    for (const header of ['Basic x', `Token ${token}`, token ?? ''])
      assert.equal(failure(await me(header)), '401 AUTH_FAILED', header)
    for (const ticket of ['mfa_x', 'setup_totp_x', 'setup_webauthn_x', 'fed_x'])
      assert.equal(failure(await me(`Bearer ${ticket}`)), '401 AUTH_FAILED', ticket)
    for (const header of ['Bearer nonsense', 'Bearer ', 'Bearer', `Bearer  ${token}`, 'Bot nonsense'])
      assert.equal(failure(await me(header)), '401 AUTH_EXPIRED', header)
    for (const scheme of ['Bearer', 'Bot', 'bearer', 'BOT']) assert.equal((await me(`${scheme} ${token}`)).status, 200)
  })

  it('comes before validation, and permission too', async () => {
    await using server = await startTestServer(sqlite)
    await server.register('ada')
    const bob = await server.register('bob')
    assert.equal(failure(await new Client(server.url, 'x').post('/feeds', { name: 7 })), '401 AUTH_EXPIRED')
    assert.equal(failure(await bob.post('/feeds', { name: 7 })), '403 MISSING_PERMISSIONS')
  })

  it('holds when the body has come, however long that takes', async () => {
    await using server = await startTestServer(sqlite)
    const [ada, bob, eve, dan] = await registerAll(server, 'ada', 'bob', 'eve', 'dan')
    const messages = `/feeds/${await createFeed(ada)}/messages`
    const slowly = (client: Client, meanwhile: () => Promise<unknown>) =>
      refusedMeanwhile(client, { path: messages, body: { body: 'too late' } }, meanwhile)
    assert.equal(await slowly(bob, () => ada.put(`/bans/${bob.userId}`)), '403 BANNED')
    assert.equal(await slowly(eve, () => eve.post('/auth/logout')), '401 AUTH_EXPIRED')
    const mute = () => ada.patch('/roles/1', { permissions: Number(Permission.VIEW_SPACE) })
    assert.equal(await slowly(dan, mute), '403 MISSING_PERMISSIONS')
    assert.deepEqual((await ada.get(messages)).body.messages, [])
  })

  it('is not looked at by public endpoints', async () => {
    await using server = await startTestServer(sqlite)
    assert.equal((await server.visitor.get('/gateway', { authorization: 'Basic nonsense' })).status, 200)
  })
})

describe('bodies', () => {
  const credentials = (filler: number) =>
    JSON.stringify({ username: 'nobody', password: PASSWORD, filler: 'x'.repeat(filler) })
  const overhead = credentials(0).length
  const json = { 'content-type': 'application/json' }

  it('of exactly the limit pass, one byte more does not', async () => {
    await using server = await startTestServer(sqlite)
    const login = (text: string) => server.visitor.raw('POST', '/api/v1/auth/login', text, json)
    assert.equal(failure(await login(credentials(MIB - overhead))), '401 AUTH_FAILED')
    const refused = await login(credentials(MIB - overhead + 1))
    assert.equal(failure(refused), '413 PAYLOAD_TOO_LARGE')
    assert.match(refused.body.error.message, /1048576/)
  })

  it('are counted also when they come in chunks', async () => {
    await using server = await startTestServer(sqlite)
    assert.equal(await chunked(server, credentials(MIB - overhead)), 401)
    assert.equal(await chunked(server, credentials(MIB - overhead + 1)), 413)
  })

  it('are bounded by the setting in force', async () => {
    await using server = await startTestServer(sqlite, { env: { VOX_LIMIT_MAX_REQUEST_BODY: '100' } })
    const refused = await server.visitor.post('/auth/login', { username: 'x', password: 'x'.repeat(100) })
    assert.equal(failure(refused), '413 PAYLOAD_TOO_LARGE')
  })

  it('must be JSON, in UTF-8, not too deep, under the right type', async () => {
    await using server = await startTestServer(sqlite)
    const good = credentials(0)
    const deep = `{"username":"a","password":"b","x":${'['.repeat(64)}${']'.repeat(64)}}`
    for (const [body, headers] of [
      ['', json],
      ['{', json],
      ['[]', json],
      ['null', json],
      ['7', json],
      [deep, json],
      [good, { 'content-type': 'text/plain' }],
      [good, { 'content-type': 'application/x-www-form-urlencoded' }],
      [good, { 'content-type': 'nonsense' }],
      [Buffer.from('{"username":"\xff","password":"b"}', 'latin1'), json],
      ['{"username":"\\ud800","password":"b"}', json],
    ] as const)
      assert.equal(
        failure(await server.visitor.raw('POST', '/api/v1/auth/login', body, headers)),
        '422 VALIDATION_ERROR',
      )
    for (const type of ['application/json', 'Application/JSON; charset=utf-8', 'application/vnd.vox+json'])
      assert.equal(
        failure(await server.visitor.raw('POST', '/api/v1/auth/login', good, { 'content-type': type })),
        '401 AUTH_FAILED',
      )
  })

  it('are not quoted back when they do not parse', async () => {
    await using server = await startTestServer(sqlite)
    const { body } = await server.visitor.raw('POST', '/api/v1/auth/login', '{"password":"hunter2" x', json)
    assert.doesNotMatch(JSON.stringify(body), /hunter2/)
  })

  it('that nobody asked for are ignored', async () => {
    await using server = await startTestServer(sqlite)
    const ada = await server.register('ada')
    assert.equal((await ada.raw('POST', '/api/v1/auth/logout', 'not json', json)).status, 204)
  })
})

function chunked({ url }: TestServer, text: string): Promise<number> {
  return new Promise((resolve, reject) => {
    const call = request(`${url}/api/v1/auth/login`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', 'transfer-encoding': 'chunked' },
    })
    call.on('response', (response) => resolve(response.resume().statusCode ?? 0))
    call.on('error', reject)
    for (let at = 0; at < text.length; at += 65_536) call.write(text.slice(at, at + 65_536))
    call.end()
  })
}

describe('rate limits', () => {
  const env = { VOX_RATELIMIT_ENABLED: 'true' }
  const login = (client: Client) => client.post('/auth/login', { username: 'nobody', password: PASSWORD })

  it('answer five logins, then refuse, then answer again', async () => {
    const clock = new TestClock()
    await using server = await startTestServer(sqlite, { env, clock })
    for (let left = 4; left >= 0; left--) {
      const answer = await login(server.visitor)
      assert.equal(answer.status, 401)
      assert.equal(answer.headers.get('x-ratelimit-limit'), '5')
      assert.equal(answer.headers.get('x-ratelimit-remaining'), String(left))
    }
    const refused = await login(server.visitor)
    assert.equal(failure(refused), '429 AUTH_RATE_LIMITED')
    assert.equal(refused.body.error.retry_after_ms, 10_000)
    assert.equal(refused.headers.get('retry-after'), '10')
    assert.equal(refused.headers.get('x-ratelimit-remaining'), '0')
    assert.equal(refused.headers.get('x-ratelimit-reset'), String(Math.ceil((clock.now() + 10_000) / 1000)))
    clock.advance(10_000)
    assert.equal((await login(server.visitor)).status, 401)
  })

  it('are shared by the sessions of a user and by nobody else', async () => {
    await using server = await startTestServer(sqlite, { env: { ...env, VOX_RATELIMIT_SERVER: '2:0.1' } })
    const ada = await server.register('ada')
    const bob = await server.register('bob')
    const { body } = await server.visitor.post('/auth/login', { username: 'ada', password: PASSWORD })
    const again = new Client(server.url, body.token)
    assert.equal((await ada.get('/server')).status, 200)
    assert.equal((await again.get('/server')).status, 200)
    assert.equal(failure(await ada.get('/server')), '429 RATE_LIMITED')
    assert.equal((await bob.get('/server')).status, 200)
    assert.equal((await server.visitor.get('/gateway')).status, 200)
  })

  it('charge logins to the address, whatever token comes along', async () => {
    await using server = await startTestServer(sqlite, { env: { ...env, VOX_RATELIMIT_AUTH: '2:0.1' } })
    const ada = await server.register('ada')
    assert.equal((await login(ada)).status, 401)
    assert.equal(failure(await login(ada)), '429 AUTH_RATE_LIMITED')
  })

  it('look through a trusted proxy at the client', async () => {
    await using server = await startTestServer(sqlite, { env: { ...env, VOX_RATELIMIT_SERVER: '1:0.1' } })
    const from = (address: string) => server.visitor.get('/gateway', { 'x-forwarded-for': address })
    assert.equal((await from('203.0.113.1')).status, 200)
    assert.equal(failure(await from('203.0.113.1')), '429 RATE_LIMITED')
    assert.equal((await from('203.0.113.2')).status, 200)
  })

  it('do not believe an untrusted peer', async () => {
    const distrust = { VOX_TRUSTED_PROXIES: 'none', VOX_RATELIMIT_SERVER: '1:0.1' }
    await using server = await startTestServer(sqlite, { env: { ...env, ...distrust } })
    const from = (address: string) => server.visitor.get('/gateway', { 'x-forwarded-for': address })
    assert.equal((await from('203.0.113.1')).status, 200)
    assert.equal(failure(await from('203.0.113.2')), '429 RATE_LIMITED')
  })

  it('leave probes, the banner and the reference alone', async () => {
    await using server = await startTestServer(sqlite, { env: { ...env, VOX_RATELIMIT_SERVER: '1:0.1' } })
    for (let i = 0; i < 20; i++)
      for (const path of ['/health', '/ready', '/', '/api/v1/openapi.json']) {
        const answer = await server.visitor.raw('GET', path)
        assert.equal(answer.status, 200, path)
        assert.equal(answer.headers.get('x-ratelimit-limit'), null)
      }
  })
})

describe('probes', () => {
  it('answer GET and HEAD', async () => {
    await using server = await startTestServer(sqlite)
    for (const path of ['/health', '/ready', '/']) {
      assert.equal((await server.visitor.raw('GET', path)).status, 200)
      const head = await server.visitor.raw('HEAD', path)
      assert.deepEqual([head.status, head.body], [200, ''])
    }
    assert.deepEqual((await server.visitor.raw('GET', '/health')).body, { status: 'ok' })
  })

  it('give metrics in the text form of Prometheus', async () => {
    await using server = await startTestServer(sqlite)
    await server.visitor.get('/gateway')
    const { body } = await server.visitor.raw('GET', '/metrics')
    const forwarded = await server.visitor.raw('GET', '/metrics', undefined, { 'x-forwarded-for': '203.0.113.9' })
    assert.equal(failure(forwarded), '404 NOT_FOUND')
    assert.match(body, /vox_http_request_seconds_count\{method="GET",route="\/api\/v1\/gateway",status="200"\} 1/)
  })
})

describe('the API reference', () => {
  it('lists every endpoint with its errors', async () => {
    await using server = await startTestServer(sqlite)
    const { body } = await server.visitor.get('/openapi.json')
    assert.equal(body.openapi, '3.0.3')
    const send = body.paths['/api/v1/feeds/{feed_id}/messages'].post
    assert.deepEqual(Object.keys(send.responses), ['201', '400', '401', '403', '404', '413', '422', '429', '500'])
    const { examples } = send.responses['413'].content['application/json']
    assert.deepEqual(examples, { PAYLOAD_TOO_LARGE: { $ref: '#/components/examples/PAYLOAD_TOO_LARGE' } })
    assert.equal(body.components.examples.PAYLOAD_TOO_LARGE.value.error.code, 'PAYLOAD_TOO_LARGE')
  })

  it('is a page for people', async () => {
    await using server = await startTestServer(sqlite)
    const { status, body, headers } = await server.visitor.raw('GET', '/docs/')
    assert.equal(status, 200)
    assert.match(body, /<title>Vox API<\/title>/)
    const policy = headers.get('content-security-policy') ?? ''
    assert.match(policy, /script-src 'self'(;|$)/)
    assert.doesNotMatch(policy, /upgrade-insecure-requests/)
  })
})

describe('other origins', () => {
  const preflight = (server: TestServer) =>
    server.visitor.raw('OPTIONS', '/api/v1/server', undefined, {
      origin: 'https://app.example',
      'access-control-request-method': 'GET',
    })

  it('get no headers unless the operator lists them', async () => {
    await using server = await startTestServer(sqlite)
    assert.equal((await preflight(server)).headers.get('access-control-allow-origin'), null)
  })

  it('get them when listed, exactly', async () => {
    await using server = await startTestServer(sqlite, { env: { VOX_CORS_ORIGINS: 'https://app.example' } })
    const allowed = await preflight(server)
    assert.equal(allowed.status, 204)
    assert.equal(allowed.headers.get('access-control-allow-origin'), 'https://app.example')
    assert.equal(allowed.headers.get('access-control-allow-credentials'), null)
    const other = await server.visitor.get('/gateway', { origin: 'https://evil.example' })
    assert.equal(other.headers.get('access-control-allow-origin'), null)
  })
})
