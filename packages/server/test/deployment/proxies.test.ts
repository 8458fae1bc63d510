import assert from 'node:assert/strict'
import { once } from 'node:events'
import { mkdirSync, writeFileSync } from 'node:fs'
import { get as getHttp, type IncomingMessage } from 'node:http'
import { connect as connectHttp2 } from 'node:http2'
import { request } from 'node:https'
import path from 'node:path'
import { text } from 'node:stream/consumers'
import { after, before, describe, it } from 'node:test'
import { sqlite } from '../support/engines.ts'
import { eventually } from '../support/eventually.ts'
import { freshPath } from '../support/folder.ts'
import { FORM_TYPE, filePart, formBody } from '../support/forms.ts'
import { TestSocket } from '../support/gateway.ts'
import { type ServerProcess, spawnServer, stop } from '../support/process.ts'
import { type ReverseProxy, type StartProxy, startCaddy, startNginx, without } from '../support/proxies.ts'
import { Client, PASSWORD } from '../support/server.ts'

interface Kind {
  program: string
  start: StartProxy
  /** What the file asks of the proxy beyond passing things on. */
  compresses: boolean
}

const KINDS: Readonly<Record<string, Kind>> = {
  nginx: { program: 'nginx', start: startNginx, compresses: true },
  'Caddy with two lines': { program: 'caddy', start: startCaddy('Caddyfile'), compresses: false },
  'Caddy with the longer file': { program: 'caddy', start: startCaddy('Caddyfile.full'), compresses: true },
}

/** Requests of a client address that has not said who it is. */
const ADDRESS_BURST = 3

/** The limiter is on; what the tests themselves need is allowed. */
const LIMITS = {
  VOX_RATELIMIT_ENABLED: 'true',
  VOX_RATELIMIT_CHANNELS: '1000:1',
  VOX_RATELIMIT_MEMBERS: `${ADDRESS_BURST}:0.001`,
}

interface Options {
  method?: string
  headers?: Record<string, string>
  body?: string | Buffer
  /** Address that the client has. */
  from?: string
}

/** A request over TLS. */
async function call(
  { port, ca }: ReverseProxy,
  url: string,
  { method = 'GET', headers = {}, body, from }: Options = {},
) {
  const sent = request({
    host: '127.0.0.1',
    servername: 'localhost',
    port,
    ca,
    path: url,
    method,
    headers: {
      host: 'localhost',
      ...headers,
      ...(body !== undefined && { 'content-length': Buffer.byteLength(body) }),
    },
    agent: false,
    ...(from && { localAddress: from }),
  })
  // Whoever refuses a large body may close the connection before it has arrived.
  sent.on('error', () => {})
  sent.end(body)
  const [response] = (await once(sent, 'response')) as [IncomingMessage]
  return { status: response.statusCode, headers: response.headers, body: await text(response) }
}

/** A socket through a proxy that has said hello. */
async function hello({ port, ca }: ReverseProxy): Promise<TestSocket> {
  const socket = new TestSocket(`wss://localhost:${port}/gateway`, undefined, ca)
  await socket.next('hello')
  return socket
}

async function identified(proxy: ReverseProxy, token: string): Promise<TestSocket> {
  const socket = await hello(proxy)
  socket.send('identify', { token })
  await socket.next('ready')
  await socket.rest()
  return socket
}

const portOf = ({ url }: ServerProcess): number => Number(new URL(url).port)

for (const [name, { program, start, compresses }] of Object.entries(KINDS)) {
  describe(`behind ${name}`, { skip: without(program) }, () => {
    let server: ServerProcess
    let proxy: ReverseProxy
    /** Speaks to the server past the proxy. */
    let ada: Client
    let token = ''

    const authorized = () => ({ authorization: `Bearer ${token}`, 'content-type': 'application/json' })

    before(async () => {
      server = await spawnServer({
        VOX_DATABASE_URL: await sqlite.freshUrl(),
        VOX_STORAGE_PATH: freshPath(),
        VOX_LOG_FORMAT: 'json',
        ...LIMITS,
      })
      proxy = await start(portOf(server))
      const { body } = await call(proxy, '/api/v1/auth/register', {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify({ username: 'ada', password: PASSWORD }),
      })
      token = JSON.parse(body).token
      ada = new Client(server.url, token)
      for (let i = 1; i <= 30; i++) await ada.post('/feeds', { name: `feed number ${i}`, type: 'text' })
    })

    after(async () => {
      await proxy[Symbol.asyncDispose]()
      await stop(server, 'SIGTERM')
    })

    it('REST is spoken over TLS and HTTP/2', async () => {
      const session = connectHttp2(`https://localhost:${proxy.port}`, { ca: proxy.ca })
      const ask = async (headers: Record<string, string>, body?: string) => {
        const stream = session.request({ ...authorized(), ...headers })
        stream.end(body)
        const [{ ':status': status }] = await once(stream, 'response')
        return { status, body: JSON.parse(await text(stream)) }
      }
      const feed = JSON.stringify({ name: 'over HTTP/2', type: 'text' })
      const made = await ask({ ':method': 'POST', ':path': '/api/v1/feeds' }, feed)
      assert.equal(made.status, 201)
      const read = await ask({ ':path': `/api/v1/feeds/${made.body.feed_id}` })
      assert.deepEqual([read.status, read.body.name], [200, 'over HTTP/2'])
      assert.equal(session.alpnProtocol, 'h2')
      session.close()
    })

    it('plain HTTP is sent to TLS', async () => {
      const sent = getHttp({ host: 'localhost', port: proxy.plainPort, path: '/health' })
      const [{ statusCode, headers }] = (await once(sent, 'response')) as [IncomingMessage]
      assert.equal(statusCode, 308)
      assert.match(headers.location ?? '', /^https:\/\/localhost.*\/health$/)
      sent.destroy()
    })

    it(`long answers are ${compresses ? '' : 'not '}compressed`, async () => {
      const headers = { ...authorized(), 'accept-encoding': 'gzip' }
      const answer = await call(proxy, '/api/v1/server/layout', { headers })
      assert.equal(answer.status, 200)
      assert.equal(answer.headers['content-encoding'], compresses ? 'gzip' : undefined)
    })

    it('a gateway session that a reload of the proxy cut off is resumed, and told what it missed', async () => {
      const first = await identified(proxy, token)
      await ada.post('/feeds/1/messages', { body: 'before' })
      assert.equal((await first.next('message_create')).d.body, 'before')

      proxy.reload()
      await first.closed
      for (const body of ['missed', 'missed too']) await ada.post('/feeds/1/messages', { body })

      const second = await eventually(() => hello(proxy))
      second.send('resume', { token, session_id: first.sessionId, last_seq: first.lastSeq })
      const replayed = [await second.next('message_create'), await second.next('message_create')]
      assert.deepEqual(
        replayed.map(({ d, seq }) => [d.body, seq]),
        [
          ['missed', first.lastSeq + 1],
          ['missed too', first.lastSeq + 2],
        ],
      )
      await second.next('resumed')
      await second.rest()
      await ada.post('/feeds/1/messages', { body: 'after' })
      assert.equal((await second.next('message_create')).d.body, 'after')
      await second.close()
    })

    it('files up to the limit pass, and larger ones are refused in words that clients know', async () => {
      const upload = (bytes: number) =>
        call(proxy, '/api/v1/feeds/1/files', {
          method: 'POST',
          headers: { ...authorized(), 'content-type': FORM_TYPE },
          body: formBody(filePart(Buffer.alloc(bytes, 'a'))),
        })
      assert.equal((await upload(26_214_400)).status, 201)
      const { status, body } = await upload(27_262_976)
      assert.deepEqual([status, JSON.parse(body).error.code], [413, 'FILE_TOO_LARGE'])
    })

    it('limits and log know the address of a client, whatever that says of itself', async () => {
      const earlier = server.log.length
      const spoof = (from: string, pretended: string) =>
        call(proxy, '/api/v1/members', {
          from,
          headers: { 'x-forwarded-for': pretended, 'x-real-ip': pretended, authorization: 'Bearer wrong' },
        })
      for (let n = 1; n <= ADDRESS_BURST; n++) {
        const { status, headers } = await spoof('127.0.0.5', `203.0.113.${n}`)
        assert.deepEqual([status, headers['x-ratelimit-remaining']], [401, `${ADDRESS_BURST - n}`])
      }
      const { status, body } = await spoof('127.0.0.5', '203.0.113.9')
      assert.deepEqual([status, JSON.parse(body).error.code], [429, 'RATE_LIMITED'])
      assert.equal((await spoof('127.0.0.6', '127.0.0.5')).status, 401)

      const logged = await eventually(() => {
        const lines = server.log.slice(earlier).filter((entry) => entry.includes('/api/v1/members'))
        assert.equal(lines.length, ADDRESS_BURST + 2)
        return lines.map((line) => JSON.parse(line).address)
      })
      assert.deepEqual(logged, [...Array(ADDRESS_BURST + 1).fill('127.0.0.5'), '127.0.0.6'])
    })

    it('the numbers of the operator stay inside', async () => {
      assert.equal((await call(proxy, '/metrics')).status, 404)
      assert.equal((await call(proxy, '/health')).status, 200)
    })
  })
}

describe('a gateway connection on which nothing happens', () => {
  /** The socket that a proxy with this file keeps, and one that a proxy cuts off as this change of the file makes it. */
  async function besides(start: StartProxy, kept: (site: string) => string, cut: (site: string) => string) {
    const server = await spawnServer({ VOX_DATABASE_URL: await sqlite.freshUrl(), VOX_STORAGE_PATH: freshPath() })
    await using opened = new AsyncDisposableStack()
    opened.defer(() => stop(server, 'SIGTERM'))
    const patient = opened.use(await start(portOf(server), kept))
    const impatient = opened.use(await start(portOf(server), cut))
    const { token } = (await new Client(server.url).post('/auth/register', { username: 'ada', password: PASSWORD }))
      .body
    const socket = await identified(patient, token)
    // As long as the other proxy takes to lose patience, three times over.
    for (let times = 0; times < 3; times++) await (await hello(impatient)).closed
    assert.equal(socket.ws.readyState, socket.ws.OPEN)
    await socket.rest()
    await socket.close()
  }

  const hasty = (site: string) => `proxy_read_timeout 200ms; proxy_send_timeout 200ms;\n${site}`

  it('stays open behind nginx, whose file has its own patience for the gateway', { skip: without('nginx') }, () =>
    besides(startNginx, hasty, (site) => hasty(site.replaceAll(/proxy_(read|send)_timeout 86400s;/g, ''))),
  )

  for (const file of ['Caddyfile', 'Caddyfile.full'] as const)
    it(`stays open behind Caddy with ${file}`, { skip: without('caddy') }, () =>
      besides(
        startCaddy(file),
        (site) => site,
        () => 'chat.example.org {\n reverse_proxy localhost:8000 {\n transport http {\n read_timeout 200ms\n }\n }\n}',
      ),
    )
})

describe('the longer Caddyfile', { skip: without('caddy') }, () => {
  it('lets requests wait while Vox restarts', async () => {
    const env = { VOX_DATABASE_URL: await sqlite.freshUrl(), VOX_STORAGE_PATH: freshPath() }
    const first = await spawnServer(env)
    await using proxy = await startCaddy('Caddyfile.full')(portOf(first))
    await stop(first, 'SIGTERM')
    const waiting = call(proxy, '/api/v1/gateway')
    const second = await spawnServer({ ...env, VOX_PORT: `${portOf(first)}` })
    assert.equal((await waiting).status, 200)
    await stop(second, 'SIGTERM')
  })

  it('serves a front end below /app, whose own paths all begin with index.html', async () => {
    const folder = freshPath()
    mkdirSync(path.join(folder, 'assets'), { recursive: true })
    writeFileSync(path.join(folder, 'index.html'), 'the app')
    writeFileSync(path.join(folder, 'assets/main.js'), 'the script')
    await using proxy = await startCaddy('Caddyfile.full')(1, (site) => site.replace('/srv/vox-app', folder))
    const [bare, start, asset, deep] = await Promise.all(
      ['/app', '/app/', '/app/assets/main.js', '/app/feeds/1'].map((url) => call(proxy, url)),
    )
    assert.deepEqual([bare?.status, bare?.headers.location], [302, '/app/'])
    assert.deepEqual([start?.body, asset?.body, deep?.body], ['the app', 'the script', 'the app'])
  })
})
