/**
 * Reading history: pages of 100 messages from random places of a long feed, beside a bare program that runs the same
 * query on the same SQLite file.
 *
 *   npx node bench/history.ts [messages] [requests] [connections]
 */
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { rawRequest } from './support/http-load.ts'
import { startProgram, startVox } from './support/program.ts'
import { idOf, type Measured, measureReading, printReadings, seedFeed } from './support/reading.ts'

const messages = Number(process.argv[2] ?? 1_000_000)
const requests = Number(process.argv[3] ?? 10_000)
const connections = Number(process.argv[4] ?? 10)

/** A page before a random place of the feed. */
const page = (path: string, token?: string) =>
  rawRequest('GET', `${path}?limit=100&before=${idOf(Math.ceil(Math.random() * messages))}`, token)

const folder = await mkdtemp(join(tmpdir(), 'vox-history-'))
const path = join(folder, 'vox.db')
const token = await seedFeed(path, messages, (n) => `message ${n}: tea is ready, who wants a cup?`)
const results: Record<string, Measured> = {}
{
  await using program = await startProgram(new URL('ceilings/history.ts', import.meta.url), path)
  results['bare query'] = await measureReading(program, { requests, connections, request: () => page('/') })
}
{
  await using program = await startVox({ VOX_DATABASE_URL: `sqlite:///${path}` })
  results.vox = await measureReading(program, {
    requests,
    connections,
    request: () => page('/api/v1/feeds/1/messages', token),
  })
}
await rm(folder, { recursive: true, force: true })

console.log(`${messages} messages, pages of 100, ${connections} connections`)
printReadings(results, results['bare query'] as Measured)
