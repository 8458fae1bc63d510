import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { trustedProxies } from '../../src/config/networks.ts'
import { addressGroup, clientAddress } from '../../src/http/client-address.ts'

const cases: [
  title: string,
  trusted: string,
  peer: string | undefined,
  headers: Record<string, string>,
  expected: string | undefined,
][] = [
  [
    'an untrusted peer is the client, whatever it claims',
    '127.0.0.1',
    '203.0.113.7',
    { 'x-forwarded-for': '1.2.3.4' },
    '203.0.113.7',
  ],
  ['a trusted peer speaks for the client', '127.0.0.1', '127.0.0.1', { 'x-forwarded-for': '1.2.3.4' }, '1.2.3.4'],
  [
    'the right-most untrusted entry counts',
    '127.0.0.1,10.0.0.0/8',
    '127.0.0.1',
    { 'x-forwarded-for': '6.6.6.6, 1.2.3.4, 10.1.1.1' },
    '1.2.3.4',
  ],
  [
    'with trusted entries only, the left-most counts',
    '127.0.0.1,10.0.0.0/8',
    '127.0.0.1',
    { 'x-forwarded-for': '10.2.2.2, 10.1.1.1' },
    '10.2.2.2',
  ],
  [
    'an entry that is no address ends the walk',
    '127.0.0.1,10.0.0.0/8',
    '127.0.0.1',
    { 'x-forwarded-for': '1.2.3.4, nonsense, 10.1.1.1' },
    '10.1.1.1',
  ],
  ['nonsense alone leaves the peer', '127.0.0.1', '127.0.0.1', { 'x-forwarded-for': 'nonsense' }, '127.0.0.1'],
  ['ports are stripped', '127.0.0.1', '127.0.0.1', { 'x-forwarded-for': '1.2.3.4:5678' }, '1.2.3.4'],
  [
    'ports after brackets are stripped',
    '127.0.0.1',
    '127.0.0.1',
    { 'x-forwarded-for': '[2001:db8::1]:443' },
    '2001:db8::1',
  ],
  ['octal and shortened forms are no addresses', '127.0.0.1', '127.0.0.1', { 'x-forwarded-for': '010.1' }, '127.0.0.1'],
  ['a lone X-Real-IP serves', '127.0.0.1', '127.0.0.1', { 'x-real-ip': '1.2.3.4' }, '1.2.3.4'],
  [
    'X-Forwarded-For goes before X-Real-IP',
    '127.0.0.1',
    '127.0.0.1',
    { 'x-real-ip': '9.9.9.9', 'x-forwarded-for': '1.2.3.4' },
    '1.2.3.4',
  ],
  ['Forwarded is ignored', '127.0.0.1', '127.0.0.1', { forwarded: 'for=1.2.3.4' }, '127.0.0.1'],
  ['nobody is trusted when told so', 'none', '127.0.0.1', { 'x-forwarded-for': '1.2.3.4' }, '127.0.0.1'],
  ['a mapped peer counts as IPv4', '127.0.0.1', '::ffff:127.0.0.1', { 'x-forwarded-for': '::ffff:1.2.3.4' }, '1.2.3.4'],
  ['a Unix socket peer is trusted', '127.0.0.1', undefined, { 'x-forwarded-for': '1.2.3.4' }, '1.2.3.4'],
  ['a Unix socket peer without headers is unknown', '127.0.0.1', undefined, {}, undefined],
]

describe('the client address', () => {
  for (const [title, trusted, peer, headers, expected] of cases)
    it(title, () => {
      assert.equal(clientAddress(peer, headers, trustedProxies.parse(trusted) ?? []), expected)
    })
})

describe('the key of an address in limits', () => {
  it('is the address itself for IPv4', () => assert.equal(addressGroup('1.2.3.4'), '1.2.3.4'))
  it('is the /64 for IPv6', () => {
    assert.equal(addressGroup('2001:db8:0:1::a'), addressGroup('2001:db8:0:1:ffff::b'))
    assert.notEqual(addressGroup('2001:db8:0:1::a'), addressGroup('2001:db8:0:2::a'))
  })
})
