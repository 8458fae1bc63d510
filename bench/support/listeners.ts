/**
 * Receivers in a process of their own: `listeners.ts <port> <first> <last>` opens a WebSocket for each number from the
 * first to the last, identifies on it with the number as token, prints a line when all have been answered, and then
 * only reads.
 */
import { connect } from 'node:net'

const port = Number(process.argv[2])
const last = Number(process.argv[4])
const HANDSHAKE =
  'GET /gateway HTTP/1.1\r\nHost: localhost\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n' +
  'Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n'
/** Handshakes under way at a time. */
const PARALLEL = 20

/** A text frame with a mask of zeros. */
function frame(text: string): Buffer {
  const payload = Buffer.from(text)
  return Buffer.concat([Buffer.from([0x81, 0x80 | payload.length, 0, 0, 0, 0]), payload])
}

function listen(number: number): Promise<void> {
  return new Promise((resolve, reject) => {
    const socket = connect(port, '127.0.0.1')
    socket.on('error', reject)
    let begin = ''
    let isUpgraded = false
    socket.write(HANDSHAKE)
    socket.on('data', function wait(chunk: Buffer) {
      begin += chunk.toString('latin1')
      if (!isUpgraded && begin.includes('\r\n\r\n')) {
        isUpgraded = true
        socket.write(frame(JSON.stringify({ type: 'identify', d: { token: `${number}` } })))
      }
      if (!begin.includes('"type":"ready"')) return
      socket.off('data', wait)
      socket.on('data', () => {})
      resolve()
    })
  })
}

let next = Number(process.argv[3])
async function worker(): Promise<void> {
  while (next <= last) await listen(next++)
}

await Promise.all(Array.from({ length: PARALLEL }, worker))
console.log('listening')
