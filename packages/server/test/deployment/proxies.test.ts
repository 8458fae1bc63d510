import assert from 'node:assert/strict'
import { once } from 'node:events'
import { connect as connectHttp2 } from 'node:http2'
import { request } from 'node:https'
import { text } from 'node:stream/consumers'
import { after, before, describe, it } from 'node:test'
import { parseJson, stringifyJson } from '@vox/protocol'
import { WebSocket } from 'ws'
import { sqlite } from '../support/engines.ts'
import { eventually } from '../support/eventually.ts'
import { freshPath } from '../support/folder.ts'
import { FORM_TYPE, filePart, formBody } from '../support/forms.ts'
import { type ServerProcess, spawnServer, stop } from '../support/process.ts'
import { PROXIES, type ReverseProxy, without } from '../support/proxies.ts'

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
  path: string,
  { method = 'GET', headers = {}, body, from }: Options = {},
) {
  const sent = request({
    host: '127.0.0.1',
    servername: 'localhost',
    port,
    ca,
    path,
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
  const [response] = await once(sent, 'response')
  return { status: response.statusCode as number, headers: response.headers, body: await text(response) }
}

/** A gateway session through a proxy, as a client keeps it. */
class Session {
  readonly #proxy: ReverseProxy
  readonly #token: string
  #socket: WebSocket | undefined
  #id = ''
  #seq = 0
  /** Texts of the messages it was told of. */
  readonly texts: string[] = []
  #changed: () => void = () => {}

  constructor(proxy: ReverseProxy, token: string) {
    this.#proxy = proxy
    this.#token = token
  }

  /** Connects, and again whenever the connection ends. */
  async connect(): Promise<void> {
    const socket = new WebSocket(`wss://localhost:${this.#proxy.port}/gateway`, { ca: this.#proxy.ca })
    this.#socket = socket
    const send = (type: string, d: unknown) => socket.send(stringifyJson({ type, d }))
    socket.on('error', () => {})
    socket.on('close', () => this.#socket === socket && setTimeout(() => void this.connect(), 50))
    socket.on('message', (data) => {
      const { type, d, seq } = parseJson(String(data)) as { type: string; d: Record<string, unknown>; seq?: number }
      if (seq !== undefined) this.#seq = Number(seq)
      if (type === 'hello' && this.#id === '') send('identify', { token: this.#token })
      else if (type === 'hello') send('resume', { token: this.#token, session_id: this.#id, last_seq: this.#seq })
      if (type === 'ready') this.#id = String(d.session_id)
      if (type === 'message_create') this.texts.push(String(d.body))
      this.#changed()
    })
    if (this.#id === '') await this.until(() => this.#id !== '')
  }

  async until(condition: () => boolean): Promise<void> {
    while (!condition())
      await new Promise<void>((resolve) => {
        this.#changed = resolve
      })
  }

  close(): void {
    const socket = this.#socket
    this.#socket = undefined
    socket?.close()
  }
}

for (const [name, start] of Object.entries(PROXIES)) {
  describe(`behind ${name}`, { skip: without(name) }, () => {
    let server: ServerProcess
    let proxy: ReverseProxy
    let token = ''

    const authorized = () => ({ authorization: `Bearer ${token}`, 'content-type': 'application/json' })
    const post = async (path: string, body: object) =>
      parseJson(
        (await call(proxy, `/api/v1${path}`, { method: 'POST', headers: authorized(), body: JSON.stringify(body) }))
          .body,
      ) as Record<string, unknown>

    before(async () => {
      server = await spawnServer({
        VOX_DATABASE_URL: await sqlite.freshUrl(),
        VOX_STORAGE_PATH: freshPath(),
        VOX_LOG_FORMAT: 'json',
      })
      proxy = await start(Number(new URL(server.url).port))
      const { body } = await call(proxy, '/api/v1/auth/register', {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify({ username: 'ada', password: 'correct horse' }),
      })
      token = JSON.parse(body).token
      for (let i = 1; i <= 30; i++) await post('/feeds', { name: `feed number ${i}`, type: 'text' })
    })

    after(async () => {
      await proxy[Symbol.asyncDispose]()
      await stop(server, 'SIGTERM')
    })

    it('REST is spoken over HTTP/2', async () => {
      const session = connectHttp2(`https://localhost:${proxy.port}`, { ca: proxy.ca })
      const stream = session.request({ ':path': '/api/v1/server', ...authorized() })
      const [headers] = await once(stream, 'response')
      assert.equal(headers[':status'], 200)
      assert.equal(session.alpnProtocol, 'h2')
      assert.equal(typeof JSON.parse(await text(stream)).name, 'string')
      session.close()
    })

    it('long answers are compressed', async () => {
      const headers = { ...authorized(), 'accept-encoding': 'gzip' }
      const { status, headers: answered } = await call(proxy, '/api/v1/server/layout', { headers })
      assert.equal(status, 200)
      assert.equal(answered['content-encoding'], 'gzip')
    })

    it('a gateway session is told everything, also across a reload of the proxy', async () => {
      const session = new Session(proxy, token)
      await session.connect()
      await post('/feeds/1/messages', { body: 'before' })
      await session.until(() => session.texts.length === 1)
      proxy.reload()
      await post('/feeds/1/messages', { body: 'after' })
      await session.until(() => session.texts.length === 2)
      assert.deepEqual(session.texts, ['before', 'after'])
      session.close()
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

    it('the server knows the address of a client, whatever that says of itself', async () => {
      const earlier = server.log.length
      const answer = await call(proxy, '/api/v1/members', {
        from: '127.0.0.5',
        headers: { 'x-forwarded-for': '203.0.113.9', 'x-real-ip': '203.0.113.9', authorization: 'Bearer wrong' },
      })
      assert.equal(answer.status, 401)
      const line = await eventually(() => {
        const found = server.log.slice(earlier).find((entry) => entry.includes('/api/v1/members'))
        assert.ok(found)
        return JSON.parse(found)
      })
      assert.equal(line.address, '127.0.0.5')
    })

    it('the numbers of the operator stay inside', async () => {
      assert.equal((await call(proxy, '/metrics')).status, 404)
      assert.equal((await call(proxy, '/health')).status, 200)
    })
  })
}
