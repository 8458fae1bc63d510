/**
 * Receivers in a process of their own: `listeners.ts <port> <first> <last> [heartbeat ms]` opens a WebSocket for each
 * number from the first to the last, identifies on it with the number as token, and when all have been answered prints
 * a port of its own. There, `/rounds?count=&burst=` has the program send `burst` events in one turn, `count` times, each
 * time when everybody has received the last ones, and answers how long that took; `/state` answers who is still there.
 */
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { inParallel, isHeartbeatAck, isMessage, Receiver } from './receiver.ts'
import type { RoundsResult, StateResult } from './rounds.ts'

const [port = 0, first = 0, last = 0, heartbeatMs = 0] = process.argv.slice(2).map(Number)
/** Handshakes under way at a time. */
const PARALLEL = 20

const state: StateResult = { connected: 0, acknowledged: 0 }
let outstanding = 0
let allReceived = () => {}

function onMessage(payload: Buffer): void {
  if (isMessage(payload)) {
    if (--outstanding === 0) allReceived()
  } else if (isHeartbeatAck(payload)) state.acknowledged++
}

async function listen(number: number): Promise<void> {
  const receiver = new Receiver(port, `${number}`)
  receiver.onMessage = onMessage
  receiver.onClose = () => {
    state.connected--
  }
  await receiver.identify()
  state.connected++
  // Not all at the same moment.
  if (heartbeatMs > 0) setTimeout(() => beat(receiver), Math.random() * heartbeatMs)
}

function beat(receiver: Receiver): void {
  receiver.send({ type: 'heartbeat' })
  setTimeout(() => beat(receiver), heartbeatMs)
}

async function rounds(count: number, burst: number): Promise<RoundsResult> {
  const latencies: number[] = []
  for (let round = 0; round < count; round++) {
    outstanding = state.connected * burst
    const received = new Promise<void>((resolve) => {
      allReceived = resolve
    })
    const begin = performance.now()
    await fetch(`http://127.0.0.1:${port}/send?burst=${burst}`, { method: 'POST' })
    await received
    latencies.push(performance.now() - begin)
  }
  return { latencies: latencies.sort((a, b) => a - b) }
}

const numbers = Array.from({ length: last - first + 1 }, (_, i) => first + i)
await inParallel(numbers, PARALLEL, listen)

const control = createServer(async ({ url = '' }, response) => {
  const [path, query] = url.split('?', 2)
  const parameters = new URLSearchParams(query)
  const answer =
    path === '/state' ? state : await rounds(Number(parameters.get('count')), Number(parameters.get('burst')))
  response.end(JSON.stringify(answer))
})
control.listen(0, '127.0.0.1', () => console.log((control.address() as AddressInfo).port))
