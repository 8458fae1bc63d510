/**
 * A network breaks: thousands of sessions are gone at once and resume within a few seconds, while messages go on.
 *
 *   npx node bench/storm.ts [returning sessions] [steady sessions] [spread ms] [message every ms]
 *
 * Every returning client looks at the number of each event, so a gap or a repetition is noticed, and counts the messages.
 * How long messages take is measured at the steady ones, before, during and after; those, the returning ones and the
 * gateway are processes of their own. Needs as many open files as sessions (`ulimit -n`).
 */
import { setTimeout as sleep } from 'node:timers/promises'
import { Latencies } from './support/latencies.ts'
import { message } from './support/message.ts'
import { ask, startProgram } from './support/program.ts'
import { inParallel, Receiver } from './support/receiver.ts'
import type { StormResult, ToldResult } from './support/returning.ts'

const [returning = 5000, steady = 200, spread = 2500, every = 200] = process.argv.slice(2).map(Number)
/** How long the calm before and after is measured. */
const CALM_MS = 10_000

await using gateway = await startProgram(new URL('support/gateway.ts', import.meta.url), `${returning + steady}`)
const { port } = gateway
await using clients = await startProgram(
  new URL('support/returning.ts', import.meta.url),
  `${port}`,
  '1',
  `${returning}`,
)
const receivers = Array.from({ length: steady }, (_, i) => new Receiver(port, `${returning + 1 + i}`))
await inParallel(receivers, 20, async (receiver) => void (await receiver.identify()))
await sleep(1000)

const latencies = new Latencies(port, message.feed_id ?? 0)
for (const receiver of receivers) latencies.watch(receiver)

await latencies.postEvery(every, CALM_MS)
const before = latencies.take()

let isStorming = true
const storm = ask<StormResult>(clients, `/storm?spread=${spread}`).finally(() => {
  isStorming = false
})
await latencies.postEvery(every, () => isStorming)
const during = latencies.take()
const { resumed, refused, seconds } = await storm

await latencies.postEvery(every, CALM_MS)
await sleep(1000)
const after = latencies.take()

console.table({ before, during, after })
const { gaps, fewest, most } = await ask<ToldResult>(clients, '/state')
console.log(`${resumed} resumed and ${refused} refused within ${seconds.toFixed(1)} s`)
console.log(`${latencies.sent} messages sent; every returning client received ${fewest} to ${most}; ${gaps} gaps`)
for (const receiver of receivers) receiver.drop()
