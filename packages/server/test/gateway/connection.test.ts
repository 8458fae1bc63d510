import assert from 'node:assert/strict'
import { once } from 'node:events'
import { connect } from 'node:net'
import { describe, it } from 'node:test'
import { heartbeat, roleUpdate } from '@vox/protocol'
import { rawSocket, TestGateway, type TestSocket } from '../support/gateway.ts'

/** Opens a socket that has read `hello`. */
async function stranger(gateway: TestGateway, query?: string, address?: string): Promise<TestSocket> {
  const socket = await gateway.open({ ...(query && { query }), ...(address && { address }) })
  await socket.next('hello')
  return socket
}

describe('the upgrade', () => {
  it('is offered at exactly /gateway', async () => {
    await using gateway = await TestGateway.start()
    for (const path of ['/', '/gateway/', '/gateways', '/api/v1/gateway']) {
      const response = await upgrade(gateway.port, path)
      assert.equal(response.split('\r\n')[0], 'HTTP/1.1 404 Not Found', path)
    }
  })

  it('is the only thing that is offered there', async () => {
    await using gateway = await TestGateway.start()
    assert.equal((await fetch(`http://127.0.0.1:${gateway.port}/gateway`)).status, 404)
  })

  it('takes any origin, and agrees to neither a subprotocol nor compression by WebSocket', async () => {
    await using gateway = await TestGateway.start()
    const answer = await upgrade(
      gateway.port,
      '/gateway',
      undefined,
      'Origin: https://elsewhere.example\r\nSec-WebSocket-Protocol: vox, chat\r\n' +
        'Sec-WebSocket-Extensions: permessage-deflate\r\n',
    )
    assert.match(answer, /^HTTP\/1.1 101/)
    assert.doesNotMatch(answer, /Sec-WebSocket-(Protocol|Extensions)/i)
  })

  it('answers a handshake that is none with 400', async () => {
    await using gateway = await TestGateway.start()
    assert.match(await upgrade(gateway.port, '/gateway', ''), /^HTTP\/1.1 400/)
  })

  it('finishes but closes without hello for a version or encoding that is not supported', async () => {
    await using gateway = await TestGateway.start()
    for (const [query, code] of [
      ['?v=0', 4011],
      ['?v=2', 4011],
      ['?v=one', 4011],
      ['?v=', 4011],
      ['?encoding=etf', 4002],
    ] as const) {
      const socket = await gateway.open({ query })
      assert.equal((await socket.closed)[0], code, query)
      await assert.rejects(socket.next(), /closed/)
    }
  })

  it('ignores unknown parameters and takes the known ones', async () => {
    await using gateway = await TestGateway.start()
    await stranger(gateway, '?v=1&encoding=json&shard=3&compress=gzip')
  })
})

describe('framing', () => {
  it('is text without compression, which gzip is not', async () => {
    await using gateway = await TestGateway.start()
    const token = gateway.member(1)
    const socket = await gateway.open({ query: '?compress=gzip' })
    const hello = await socket.next('hello')
    assert.equal(hello.binary, false)
    assert.deepEqual(hello.d, { heartbeat_interval: 45_000 })
    socket.send('identify', { token })
    assert.equal((await socket.next('ready')).binary, false)
  })

  it('is one Zstandard frame per message with zstd, for every kind of message', async () => {
    await using gateway = await TestGateway.start()
    gateway.feed(7)
    const token = gateway.member(1)
    const socket = await gateway.open({ query: '?compress=zstd' })
    const messages = [await socket.next('hello')]
    socket.send('identify', { token, capabilities: [] })
    messages.push(await socket.next('ready'))
    socket.send('heartbeat')
    messages.push(await socket.next('heartbeat_ack'))
    socket.send('presence_update', { status: 'banana' })
    messages.push(await socket.next('error'))
    gateway.send(7, 'é'.repeat(5_000))
    messages.push(await socket.next('message_create'))
    await socket.close()
    const again = await gateway.resume(token, socket.sessionId, 1, { query: '?compress=zstd' })
    const replayed = await again.next('message_create')
    messages.push(replayed, await again.next('resumed'))
    assert.equal(replayed.d.body, 'é'.repeat(5_000))
    for (const { binary, bytes, type } of messages) {
      assert.equal(binary, true, type)
      assert.equal(bytes.readUInt32LE(), 0xfd2fb528, type)
      // The size is stated: by a flag of its own, or because there is a single segment.
      assert.ok(bytes.readUInt8(4) >> 5, type)
    }
  })

  it('follows the query string of the connection, not that of the session', async () => {
    await using gateway = await TestGateway.start()
    gateway.feed(7)
    const token = gateway.member(1)
    const socket = await gateway.identify(token, { query: '?compress=zstd' })
    gateway.send(7, 'hi')
    const compressed = await socket.next('message_create')
    await socket.close()
    const again = await gateway.resume(token, socket.sessionId, 1)
    const plain = await again.next('message_create')
    assert.deepEqual([compressed.binary, plain.binary], [true, false])
    assert.deepEqual({ ...plain, binary: 0, bytes: 0 }, { ...compressed, binary: 0, bytes: 0 })
  })

  it('keeps all digits of 64-bit integers', async () => {
    await using gateway = await TestGateway.start()
    gateway.feed(7)
    const socket = await gateway.identify(gateway.member(1))
    gateway.send(7, 'hi')
    assert.equal((await socket.next('message_create')).d.msg_id, 2n ** 62n)
    const data = { role_id: 3, permissions: 2n ** 62n + 1n }
    gateway.bus.publish({ event: roleUpdate, data, audience: { to: 'members' } })
    assert.equal((await socket.next('role_update')).d.permissions, 2n ** 62n + 1n)
  })

  it('puts no seq on control messages and no d on the acknowledgement', async () => {
    await using gateway = await TestGateway.start()
    const token = gateway.member(1)
    const socket = await gateway.open()
    const hello = await socket.next('hello')
    socket.send('identify', { token })
    await socket.next('ready')
    socket.send('heartbeat')
    const ack = await socket.next('heartbeat_ack')
    socket.send('presence_update', { status: 5 })
    const error = await socket.next('error')
    await socket.close()
    const resumed = await (await gateway.resume(token, socket.sessionId, 1)).next('resumed')
    for (const message of [hello, ack, error, resumed]) assert.equal('seq' in message, false, message.type)
    assert.equal('d' in ack, false)
  })
})

describe('the first message', () => {
  const cases: [what: string, send: (socket: TestSocket) => void, code: number][] = [
    ['a heartbeat', (socket) => socket.send('heartbeat'), 4003],
    ['an unknown type', (socket) => socket.send('hello'), 4003],
    ['no type', (socket) => socket.sendText('{}'), 4003],
    ['a type that is no string', (socket) => socket.sendText('{"type":1}'), 4003],
    ['text that is no JSON', (socket) => socket.sendText('not json'), 4002],
    ['an array', (socket) => socket.sendText('[1]'), 4002],
    ['a scalar', (socket) => socket.sendText('null'), 4002],
    ['d that is no object', (socket) => socket.sendText('{"type":"identify","d":[]}'), 4002],
    ['binary', (socket) => socket.ws.send(Buffer.from('{"type":"identify"}')), 4002],
    ['text that is no UTF-8', (socket) => socket.ws.send(Buffer.from([0x22, 0xff, 0x22]), { binary: false }), 4002],
    ['more than 64 KiB', (socket) => socket.sendText(`{"type":"identify","pad":"${'x'.repeat(65_536)}"}`), 4002],
    ['megabytes', (socket) => socket.sendText(`{"type":"identify","pad":"${'x'.repeat(5_000_000)}"}`), 4002],
    ['a protocol version of 0', (socket) => socket.send('identify', { token: 't', protocol_version: 0 }), 4011],
    ['a protocol version of 99', (socket) => socket.send('identify', { token: 't', protocol_version: 99 }), 4011],
    ['a huge protocol version', (socket) => socket.send('identify', { token: 't', protocol_version: 2n ** 60n }), 4011],
    ['a version that is text', (socket) => socket.send('identify', { token: 't', protocol_version: '1' }), 4002],
    ['a version with a fraction', (socket) => socket.send('identify', { token: 't', protocol_version: 1.5 }), 4002],
    ['no token', (socket) => socket.send('identify', {}), 4004],
    ['no d', (socket) => socket.send('identify'), 4004],
    ['d of null', (socket) => socket.sendText('{"type":"identify","d":null}'), 4004],
    ['an empty token', (socket) => socket.send('identify', { token: '' }), 4004],
    ['a token that is no string', (socket) => socket.send('identify', { token: 5 }), 4004],
    ['an unknown token', (socket) => socket.send('identify', { token: 'vox_sess_nobody' }), 4004],
    ['a resume without a token', (socket) => socket.send('resume', { session_id: 'sess_1' }), 4004],
    ['a resume without a session', (socket) => socket.send('resume', { token: 'vox_sess_1' }), 4004],
    ['a resume of an empty session', (socket) => socket.send('resume', { token: 'vox_sess_1', session_id: '' }), 4004],
  ]
  for (const [what, send, code] of cases) {
    it(`closes with ${code} for ${what}`, async () => {
      await using gateway = await TestGateway.start()
      const socket = await stranger(gateway)
      send(socket)
      assert.equal((await socket.closed)[0], code)
    })
  }

  it('is awaited for 30 s', async () => {
    await using gateway = await TestGateway.start()
    const socket = await stranger(gateway)
    gateway.clock.advance(29_000)
    assert.equal(gateway.gateway.stats.sockets, 1)
    gateway.clock.advance(1_000)
    assert.deepEqual(await socket.closed, [4003, 'NOT_AUTHENTICATED'])
  })

  it('may leave the version out, or give null', async () => {
    await using gateway = await TestGateway.start()
    const token = gateway.member(1)
    await gateway.identify(token)
    const socket = await stranger(gateway)
    socket.send('identify', { token, protocol_version: null, capabilities: 'all', unknown: 1 })
    await socket.next('ready')
  })

  it('may come in fragments', async () => {
    await using gateway = await TestGateway.start()
    const token = gateway.member(1)
    const socket = await stranger(gateway)
    socket.ws.send('{"type":"identify",', { fin: false })
    socket.ws.send(`"d":{"token":"${token}"}}`, { fin: true })
    await socket.next('ready')
  })

  it('is refused for an account that is no longer active, however often', async () => {
    await using gateway = await TestGateway.start()
    gateway.setToken('former', 'inactive')
    for (let i = 0; i < 11; i++) {
      const socket = await stranger(gateway, '', '192.0.2.1')
      socket.send('identify', { token: 'former' })
      assert.deepEqual(await socket.closed, [4004, 'AUTH_FAILED'])
    }
  })

  it('is answered by pongs while it is worked on, and later messages wait for it', async () => {
    await using gateway = await TestGateway.start()
    const token = gateway.member(1)
    let answer = () => {}
    gateway.beforeAnswer = () =>
      new Promise((resolve) => {
        answer = resolve
      })
    const socket = await stranger(gateway)
    socket.send('identify', { token })
    socket.send('heartbeat')
    socket.send('presence_update', { status: 'idle' })
    socket.ws.ping()
    await once(socket.ws, 'pong')
    answer()
    await socket.next('ready')
    await socket.next('heartbeat_ack')
    assert.equal((await socket.next('presence_update')).d.status, 'idle')
  })

  it('lets some 128 KiB wait for it, whatever the number of messages', async () => {
    await using gateway = await TestGateway.start()
    gateway.beforeAnswer = () => new Promise(() => {})
    const text = JSON.stringify({ type: 'none', d: { text: 'x'.repeat(60_000) } })
    const socket = await stranger(gateway)
    socket.send('identify', { token: 'any' })
    for (let i = 0; i < 2; i++) socket.sendText(text)
    socket.ws.ping()
    await once(socket.ws, 'pong')
    for (let i = 0; i < 3; i++) socket.sendText(text)
    assert.deepEqual(await socket.closed, [4002, 'DECODE_ERROR'])
  })

  it('is worth nothing when the client has gone before it was answered', async () => {
    await using gateway = await TestGateway.start()
    const token = gateway.member(1)
    let answer = () => {}
    const asked = new Promise<void>((resolve) => {
      gateway.beforeAnswer = () => {
        resolve()
        return new Promise((go) => {
          answer = go
        })
      }
    })
    const socket = await stranger(gateway)
    socket.send('identify', { token })
    await asked
    await socket.close()
    answer()
    gateway.beforeAnswer = () => {}
    await gateway.identify(token)
    assert.deepEqual(
      { live: gateway.gateway.stats.liveSessions, resumable: gateway.gateway.stats.resumableSessions },
      { live: 1, resumable: 0 },
    )
  })

  it('is looked at again when a token ended while it was looked up', async () => {
    await using gateway = await TestGateway.start()
    const token = gateway.member(1)
    gateway.beforeAnswer = () => {
      gateway.beforeAnswer = () => {}
      gateway.setToken(token, 'unknown')
      gateway.gateway.endAuthSession(1)
    }
    const socket = await stranger(gateway)
    socket.send('identify', { token })
    assert.equal((await socket.closed)[0], 4004)
  })

  it('closes with 4000 and is logged when the look-up fails', async () => {
    await using gateway = await TestGateway.start()
    gateway.beforeAnswer = () => Promise.reject(new Error('no database'))
    const socket = await stranger(gateway)
    socket.send('identify', { token: 'any' })
    assert.deepEqual(await socket.closed, [4000, 'UNKNOWN_ERROR'])
    assert.equal(gateway.errors.length, 1)
  })
})

describe('ready', () => {
  it('says who and where the client is', async () => {
    await using gateway = await TestGateway.start()
    const token = gateway.member(1, { displayName: 'Ann' })
    const socket = await stranger(gateway)
    socket.send('identify', { token })
    const { type, seq, d } = await socket.next()
    assert.match(d.session_id, /^sess_[0-9a-f]{24}$/)
    assert.deepEqual(
      { type, seq, d },
      {
        type: 'ready',
        seq: 1,
        d: {
          session_id: d.session_id,
          user_id: 1,
          display_name: 'Ann',
          server_name: 'Test',
          server_time: Math.floor(gateway.clock.now() / 1000),
          protocol_version: 1,
          capabilities: ['voice', 'e2ee', 'federation', 'bots', 'webhooks'],
        },
      },
    )
  })

  it('tells a bot that it is one', async () => {
    await using gateway = await TestGateway.start()
    const token = gateway.member(1, { isBot: true })
    const socket = await stranger(gateway)
    socket.send('identify', { token })
    assert.equal((await socket.next('ready')).d.is_bot, true)
  })
})

describe('messages after ready', () => {
  it('are acknowledged when they are heartbeats, whatever their d', async () => {
    await using gateway = await TestGateway.start()
    const socket = await gateway.identify(gateway.member(1))
    for (const text of ['{"type":"heartbeat"}', '{"type":"heartbeat","d":null}', '{"type":"heartbeat","d":17}']) {
      socket.sendText(text)
      await socket.next('heartbeat_ack')
    }
  })

  it('are ignored when their type is unknown or missing', async () => {
    await using gateway = await TestGateway.start()
    const socket = await gateway.identify(gateway.member(1))
    socket.send('dance', { with: 'me' })
    socket.sendText('{"type":5}')
    socket.sendText('{}')
    assert.deepEqual(await socket.rest(), [])
  })

  it('close with 4005 when they identify or resume again', async () => {
    await using gateway = await TestGateway.start()
    const token = gateway.member(1)
    for (const type of ['identify', 'resume']) {
      const socket = await gateway.identify(token)
      socket.send(type, {})
      assert.deepEqual(await socket.closed, [4005, 'ALREADY_AUTHENTICATED'])
      const again = await gateway.resume(token, socket.sessionId, 1)
      await again.next('resumed')
      await again.close()
    }
  })

  it('close with 4002 when they cannot be read', async () => {
    await using gateway = await TestGateway.start()
    const token = gateway.member(1)
    for (const send of [
      (socket: TestSocket) => socket.sendText('not json'),
      (socket: TestSocket) => socket.sendText('[1]'),
      (socket: TestSocket) => socket.ws.send(Buffer.from('{"type":"heartbeat"}')),
      (socket: TestSocket) => socket.sendText('{"type":"dance","d":17}'),
      (socket: TestSocket) => socket.sendText(`${'['.repeat(70)}${']'.repeat(70)}`),
    ]) {
      const socket = await gateway.identify(token)
      send(socket)
      assert.deepEqual(await socket.closed, [4002, 'DECODE_ERROR'])
      const again = await gateway.resume(token, socket.sessionId, 1)
      await again.next('resumed')
      await again.close()
    }
  })

  it('get an error when they are too large to be looked at, and the connection lives on', async () => {
    await using gateway = await TestGateway.start()
    const socket = await gateway.identify(gateway.member(1))
    socket.send('mls_relay', { mls_type: 'commit', data: 'x'.repeat(10 * 1024 * 1024) })
    assert.equal((await socket.next('error')).d.code, 'PAYLOAD_TOO_LARGE')
    assert.deepEqual(await socket.rest(), [])
  })

  it('may be as large as the limit of relays makes them', async () => {
    await using gateway = await TestGateway.start()
    gateway.limit('relay_payload_max', 50_000)
    const socket = await gateway.identify(gateway.member(1))
    socket.send('dance', { data: 'x'.repeat(190_000) })
    assert.deepEqual(await socket.rest(), [])
  })

  it('close with 1009 above 16 MiB, and the session can be resumed', async () => {
    await using gateway = await TestGateway.start()
    const token = gateway.member(1)
    const socket = await gateway.identify(token)
    socket.sendText('x'.repeat(16 * 1024 * 1024 + 1))
    assert.equal((await socket.closed)[0], 1009)
    await (await gateway.resume(token, socket.sessionId, 1)).next('resumed')
  })

  it('close with 4000 and are logged when a command fails, at once or later', async () => {
    await using gateway = await TestGateway.start()
    const token = gateway.member(1)
    for (const fail of [
      () => {
        throw new Error('broken')
      },
      () => Promise.reject(new Error('broken')),
    ]) {
      gateway.gateway.commands.on({ ...heartbeat, type: 'fail' }, fail)
      const socket = await gateway.identify(token)
      socket.send('fail')
      assert.deepEqual(await socket.closed, [4000, 'UNKNOWN_ERROR'])
      const again = await gateway.resume(token, socket.sessionId, 1)
      await again.next('resumed')
      await again.close()
    }
    assert.equal(gateway.errors.length, 2)
  })
})

describe('the message limit', () => {
  it('lets 120 messages in a minute pass and closes with 4006 on the next', async () => {
    await using gateway = await TestGateway.start()
    const socket = await gateway.identify(gateway.member(1))
    for (let i = 0; i < 119; i++) socket.send('heartbeat')
    for (let i = 0; i < 119; i++) await socket.next('heartbeat_ack')
    gateway.clock.advance(59_999)
    socket.send('heartbeat')
    await socket.next('heartbeat_ack')
    socket.send('heartbeat')
    assert.deepEqual(await socket.closed, [4006, 'RATE_LIMITED'])
  })

  it('slides: what is a minute old does not count', async () => {
    await using gateway = await TestGateway.start()
    const socket = await gateway.identify(gateway.member(1))
    for (let i = 0; i < 120; i++) socket.send('heartbeat')
    for (let i = 0; i < 120; i++) await socket.next('heartbeat_ack')
    gateway.clock.advance(60_000)
    for (let i = 0; i < 120; i++) socket.send('heartbeat')
    for (let i = 0; i < 120; i++) await socket.next('heartbeat_ack')
  })

  it('counts unknown and oversize messages, but not the first one', async () => {
    await using gateway = await TestGateway.start()
    gateway.limit('gateway_messages_per_minute', 3)
    const socket = await gateway.identify(gateway.member(1))
    socket.send('dance')
    socket.sendText('x'.repeat(70_000))
    await socket.next('error')
    socket.sendText('{}')
    socket.send('heartbeat')
    assert.deepEqual(await socket.closed, [4006, 'RATE_LIMITED'])
  })

  it('does not count pings, which are answered all the same', async () => {
    await using gateway = await TestGateway.start()
    gateway.limit('gateway_messages_per_minute', 4)
    const socket = await gateway.identify(gateway.member(1))
    for (let i = 0; i < 10; i++) {
      socket.ws.ping()
      await once(socket.ws, 'pong')
    }
    assert.deepEqual(await socket.rest(), [])
  })

  it('counts messages that wait for the answer to identify', async () => {
    await using gateway = await TestGateway.start()
    gateway.limit('gateway_messages_per_minute', 3)
    gateway.beforeAnswer = () => new Promise(() => {})
    const socket = await stranger(gateway)
    socket.send('identify', { token: 'any' })
    for (let i = 0; i < 4; i++) socket.send('heartbeat')
    assert.deepEqual(await socket.closed, [4006, 'RATE_LIMITED'])
  })
})

describe('connection limits', () => {
  it('let ten connections in from one address, and slots come back', async () => {
    await using gateway = await TestGateway.start()
    const tokens = Array.from({ length: 11 }, (_, i) => gateway.member(i + 1))
    const address = '192.0.2.1'
    const sockets = []
    for (const token of tokens.slice(0, 10)) sockets.push(await gateway.identify(token, { address }))
    const eleventh = await stranger(gateway, '', address)
    eleventh.send('identify', { token: tokens[10] })
    assert.deepEqual(await eleventh.closed, [4006, 'RATE_LIMITED'])
    await gateway.identify(tokens[10] ?? '', { address: '192.0.2.2' })
    await sockets[0]?.close()
    await gateway.identify(tokens[10] ?? '', { address })
  })

  it('count IPv6 addresses by their /64 and leave unknown addresses alone', async () => {
    await using gateway = await TestGateway.start()
    gateway.limit('connections_per_ip', 1)
    await gateway.identify(gateway.member(1), { address: '2001:db8::1' })
    const neighbour = await stranger(gateway, '', '2001:db8::ffff:2')
    neighbour.send('identify', { token: gateway.member(2) })
    assert.equal((await neighbour.closed)[0], 4006)
    await gateway.identify(gateway.member(3), { address: '2001:db8:0:1::1' })
    await gateway.identify(gateway.member(4))
    await gateway.identify(gateway.member(5))
  })

  it('let five sessions of one user live', async () => {
    await using gateway = await TestGateway.start()
    const token = gateway.member(1)
    const sockets = []
    for (let i = 0; i < 5; i++) sockets.push(await gateway.identify(token))
    const sixth = await stranger(gateway)
    sixth.send('identify', { token })
    assert.deepEqual(await sixth.closed, [4006, 'RATE_LIMITED'])
    await sockets[0]?.close()
    await gateway.identify(token)
  })

  it('can be switched off', async () => {
    await using gateway = await TestGateway.start()
    gateway.limit('connections_per_ip', 0)
    gateway.limit('sessions_per_user', 0)
    const token = gateway.member(1)
    for (let i = 0; i < 25; i++) await gateway.identify(token, { address: '192.0.2.1' })
  })

  it('close with 4012 when the server is full, before those of the address and user are looked at', async () => {
    await using gateway = await TestGateway.start()
    gateway.limit('max_total_connections', 1)
    gateway.limit('sessions_per_user', 1)
    const token = gateway.member(1)
    const first = await gateway.identify(token)
    const second = await stranger(gateway)
    second.send('identify', { token })
    assert.deepEqual(await second.closed, [4012, 'SERVER_FULL'])
    await first.close()
    await gateway.identify(token)
  })

  it('bound the sockets of one address that have not identified', async () => {
    await using gateway = await TestGateway.start()
    gateway.limit('connections_per_ip', 2)
    const address = '192.0.2.1'
    const waiting = []
    for (let i = 0; i < 4; i++) waiting.push(await stranger(gateway, '', address))
    const fifth = await gateway.open({ address })
    assert.deepEqual(await fifth.closed, [4006, 'RATE_LIMITED'])
    await assert.rejects(fifth.next(), /closed/)
    waiting[0]?.send('identify', { token: gateway.member(1) })
    await waiting[0]?.next('ready')
    await stranger(gateway, '', address)
  })

  it('bound all sockets that have not identified', async () => {
    await using gateway = await TestGateway.start()
    for (let i = 0; i < 1000; i += 100) await Promise.all(Array.from({ length: 100 }, () => stranger(gateway)))
    const next = await gateway.open()
    assert.deepEqual(await next.closed, [4012, 'SERVER_FULL'])
  })
})

describe('the limit of failed logins', () => {
  async function fail(gateway: TestGateway, address: string, d: object, type = 'identify'): Promise<number> {
    const socket = await stranger(gateway, '', address)
    socket.send(type, d)
    return (await socket.closed)[0]
  }

  it('refuses every token for a while after ten failures', async () => {
    await using gateway = await TestGateway.start()
    const token = gateway.member(1)
    const address = '192.0.2.1'
    const wrong = [{ token: 'wrong' }, { token: '' }, {}, { token: 5 }]
    for (let i = 0; i < 9; i++) assert.equal(await fail(gateway, address, wrong[i % 4] ?? {}), 4004)
    assert.equal(await fail(gateway, address, { session_id: 'sess_1' }, 'resume'), 4004)
    const refused = await stranger(gateway, '', address)
    refused.send('identify', { token })
    assert.deepEqual(await refused.closed, [4008, 'AUTH_RATE_LIMITED'])
    assert.equal(await fail(gateway, address, { token, session_id: 'sess_1' }, 'resume'), 4008)
    await gateway.identify(token, { address: '192.0.2.2' })
    gateway.clock.advance(60_000)
    await gateway.identify(token, { address })
  })

  it('does not forget failures because of a success', async () => {
    await using gateway = await TestGateway.start()
    const token = gateway.member(1)
    const address = '192.0.2.1'
    for (let i = 0; i < 9; i++) assert.equal(await fail(gateway, address, { token: 'wrong' }), 4004)
    await gateway.identify(token, { address })
    assert.equal(await fail(gateway, address, { token: 'wrong' }), 4004)
    assert.equal(await fail(gateway, address, { token }), 4008)
  })

  it('does not count wrong versions, wrong sessions and refusals', async () => {
    await using gateway = await TestGateway.start()
    gateway.limit('gateway_auth_failures_per_minute', 1)
    const token = gateway.member(1)
    const address = '192.0.2.1'
    assert.equal(await fail(gateway, address, { token: 'wrong', protocol_version: 99 }), 4011)
    assert.equal(await fail(gateway, address, { token, session_id: 'sess_1' }, 'resume'), 4009)
    assert.equal(await fail(gateway, address, { token, session_id: '' }, 'resume'), 4004)
    await gateway.identify(token, { address })
    assert.equal(await fail(gateway, address, { token: 'wrong' }), 4004)
    gateway.clock.advance(30_000)
    assert.equal(await fail(gateway, address, { token: 'wrong' }), 4008)
    gateway.clock.advance(30_000)
    await gateway.identify(token, { address })
  })
})

describe('heartbeats', () => {
  it('are due within 67.5 s, and nothing else takes their place', async () => {
    await using gateway = await TestGateway.start()
    const token = gateway.member(1)
    const socket = await gateway.identify(token)
    gateway.clock.advance(60_000)
    socket.send('presence_update', { status: 'idle' })
    await socket.next('presence_update')
    socket.ws.ping()
    gateway.clock.advance(7_000)
    assert.equal(gateway.gateway.stats.liveSessions, 1)
    gateway.clock.advance(1_500)
    assert.deepEqual(await socket.closed, [4007, 'SESSION_TIMEOUT'])
    await (await gateway.resume(token, socket.sessionId, 2)).next('resumed')
  })

  it('are answered while a command is worked on, and no other message is', async () => {
    await using gateway = await TestGateway.start()
    const { promise, resolve } = Promise.withResolvers<void>()
    gateway.gateway.commands.on({ ...heartbeat, type: 'slow' }, () => promise)
    const socket = await gateway.identify(gateway.member(1))
    socket.send('slow')
    socket.send('presence_update', { status: 'idle' })
    for (let i = 0; i < 3; i++) {
      socket.send('heartbeat')
      await socket.next('heartbeat_ack')
    }
    resolve()
    assert.equal((await socket.next('presence_update')).d.status, 'idle')
  })

  it('keep the session alive and its token in use', async () => {
    await using gateway = await TestGateway.start()
    const socket = await gateway.identify(gateway.member(1, { authSessionId: 44 }))
    for (let i = 0; i < 5; i++) {
      gateway.clock.advance(60_000)
      socket.send('heartbeat')
      await socket.next('heartbeat_ack')
    }
    assert.deepEqual(gateway.used, [44, 44, 44, 44, 44, 44])
  })

  it('are counted from resumed', async () => {
    await using gateway = await TestGateway.start()
    const token = gateway.member(1)
    const socket = await gateway.identify(token)
    gateway.clock.advance(60_000)
    await socket.close()
    const again = await gateway.resume(token, socket.sessionId, 1)
    await again.next('resumed')
    gateway.clock.advance(67_000)
    assert.deepEqual(await again.rest(), [])
  })
})

describe('the planned stop', () => {
  it('sends 4008 to every socket, refuses upgrades and ends when all are gone', async () => {
    await using gateway = await TestGateway.start()
    const member = await gateway.identify(gateway.member(1))
    const other = await gateway.identify(gateway.member(2))
    await member.next('presence_update')
    await other.next('presence_update')
    const waiting = await stranger(gateway)
    const stopped = gateway.gateway.close()
    assert.match(await upgrade(gateway.port, '/gateway'), /^HTTP\/1.1 503/)
    for (const socket of [member, other, waiting]) {
      assert.deepEqual(await socket.closed, [4008, 'SERVER_RESTART'])
      await assert.rejects(socket.next(), /closed/)
    }
    await stopped
    assert.equal(gateway.gateway.stats.sockets, 0)
  })

  it('does not wait for clients that do not answer', async () => {
    await using gateway = await TestGateway.start()
    const deaf = await rawSocket(gateway.port)
    const closed = once(deaf, 'close')
    await gateway.gateway.close()
    await closed
  })
})

describe('a socket that breaks', () => {
  it('does no harm, whatever it sends', async () => {
    await using gateway = await TestGateway.start()
    for (const bytes of [
      Buffer.from([0xff, 0xff, 0xff]),
      Buffer.from([0x81, 0x05, 1, 2, 3, 4, 5]),
      Buffer.from([0x83, 0x80, 0, 0, 0, 0]),
    ]) {
      const raw = await rawSocket(gateway.port)
      raw.write(bytes)
      await once(raw, 'close')
    }
    const abrupt = await rawSocket(gateway.port)
    abrupt.resetAndDestroy()
    await gateway.identify(gateway.member(1))
    assert.deepEqual(gateway.errors, [])
  })

  it('may not fill the memory before it has identified', async () => {
    await using gateway = await TestGateway.start()
    const raw = await rawSocket(gateway.port)
    const header = Buffer.from([0x81, 0xff, 0, 0, 0, 0, 0, 0x80, 0, 0, 1, 2, 3, 4])
    raw.write(Buffer.concat([header, Buffer.alloc(200_000)]))
    const received: Buffer[] = []
    raw.on('data', (chunk) => received.push(chunk))
    await once(raw, 'close')
    assert.match(Buffer.concat(received).toString('latin1'), /DECODE_ERROR/)
  })
})

/** Asks for an upgrade and returns what comes back as text. */
async function upgrade(port: number, path: string, key = 'dGhlIHNhbXBsZSBub25jZQ==', headers = ''): Promise<string> {
  const socket = connect(port, '127.0.0.1')
  socket.write(
    `GET ${path} HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n` +
      `Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: ${key}\r\n${headers}\r\n`,
  )
  const [answer] = await once(socket, 'data')
  socket.destroy()
  return String(answer)
}
