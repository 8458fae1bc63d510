/**
 * Memory of connections on which nothing happens: gateway sessions beside bare connections of `ws`.
 *
 *   npx node bench/idle.ts [connections] [heartbeat ms]
 *
 * The first half of the connections warms the program up, the second half is measured. In the last row all sessions
 * belong to members, so each has been told of all others and keeps that for a resume; in the row before they see nobody.
 * With a heartbeat the sessions are held for three times as long as the server waits for one, and those that are left
 * are counted. Needs as many open files as connections (`ulimit -n`).
 */
import { setTimeout as sleep } from 'node:timers/promises'
import { ask, startProgram } from './support/program.ts'
import type { MemoryResult, StateResult } from './support/rounds.ts'

const half = Number(process.argv[2] ?? 4000) / 2
const heartbeatMs = Number(process.argv[3] ?? 0)

interface Row {
  'heap KiB': number
  'resident KiB': number
  held?: number
  'heartbeats answered'?: number
}

/** KiB per connection. */
async function measure(file: string, ...args: string[]): Promise<Row> {
  await using program = await startProgram(new URL(file, import.meta.url), ...args)
  const listeners = new URL('support/listeners.ts', import.meta.url)
  const listen = (first: number) =>
    startProgram(listeners, `${program.port}`, `${first}`, `${first + half - 1}`, `${heartbeatMs}`)
  await using early = await listen(1)
  const before = await ask<MemoryResult>(program, '/memory')
  await using late = await listen(half + 1)
  const after = await ask<MemoryResult>(program, '/memory')
  const each = (bytes: number) => Number((bytes / 1024 / half).toFixed(2))
  const row = {
    'heap KiB': each(after.heapBytes - before.heapBytes),
    'resident KiB': each(after.residentBytes - before.residentBytes),
  }
  if (heartbeatMs === 0 || args.length === 0) return row
  await sleep(4.5 * heartbeatMs)
  const states = [await ask<StateResult>(early, '/state'), await ask<StateResult>(late, '/state')]
  const sum = (key: keyof StateResult) => states.reduce((total, state) => total + state[key], 0)
  return { ...row, held: sum('connected'), 'heartbeats answered': sum('acknowledged') }
}

const heartbeat = heartbeatMs > 0 ? [`${heartbeatMs}`] : []
console.table({
  'ws alone': await measure('ceilings/broadcast.ts'),
  'gateway, nobody seen': await measure('support/gateway.ts', '0', ...heartbeat),
  'gateway, all seen': await measure('support/gateway.ts', `${2 * half}`, ...heartbeat),
})
