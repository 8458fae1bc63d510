/**
 * What an idle session costs in memory: gateway sessions that have identified and hear nothing more, beside bare `ws`
 * connections. Resident memory of the program before and after, divided by the number of connections.
 *
 *   npx node bench/idle.ts [sessions]
 */
import { setTimeout as sleep } from 'node:timers/promises'
import { startProgram } from './support/program.ts'

const sessions = Number(process.argv[2] ?? 5000)
/** Long enough for the garbage of connecting to be collected. */
const SETTLE_MS = 15_000

async function bytesPerSession(file: string): Promise<number> {
  await using program = await startProgram(new URL(file, import.meta.url), `${sessions}`)
  await sleep(1000)
  const before = program.residentBytes()
  await using _ = await startProgram(new URL('support/listeners.ts', import.meta.url), `${program.port}`, `${sessions}`)
  await sleep(SETTLE_MS)
  return (program.residentBytes() - before) / sessions
}

const bare = await bytesPerSession('ceilings/broadcast.ts')
const gateway = await bytesPerSession('support/gateway.ts')
const kilobytes = (bytes: number) => Number((bytes / 1024).toFixed(1))
console.table([
  {
    sessions,
    'bare ws kB': kilobytes(bare),
    'gateway kB': kilobytes(gateway),
    ratio: Number((gateway / bare).toFixed(2)),
  },
])
