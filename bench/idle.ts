/**
 * Memory of connections on which nothing happens: gateway sessions beside bare connections of `ws`.
 *
 *   npx node bench/idle.ts [connections]
 *
 * The first half of the connections warms the program up, the second half is measured. In the last row all sessions belong to members, so each has been told of all that came after it and keeps that for a
 * resume; in the row before they see nobody. Needs twice as many open
 * files as connections (`ulimit -n`).
 */
import { type Program, startProgram } from './support/program.ts'
import type { MemoryResult } from './support/rounds.ts'

const sessions = Number(process.argv[2] ?? 2000)

async function memory({ port }: Program): Promise<MemoryResult> {
  const response = await fetch(`http://127.0.0.1:${port}/memory`)
  return (await response.json()) as MemoryResult
}

/** KiB per connection. */
async function measure(file: string, ...args: string[]): Promise<{ 'heap KiB': number; 'resident KiB': number }> {
  await using program = await startProgram(new URL(file, import.meta.url), ...args)
  const listeners = new URL('support/listeners.ts', import.meta.url)
  await using _ = await startProgram(listeners, `${program.port}`, '1', `${sessions}`)
  const before = await memory(program)
  await using __ = await startProgram(listeners, `${program.port}`, `${sessions + 1}`, `${2 * sessions}`)
  const after = await memory(program)
  const each = (bytes: number) => Number((bytes / 1024 / sessions).toFixed(2))
  return {
    'heap KiB': each(after.heapBytes - before.heapBytes),
    'resident KiB': each(after.residentBytes - before.residentBytes),
  }
}

console.table({
  'ws alone': await measure('ceilings/broadcast.ts'),
  'gateway, nobody seen': await measure('support/gateway.ts', '0'),
  'gateway, all seen': await measure('support/gateway.ts', `${2 * sessions}`),
})
