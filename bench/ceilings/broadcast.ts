/** The bare program that fan-out is compared to: `ws` on `http`, and a loop that sends a frame to every client. */
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { stringifyJson } from '@vox/protocol'
import { WebSocketServer } from 'ws'
import { message } from '../support/message.ts'
import { measured } from '../support/rounds.ts'

let seq = 1000
const server = createServer(
  measured(() => {
    const frame = Buffer.from(stringifyJson({ type: 'message_create', d: message, seq: ++seq }))
    for (const client of sockets.clients) client.send(frame, { binary: false })
  }),
)
const sockets = new WebSocketServer({ server, path: '/gateway', perMessageDeflate: false })
sockets.on('connection', (client) => {
  client.on('message', () => client.send('{"type":"ready"}'))
  client.on('error', () => {})
})
server.listen(0, '127.0.0.1', () => console.log((server.address() as AddressInfo).port))
