import assert from 'node:assert/strict'
import { it } from 'node:test'
import { messageCreate } from '@vox/protocol'
import { enableTotp, logIn, ticketFor } from '../support/accounts.ts'
import { TestClock } from '../support/clock.ts'
import { forEachEngine, sqlite } from '../support/engines.ts'
import { eventually } from '../support/eventually.ts'
import { rawSocket, TestSocket } from '../support/gateway.ts'
import { GatewayClient } from '../support/gateway-client.ts'
import { Client, failure, startTestServer, type TestServer } from '../support/server.ts'
import { countRows } from '../support/sql.ts'

const DAY_MS = 86_400_000

/** A socket on the server that has read `hello` and sent this. */
async function greeted({ url }: TestServer, type: string, d: object): Promise<TestSocket> {
  const socket = new TestSocket(`${url.replace('http', 'ws')}/gateway`, undefined)
  await socket.next('hello')
  socket.send(type, d)
  return socket
}

/** Status of a request to the client's own account. */
const statusOf = async (client: Client) => (await client.get('/users/@me')).status

/** Ada, and a feed of hers. */
async function withFeed(server: TestServer) {
  const ada = await server.register('ada')
  const feedId: number = (await ada.post('/feeds', { name: 'general', type: 'text' })).body.feed_id
  return { ada, feedId }
}

forEachEngine('a token', (engine) => {
  it('of a half-finished login opens no session', async () => {
    const clock = new TestClock()
    await using server = await startTestServer(engine, { clock })
    const ada = await server.register('ada')
    await enableTotp(ada, clock)
    const ticket = await ticketFor(server, 'ada')
    for (const token of [ticket, `Bearer ${ada.token}`, 'setup_totp_x', 'setup_webauthn_x', 'fed_x'])
      assert.equal((await (await greeted(server, 'identify', { token })).closed)[0], 4004, token)
  })

  it('is used by identify, resume and heartbeats, so that who only listens is not thrown out', async () => {
    const clock = new TestClock()
    await using server = await startTestServer(engine, { clock })
    const ada = await server.register('ada')
    const idle = (await logIn(server, 'ada')).body.token
    clock.advance(20 * DAY_MS)
    const { socket } = await GatewayClient.connect(server, ada)
    await socket.close()
    clock.advance(200_000)
    const resumed = await greeted(server, 'resume', { token: ada.token, session_id: socket.sessionId, last_seq: 1 })
    await resumed.next('resumed')
    clock.advance(20 * DAY_MS - 1_000_000)
    assert.equal((await resumed.closed)[0], 4007)
    assert.equal(await statusOf(ada), 200)
    assert.equal((await (await greeted(server, 'identify', { token: idle })).closed)[0], 4004)
  })
})

forEachEngine('a planned stop', (engine) => {
  it('sends clients away with 4008; afterwards the session is unknown and sync knows what was missed', async () => {
    const env = { VOX_DATABASE_URL: await engine.freshUrl() }
    let sessionId: string
    let token: string | undefined
    {
      await using server = await startTestServer(engine, { env })
      const { ada } = await withFeed(server)
      token = ada.token
      const { socket } = await GatewayClient.connect(server, ada)
      sessionId = socket.sessionId
      await server.close()
      assert.deepEqual(await socket.closed, [4008, 'SERVER_RESTART'])
    }
    await using server = await startTestServer(engine, { env })
    const resume = await greeted(server, 'resume', { token, session_id: sessionId, last_seq: 1 })
    assert.deepEqual(await resume.closed, [4009, 'SESSION_EXPIRED'])
    await (await greeted(server, 'identify', { token })).next('ready')
    const wanted = { since_timestamp: Date.now() - DAY_MS, categories: ['feeds'] }
    assert.equal((await new Client(server.url, token).post('/sync', wanted)).body.events.length, 1)
  })
})

it('a planned stop is told to newcomers for as long as gateway clients leave, a second at most', async () => {
  const clock = new TestClock()
  await using server = await startTestServer(sqlite, { clock })
  const deaf = await rawSocket(Number(new URL(server.url).port))
  const stopped = server.close()
  const ready = await fetch(`${server.url}/ready`)
  assert.deepEqual([ready.status, await ready.json()], [503, { status: 'unavailable' }])
  await assert.rejects(new TestSocket(`${server.url.replace('http', 'ws')}/gateway`, undefined).opened, /503/)
  clock.advance(1_000)
  await eventually(() => assert.rejects(fetch(`${server.url}/ready`)))
  deaf.destroy()
  await stopped
})

forEachEngine('ready', (engine) => {
  it('says what the server is called and shows at that moment, and how the user is called', async () => {
    await using server = await startTestServer(engine)
    const ada = await server.register('ada')
    const ready = async () => (await (await greeted(server, 'identify', { token: ada.token })).next('ready')).d
    const { server_name, display_name, ...before } = await ready()
    assert.deepEqual([typeof server_name, display_name, 'server_icon' in before], ['string', 'ada', false])
    await ada.patch('/server', { name: 'Tea', icon: 'https://example.org/tea.png' })
    await ada.patch('/users/@me', { display_name: 'Ada L.' })
    const after = await ready()
    assert.deepEqual(
      [after.server_name, after.server_icon, after.display_name, after.user_id],
      ['Tea', 'https://example.org/tea.png', 'Ada L.', ada.userId],
    )
  })

  it('is a cut: what REST shows after it and the events from it on have no gap between them', async () => {
    await using server = await startTestServer(engine)
    const { ada, feedId } = await withFeed(server)
    const posting = Array.from({ length: 40 }, (_, n) => ada.post(`/feeds/${feedId}/messages`, { body: `${n}` }))
    const seen = []
    for (let i = 0; i < 4; i++) {
      const { socket } = await GatewayClient.connect(server, ada, { settled: false })
      const history = (await ada.get(`/feeds/${feedId}/messages?limit=100`)).body.messages
      seen.push({ socket, history })
    }
    await Promise.all(posting)
    for (const { socket, history } of seen) {
      const told = (await socket.rest()).filter(({ type }) => type === messageCreate.type).map(({ d }) => d.body)
      const read = history.map(({ body }: { body: string }) => body)
      assert.equal(new Set([...read, ...told]).size, 40)
    }
  })
})

forEachEngine('an event', (engine) => {
  it('that clients could not take is refused with 413 before anything is stored', async () => {
    const env = { VOX_LIMIT_MESSAGE_BODY_MAX: '2000000', VOX_LIMIT_MAX_REQUEST_BODY: '9000000' }
    await using server = await startTestServer(engine, { env })
    const { ada, feedId } = await withFeed(server)
    const { socket } = await GatewayClient.connect(server, ada)
    const post = (body: string) => ada.post(`/feeds/${feedId}/messages`, { body })
    for (const body of ['x'.repeat(1_048_576), '"'.repeat(524_288), 'é'.repeat(524_288), '\u0001'.repeat(180_000)])
      assert.equal(failure(await post(body)), '413 PAYLOAD_TOO_LARGE')
    assert.deepEqual(await countRows(server.databaseUrl, 'select * from messages'), [0])
    assert.equal((await post('x'.repeat(1_040_000))).status, 201)
    assert.equal((await post('"'.repeat(400_000))).status, 201)
    assert.deepEqual(
      (await socket.rest()).map(({ d }) => d.body.length),
      [1_040_000, 400_000],
    )
  })
})

forEachEngine('limits of the gateway', (engine) => {
  it('are changed while the server runs', async () => {
    await using server = await startTestServer(engine)
    const ada = await server.register('ada')
    await GatewayClient.connect(server, ada)
    assert.equal((await ada.patch('/server/limits', { limits: { sessions_per_user: 1 } })).status, 200)
    assert.deepEqual(await (await greeted(server, 'identify', { token: ada.token })).closed, [4006, 'RATE_LIMITED'])
    await ada.patch('/server/limits', { limits: { sessions_per_user: 0, max_total_connections: 1 } })
    assert.deepEqual(await (await greeted(server, 'identify', { token: ada.token })).closed, [4012, 'SERVER_FULL'])
  })
})
