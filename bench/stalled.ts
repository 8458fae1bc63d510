/**
 * One of many clients stops reading: what the others notice, what the server keeps for it, and how it comes back.
 *
 *   npx node bench/stalled.ts [sessions] [bytes of a message] [message every ms]
 *
 * The same messages are sent twice for the same time: to everybody while all read, and then while one does not, until
 * the gateway closes it. That one then reads what is left in the pipe, resumes, and has to get every number once.
 */
import { setTimeout as sleep } from 'node:timers/promises'
import { Latencies } from './support/latencies.ts'
import { message } from './support/message.ts'
import { ask, startProgram } from './support/program.ts'
import { inParallel, Receiver, sequenceOf } from './support/receiver.ts'
import type { MemoryResult } from './support/rounds.ts'

const [sessions = 1000, size = 8192, every = 50] = process.argv.slice(2).map(Number)
/** How long all read; and how long the stalled one may take until it is closed, at most. */
const CALM_MS = 20_000
const STALL_MS = 90_000

const megabytes = (bytes: number) => Number((bytes / 1024 / 1024).toFixed(1))

await using gateway = await startProgram(new URL('support/gateway.ts', import.meta.url), `${sessions}`)
const receivers = Array.from({ length: sessions }, (_, i) => new Receiver(gateway.port, `${i + 1}`))
await inParallel(receivers, 20, async (receiver) => void (await receiver.identify()))
const stalled = new Receiver(gateway.port, '1', { skipsPresences: false })
const sessionId = JSON.parse((await stalled.identify()).toString()).d.session_id
await sleep(1000)

const latencies = new Latencies(gateway.port, message.feed_id ?? 0, size)
for (const receiver of receivers) latencies.watch(receiver)
let last = 0
let gaps = 0
stalled.onMessage = (payload) => {
  const seq = sequenceOf(payload)
  if (seq === undefined) return
  if (last > 0 && seq !== last + 1) gaps++
  last = seq
}
let isClosed = false
stalled.onClose = () => {
  isClosed = true
}

await latencies.postEvery(every, CALM_MS)
const memoryBefore = await ask<MemoryResult>(gateway, '/memory')
const without = latencies.take()

stalled.pause()
const stalledAt = performance.now()
const isConnected = async () => (await ask<{ live: number }>(gateway, '/sessions')).live > sessions
let isStalled = true
const watching = (async () => {
  while (isStalled && performance.now() - stalledAt < STALL_MS) {
    isStalled = await isConnected()
    await sleep(200)
  }
})()
await latencies.postEvery(every, () => isStalled && performance.now() - stalledAt < STALL_MS)
await watching
const seconds = (performance.now() - stalledAt) / 1000
const memoryAfter = await ask<MemoryResult>(gateway, '/memory')
const withStalled = latencies.take()

stalled.readOn()
for (let i = 0; i < 100 && !isClosed; i++) await sleep(100)
const resumedFrom = last
const resumed = JSON.parse((await stalled.resume(sessionId, last)).toString())

console.table({ 'all read': without, 'one does not': withStalled })
console.log(
  `heap ${megabytes(memoryBefore.heapBytes)} MB before, ${megabytes(memoryAfter.heapBytes)} MB when it was closed, after ${seconds.toFixed(0)} s`,
)
console.log(`it resumed after ${resumedFrom}, was told up to ${last}, of ${resumed.d.seq}; ${gaps} gaps`)
for (const receiver of [...receivers, stalled]) receiver.drop()
