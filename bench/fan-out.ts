/**
 * Delivering one event to many: the gateway, with its sessions, sequence numbers and replay buffers, beside a bare loop
 * over the clients of `ws` that sends the same frames.
 *
 *   npx node bench/fan-out.ts [sessions,sessions,…] [events per turn]
 *
 * What counts is the processor time of the sending process per delivery; the receivers are processes of their own. The
 * two programs take turns, so that a disturbed machine disturbs both. Needs as many open files as sessions (`ulimit -n`).
 */
import { type Program, startProgram } from './support/program.ts'
import type { RoundsResult } from './support/rounds.ts'

const counts = (process.argv[2] ?? '200,1000,5000').split(',').map(Number)
const burst = Number(process.argv[3] ?? 1)
/** Deliveries per measurement, and how often each program is measured. */
const DELIVERIES = 200_000
const TURNS = 5

async function rounds({ port }: Program, count: number): Promise<RoundsResult> {
  const response = await fetch(`http://127.0.0.1:${port}/rounds?count=${count}&burst=${burst}`)
  return (await response.json()) as RoundsResult
}

/** Microseconds per delivery, each measurement. */
async function measure(sessions: number): Promise<{ bare: number[]; gateway: number[] }> {
  await using bare = await startProgram(new URL('ceilings/broadcast.ts', import.meta.url))
  await using gateway = await startProgram(new URL('support/gateway.ts', import.meta.url), `${sessions}`)
  await using _ = await startListeners(bare, sessions)
  await using __ = await startListeners(gateway, sessions)
  const count = Math.ceil(DELIVERIES / sessions / burst)
  const perDelivery = async (program: Program) => {
    const { micros } = await rounds(program, count)
    return micros / (count * burst * sessions)
  }
  const results = { bare: [] as number[], gateway: [] as number[] }
  for (let turn = -1; turn < TURNS; turn++) {
    const [first, second] = [await perDelivery(bare), await perDelivery(gateway)]
    if (turn < 0) continue // warming up
    results.bare.push(first)
    results.gateway.push(second)
  }
  return results
}

async function startListeners({ port }: Program, sessions: number): Promise<Program> {
  const begin = performance.now()
  const listeners = await startProgram(new URL('support/listeners.ts', import.meta.url), `${port}`, '1', `${sessions}`)
  console.error(`${sessions} connected in ${((performance.now() - begin) / 1000).toFixed(1)} s`)
  return listeners
}

const median = (values: number[]): number => values.toSorted((a, b) => a - b)[values.length >> 1] ?? Number.NaN

const table = []
for (const sessions of counts) {
  const { bare, gateway } = await measure(sessions)
  table.push({
    sessions,
    'events per turn': burst,
    'ws loop µs': Number(median(bare).toFixed(2)),
    'gateway µs': Number(median(gateway).toFixed(2)),
    ratio: Number((median(gateway) / median(bare)).toFixed(2)),
  })
}
console.table(table)
