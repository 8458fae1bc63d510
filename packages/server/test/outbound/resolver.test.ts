import assert from 'node:assert/strict'
import { createSocket } from 'node:dgram'
import { once } from 'node:events'
import type { AddressInfo } from 'node:net'
import { describe, it } from 'node:test'
import { nameResolver } from '../../src/outbound/resolver.ts'

/** A name server that knows one IPv4 address for every name, and no other record. */
async function startNameServer(address: readonly number[]) {
  const socket = createSocket('udp4').bind(0, '127.0.0.1')
  await once(socket, 'listening')
  socket.on('message', (question, { port, address: host }) => {
    const end = question.indexOf(0, 12) + 5
    const asksForIpv4 = question.readUInt16BE(end - 4) === 1
    const header = Buffer.from(question.subarray(0, 12))
    header.writeUInt16BE(0x8180, 2)
    header.writeUInt16BE(asksForIpv4 ? 1 : 0, 6)
    header.writeUInt32BE(0, 8)
    const record = asksForIpv4 ? Buffer.from([0xc0, 12, 0, 1, 0, 1, 0, 0, 0, 60, 0, 4, ...address]) : Buffer.alloc(0)
    socket.send(Buffer.concat([header, question.subarray(12, end), record]), port, host)
  })
  const { port } = socket.address() as AddressInfo
  return { servers: [`127.0.0.1:${port}`], [Symbol.dispose]: () => void socket.close() }
}

describe('hosts of outgoing requests', () => {
  it('are looked up at the name servers, whatever the hosts file says', async () => {
    using names = await startNameServer([93, 184, 215, 14])
    const resolve = nameResolver(names.servers)
    assert.deepEqual(await resolve('example.org', false), ['93.184.215.14'])
    assert.deepEqual(await resolve('localhost', false), ['93.184.215.14'])
  })

  it('are looked up as the machine does if the operator has named them', async () => {
    using names = await startNameServer([93, 184, 215, 14])
    const addresses = await nameResolver(names.servers)('localhost', true)
    assert.ok(addresses.includes('127.0.0.1') || addresses.includes('::1'), String(addresses))
  })
})
