/**
 * A flood in a feed that thousands see, and messages in one that ten see: how long do the latter take?
 *
 *   npx node bench/fairness.ts [sessions]
 *
 * The ceiling is the small feed alone. The flood comes at a rate that leaves room, and then as fast as requests are
 * answered, which is more than can be delivered at once. Needs as many open files as sessions (`ulimit -n`).
 */
import { setTimeout as sleep } from 'node:timers/promises'
import { Latencies } from './support/latencies.ts'
import { message, SMALL_FEED } from './support/message.ts'
import { startProgram } from './support/program.ts'
import { inParallel, Receiver } from './support/receiver.ts'

const sessions = Number(process.argv[2] ?? 5000)
const SECONDS = 10

await using gateway = await startProgram(new URL('support/gateway.ts', import.meta.url), `${sessions}`)
const { port } = gateway
await using _ = await startProgram(
  new URL('support/listeners.ts', import.meta.url),
  `${port}`,
  `${SMALL_FEED.viewers + 1}`,
  `${sessions}`,
)
const receivers = Array.from({ length: SMALL_FEED.viewers }, (_, i) => new Receiver(port, `${i + 1}`))
await inParallel(receivers, 10, async (receiver) => void (await receiver.identify()))
await sleep(1000)

const small = new Latencies(port, SMALL_FEED.id)
for (const receiver of receivers) small.watch(receiver)

/** The small feed, with a message in the huge one every so often. */
async function measure(floodEvery: number | undefined) {
  let isGoing = true
  const flood = new Latencies(port, message.feed_id ?? 0)
  const flooding = floodEvery === undefined ? undefined : flood.postEvery(floodEvery, () => isGoing)
  await small.postEvery(50, SECONDS * 1000)
  isGoing = false
  await flooding
  const result = small.take()
  await sleep(2000)
  return { 'flood events/s': Math.round(flood.sent / SECONDS), ...result }
}

console.table({
  'small feed alone': await measure(undefined),
  'flood with room': await measure(100),
  'flood without end': await measure(0),
})
for (const receiver of receivers) receiver.drop()
