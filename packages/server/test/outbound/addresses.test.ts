import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { isPublicAddress } from '../../src/outbound/addresses.ts'

const PUBLIC = [
  '1.1.1.1',
  '9.255.255.255',
  '11.0.0.0',
  '100.63.255.255',
  '100.128.0.0',
  '128.0.0.0',
  '172.15.255.255',
  '172.32.0.0',
  '192.0.1.0',
  '192.169.0.0',
  '198.17.255.255',
  '198.20.0.0',
  '223.255.255.255',
  '2606:4700:4700::1111',
  '2a00:1450:4001:80b::200e',
  '::ffff:1.1.1.1',
  '64:ff9b::101:101',
  '2002:101:101::1',
]

const NOT_PUBLIC = [
  '0.0.0.0',
  '0.255.255.255',
  '10.0.0.1',
  '10.255.255.255',
  '100.64.0.0',
  '100.127.255.255',
  '127.0.0.1',
  '127.255.255.255',
  '169.254.169.254',
  '172.16.0.0',
  '172.31.255.255',
  '192.0.0.8',
  '192.0.2.1',
  '192.168.1.1',
  '198.18.0.0',
  '198.19.255.255',
  '198.51.100.7',
  '203.0.113.7',
  '224.0.0.1',
  '239.255.255.255',
  '240.0.0.1',
  '255.255.255.255',
  '::',
  '::1',
  '::7f00:1',
  '100::1',
  '2001:db8::1',
  '2001::1',
  '2001:0:4136:e378:8000:63bf:3fff:fdd2',
  '3fff::1',
  'fc00::1',
  'fd12:3456::1',
  'fe80::1',
  'fe80::1%eth0',
  'fec0::1',
  'ff02::1',
  '5f00::1',
  '::ffff:10.0.0.1',
  '::ffff:7f00:1',
  '64:ff9b::7f00:1',
  '64:ff9b::10.0.0.1',
  '64:ff9b:1::1.1.1.1',
  '2002:7f00:1::',
  '2002:a00:1::1',
  '2002:c0a8:101::1',
]

describe('an address', () => {
  for (const address of PUBLIC) it(`is public: ${address}`, () => assert.equal(isPublicAddress(address), true))
  for (const address of NOT_PUBLIC) it(`is not public: ${address}`, () => assert.equal(isPublicAddress(address), false))

  it('is none in any other notation, so it is not public', () => {
    for (const text of ['', 'example.org', '1.1.1', '0x1.1.1.1', '01.1.1.1', '16843009', '[2606:4700:4700::1111]'])
      assert.equal(isPublicAddress(text), false, text)
  })

  it('is judged alike however IPv6 carries it', () => {
    fc.assert(
      fc.property(fc.ipV4(), (address) => {
        const hex = address.split('.').map((part) => Number(part).toString(16).padStart(2, '0'))
        const groups = `${hex[0]}${hex[1]}:${hex[2]}${hex[3]}`
        const carried = [`::ffff:${groups}`, `64:ff9b::${groups}`, `2002:${groups}::1`]
        for (const form of carried) assert.equal(isPublicAddress(form), isPublicAddress(address), form)
      }),
    )
  })
})
