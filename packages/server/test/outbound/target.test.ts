import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { outboundAllow } from '../../src/config/networks.ts'
import { targetOf } from '../../src/outbound/target.ts'

const NAMES: Readonly<Record<string, readonly string[]>> = {
  'example.org': ['93.184.215.14', '2606:2800:21f:cb07:6820:80da:af6b:8b2c'],
  'inside.example': ['10.0.0.7'],
  'half.example': ['93.184.215.14', '127.0.0.1'],
  'mapped.example': ['::ffff:169.254.169.254'],
  'nothing.example': [],
  'bots.internal': ['10.1.2.3'],
  'elsewhere.internal': ['10.9.9.9'],
}

async function resolve(host: string): Promise<readonly string[]> {
  const addresses = NAMES[host.replace(/\.$/, '')]
  if (!addresses) throw new Error('ENOTFOUND')
  return addresses
}

const judge = (url: string, allow = '') => targetOf(url, resolve, outboundAllow.parse(allow) ?? [])

async function refused(url: string, allow?: string): Promise<void> {
  await assert.rejects(
    judge(url, allow),
    { code: 'INVALID_URL', message: 'The URL must be http or https and lead to a public host.' },
    url,
  )
}

const HOSTILE = [
  '',
  'example.org',
  '/path',
  'https://',
  'http:///',
  'ftp://example.org/',
  'file:///etc/passwd',
  'javascript:alert(1)',
  'data:text/html,x',
  'gopher://example.org/',
  'ws://example.org/',
  'http://user@example.org/',
  'http://user:secret@example.org/',
  'http://:secret@example.org/',
  'http://example.org:22/',
  'http://example.org:25/',
  'https://example.org:1023/',
  'http://example.org:0/',
  'http://example.org:65536/',
  'http://unknown.example/',
  'http://nothing.example/',
  'http://inside.example/',
  'http://half.example/',
  'http://mapped.example/',
  'http://127.0.0.1/',
  'http://127.0.0.1./',
  'http://127.1/',
  'http://0/',
  'http://2130706433/',
  'http://017700000001/',
  'http://0x7f000001/',
  'http://0x7f.0.0.1/',
  'http://0177.0.0.1/',
  'http://10.0.0.1/',
  'http://169.254.169.254/latest/meta-data/',
  'http://[::1]/',
  'http://[::]/',
  'http://[::ffff:10.0.0.1]/',
  'http://[::ffff:7f00:1]/',
  'http://[64:ff9b::7f00:1]/',
  'http://[2002:7f00:1::]/',
  'http://[fe80::1]/',
  'http://[fe80::1%25eth0]/',
  'http://[fd00::1]/',
  'http://127。0。0。1/',
  'http://127.0.0.1/',
  'http://①②⑦.⓪.⓪.①/',
  'http://%31%32%37.0.0.1/',
  'http://127.0.0.1\\@example.org/',
]

describe('the target of an outgoing request', () => {
  for (const url of HOSTILE) it(`is never ${url || 'empty'}`, () => refused(url))

  it('is a public host, with all the addresses that were judged', async () => {
    const { url, addresses } = await judge('HTTPS://Example.ORG:8443/path?q#f')
    assert.equal(url.href, 'https://example.org:8443/path?q#f')
    assert.deepEqual(addresses, NAMES['example.org'])
  })

  it('may be written as an address', async () => {
    assert.deepEqual((await judge('http://16843009/')).addresses, ['1.1.1.1'])
    assert.deepEqual((await judge('http://[2606:4700::1111]/')).addresses, ['2606:4700::1111'])
  })

  for (const url of [
    'http://example.org:80/',
    'http://example.org:443/',
    'https://example.org:80/',
    'https://example.org:1024/',
    'https://example.org:65535/',
  ])
    it(`may have the port of ${url}`, async () => void (await judge(url)))

  it('may be a host that the operator names, at any port', async () => {
    await judge('http://bots.internal:81/', 'bots.internal')
    await judge('http://bots.internal./', 'bots.internal')
    await refused('http://elsewhere.internal/', 'bots.internal')
    await refused('http://10.1.2.3/', 'bots.internal')
    await refused('http://bots.internal.example/', 'bots.internal')
  })

  it('may lie in a block that the operator names, at any port', async () => {
    await judge('http://bots.internal:81/', '10.1.0.0/16')
    await judge('http://10.1.255.1:22/', '10.1.0.0/16')
    await judge('http://[::1]:81/', '::1')
    await judge('http://[::ffff:10.1.0.1]/', '10.1.0.0/16')
    await refused('http://elsewhere.internal/', '10.1.0.0/16')
    await refused('http://half.example:81/', '127.0.0.0/8')
    await refused('http://half.example/', '10.0.0.0/8')
    await judge('http://half.example/', '127.0.0.0/8')
  })

  it('is judged without ever failing in another way, whatever the text', async () => {
    const parts = fc.constantFrom(
      'http://',
      '127.0.0.1',
      '[',
      ']',
      '@',
      ':',
      '%',
      '\\',
      '/',
      '::1',
      '0x',
      '.',
      'example.org',
    )
    const texts = fc.oneof(
      fc.string({ unit: 'binary' }),
      fc.array(parts).map((some) => some.join('')),
    )
    await fc.assert(
      fc.asyncProperty(texts, async (text) => {
        const target = await judge(text).catch((error) => assert.equal(error.code, 'INVALID_URL'))
        if (target) assert.match(target.url.protocol, /^https?:$/)
      }),
    )
  })
})
