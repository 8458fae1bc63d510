import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import ipaddr from 'ipaddr.js'
import { federationPolicy, staticPeers } from '../../src/config/federation.ts'
import {
  boolean,
  choice,
  databaseUrl,
  integer,
  type Kind,
  nonEmptyText,
  optional,
  rateLimit,
  text,
  url,
} from '../../src/config/kinds.ts'
import { mimeList } from '../../src/config/mime.ts'
import {
  domain,
  listenAddress,
  mediaUrl,
  origins,
  outboundAllow,
  socketAddress,
  trustedProxies,
} from '../../src/config/networks.ts'

const KEY = Buffer.alloc(32, 7).toString('base64')
const peer = (fields: object) => JSON.stringify({ 'b.example': { host: '10.0.0.2', port: 443, key: KEY, ...fields } })

/** For each kind what it takes, with the value that comes of it, and what it refuses. */
const KINDS: Record<string, { kind: Kind<unknown>; takes: [string, unknown][]; refuses: string[] }> = {
  text: {
    kind: text,
    takes: [
      ['', ''],
      [' as it is ', ' as it is '],
    ],
    refuses: [],
  },
  'text that is not empty': { kind: nonEmptyText, takes: [[' a b ', 'a b']], refuses: ['', '  '] },
  integer: {
    kind: integer(-1, 65_535),
    takes: [
      ['0', 0],
      [' 8000 ', 8000],
      ['+7', 7],
      ['-1', -1],
      ['007', 7],
      ['65535', 65_535],
    ],
    refuses: ['', 'abc', '1.0', '1e3', '0x10', '1_000', '-2', '65536', '9'.repeat(400), 'NaN', 'Infinity', '1 2'],
  },
  boolean: {
    kind: boolean,
    takes: [
      ['true', true],
      ['TRUE', true],
      ['1', true],
      ['yes', true],
      [' on ', true],
      ['false', false],
      ['0', false],
      ['No', false],
      ['off', false],
    ],
    refuses: ['', 'maybe', '2', 'truee'],
  },
  choice: {
    kind: choice('local', 's3'),
    takes: [
      ['s3', 's3'],
      [' Local ', 'local'],
    ],
    refuses: ['', 'gcs', 's3,local'],
  },
  'optional value': {
    kind: optional(integer(0)),
    takes: [
      ['', null],
      ['  ', null],
      ['3', 3],
    ],
    refuses: ['x'],
  },
  url: {
    kind: url('ws', 'wss'),
    takes: [
      ['wss://chat.example.org/gateway', 'wss://chat.example.org/gateway'],
      [' ws://[::1]:1/ ', 'ws://[::1]:1/'],
    ],
    refuses: [
      '',
      'chat.example.org',
      '/gateway',
      'https://a',
      'wss://',
      'wss://a/?x=1',
      'wss://a/#b',
      'wss://a b',
      'ws:a',
      'wss://:1',
    ],
  },
  'rate limit': {
    kind: rateLimit,
    takes: [
      ['20:1', { burst: 20, refill: 1 }],
      ['5:0.1', { burst: 5, refill: 0.1 }],
    ],
    refuses: ['', '20', '20:', ':1', '0:1', '5:0', '5:0.0', '-5:1', '5:-1', '1.5:1', '5:1:1', '5:x', '5:1e9'],
  },
  'database URL': {
    kind: databaseUrl,
    takes: ['sqlite+aiosqlite:///vox.db', 'sqlite+aiosqlite://', 'postgresql+asyncpg://u:p@h:5432/n'].map((it) => [
      it,
      it,
    ]),
    refuses: ['', 'vox.db', 'mysql://u:p@h/n'],
  },
  'media types': {
    kind: mimeList,
    takes: [
      ['', []],
      ['*/*', ['*/*']],
      [' Image/PNG , video/* ,', ['image/png', 'video/*']],
      ['text/plain; charset=utf-8', ['text/plain']],
      ['["image/png", "text/*"]', ['image/png', 'text/*']],
      ['[]', []],
    ],
    refuses: ['png', 'image/', '/png', 'image/png video/mp4', '[1]', '["image/png"', '[{"a": "b/c"}]', '*'],
  },
  'address to listen on': {
    kind: listenAddress,
    takes: [
      ['127.0.0.1', '127.0.0.1'],
      ['::', '::'],
      ['[::1]', '::1'],
      ['localhost', 'localhost'],
      ['my_host.lan', 'my_host.lan'],
    ],
    refuses: ['', '*', 'a b', 'http://localhost', '127.0.0.1:80', 'a..b', 'x'.repeat(64)],
  },
  'socket address': {
    kind: socketAddress,
    takes: [
      ['0.0.0.0:4443', { host: '0.0.0.0', port: 4443 }],
      ['[::]:0', { host: '::', port: 0 }],
      ['sfu.lan:1', { host: 'sfu.lan', port: 1 }],
    ],
    refuses: ['', '0.0.0.0', ':4443', '::1:4443', '0.0.0.0:65536', '0.0.0.0:x', '[::1]', '1.2.3.4:'],
  },
  'media URL': {
    kind: mediaUrl,
    takes: [
      ['quic://chat.example.org:4443', 'quic://chat.example.org:4443'],
      ['[::1]:4443', 'quic://[::1]:4443'],
    ],
    refuses: ['', 'quic://chat.example.org', 'quic://a:1/', 'quic://a:0', 'wss://a:1', 'https://a:1'],
  },
  origins: {
    kind: origins,
    takes: [
      ['', []],
      ['https://App.example.org, tauri://localhost', ['https://app.example.org', 'tauri://localhost']],
      ['http://[::1]:3000', ['http://[::1]:3000']],
    ],
    refuses: ['*', 'app.example.org', 'https://a/', 'https://a/b', 'https://*.example.org', 'null'],
  },
  'hosts that may be reached': {
    kind: outboundAllow,
    takes: [
      ['', []],
      ['Bots.internal, 10.1.0.0/16,::1', ['bots.internal', [ipaddr.parse('10.1.0.0'), 16], [ipaddr.parse('::1'), 128]]],
    ],
    refuses: ['http://a', '10.0.0.0/33', 'a b', '*'],
  },
  domain: {
    kind: domain,
    takes: [
      ['Example.ORG.', 'example.org'],
      ['bücher.example', 'xn--bcher-kva.example'],
      ['alpha', 'alpha'],
    ],
    refuses: ['', 'example.org:443', '192.0.2.1', '[::1]', 'a_b.example', 'https://example.org', 'a..b'],
  },
  'federation policy': {
    kind: federationPolicy,
    takes: [
      ['open', 'open'],
      ['ALLOW_LIST', 'allowlist'],
      ['allow-list', 'allowlist'],
      ['Closed', 'closed'],
    ],
    refuses: ['', 'public'],
  },
  'static peers': {
    kind: staticPeers,
    takes: [
      ['', new Map()],
      ['{}', new Map()],
      [peer({}), new Map([['b.example', { host: '10.0.0.2', port: 443, key: KEY, policy: 'open', scheme: 'https' }]])],
      [
        peer({ host: '::1', scheme: 'http', policy: 'closed' }),
        new Map([['b.example', { host: '::1', port: 443, key: KEY, policy: 'closed', scheme: 'http' }]]),
      ],
    ],
    refuses: [
      'x',
      '[]',
      '{"b.example": 1}',
      '{"b:1": {}}',
      peer({ host: 1 }),
      peer({ host: 'a b' }),
      peer({ port: 0 }),
      peer({ port: '443' }),
      peer({ port: 65_536 }),
      peer({ key: 'short' }),
      peer({ key: null }),
      peer({ policy: 'any' }),
      peer({ policy: 1 }),
      peer({ scheme: 'http' }),
      peer({ scheme: 'ftp' }),
    ],
  },
}

for (const [name, { kind, takes, refuses }] of Object.entries(KINDS)) {
  describe(`a setting of the kind ${name}`, () => {
    for (const [input, value] of takes)
      it(`takes ${JSON.stringify(input)}`, () => assert.deepEqual(kind.parse(input), value))
    for (const input of refuses)
      it(`refuses ${JSON.stringify(input.slice(0, 60))}`, () => assert.equal(kind.parse(input), undefined))
    it('never throws', () => {
      fc.assert(
        fc.property(
          fc.oneof(fc.string(), fc.json(), fc.ipV4(), fc.ipV6(), fc.webUrl()),
          (input) => void kind.parse(input),
        ),
      )
    })
  })
}

describe('trusted proxies', () => {
  const shown = (input: string) => trustedProxies.parse(input)?.map(([block, bits]) => `${block}/${bits}`)

  it('are addresses and blocks', () => {
    assert.deepEqual(shown('127.0.0.1, ::1,10.0.0.0/8,fd00::/8'), ['127.0.0.1/32', '::1/128', '10.0.0.0/8', 'fd00::/8'])
  })
  it('are nobody for the word none and for an empty text', () => {
    assert.deepEqual(shown('None'), [])
    assert.deepEqual(shown(''), [])
  })
  it('are IPv4 where they are written as IPv4-mapped', () => {
    assert.deepEqual(shown('::ffff:10.0.0.1,::ffff:10.0.0.0/104'), ['10.0.0.1/32', '10.0.0.0/8'])
  })
  for (const input of [
    'proxy',
    'none,127.0.0.1',
    '10.0.0.0/33',
    '10.0.0.0/',
    '10.0.0.0/8/8',
    '::1/129',
    '010.0.0.1',
    '10.1',
    '::ffff:10.0.0.0/8',
    '127.0.0.1:80',
  ])
    it(`refuse ${input}`, () => assert.equal(trustedProxies.parse(input), undefined))
})
