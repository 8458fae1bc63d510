/**
 * Thousands who connect at once, as after a restart: the gateway, which tells everybody of everybody else who is online,
 * beside bare `ws`, which says one word to each.
 *
 *   npx node bench/connect.ts [sessions,sessions,…]
 *
 * For n sessions the gateway says n² presences, that is 75 bytes and a sequence number of its own each; the receivers,
 * in a process of their own, have to read all that. In the row "nobody seen" the sessions do not belong to members.
 * Needs as many open files as sessions (`ulimit -n`).
 */
import { startProgram } from './support/program.ts'

const counts = (process.argv[2] ?? '1000,5000,10000').split(',').map(Number)
const listeners = new URL('support/listeners.ts', import.meta.url)

async function measure(sessions: number, file: string, ...args: string[]): Promise<{ seconds: number; cpu: number }> {
  await using program = await startProgram(new URL(file, import.meta.url), ...args)
  const [begin, cpu] = [performance.now(), program.cpuSeconds()]
  await using _ = await startProgram(listeners, `${program.port}`, '1', `${sessions}`)
  return { seconds: (performance.now() - begin) / 1000, cpu: program.cpuSeconds() - cpu }
}

const table = []
for (const sessions of counts) {
  const results = {
    'ws alone': await measure(sessions, 'ceilings/broadcast.ts'),
    'gateway, nobody seen': await measure(sessions, 'support/gateway.ts', '0'),
    'gateway, all seen': await measure(sessions, 'support/gateway.ts', `${sessions}`),
  }
  for (const [program, { seconds, cpu }] of Object.entries(results))
    table.push({
      sessions,
      program,
      seconds: Number(seconds.toFixed(1)),
      'cpu s': Number(cpu.toFixed(1)),
      'cpu µs per session': Math.round((cpu / sessions) * 1e6),
      ratio: Number((cpu / results['ws alone'].cpu).toFixed(1)),
    })
}
console.table(table)
