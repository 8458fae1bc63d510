/**
 * Searching a long feed for a word that stands in one of two hundred messages, on SQLite, beside a bare program that
 * runs the same query on the same file.
 *
 *   npx node bench/search.ts [messages] [requests] [connections]
 */
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { rawRequest } from './support/http-load.ts'
import { startProgram, startVox } from './support/program.ts'
import { type Measured, measureReading, printReadings, seedFeed } from './support/reading.ts'

const messages = Number(process.argv[2] ?? 1_000_000)
const requests = Number(process.argv[3] ?? 5_000)
const connections = Number(process.argv[4] ?? 10)

const WORDS = 2000
const WORDS_IN_MESSAGE = 10

const wordOf = (n: number) => `w${((n * 2_654_435_761) % WORDS).toString(36)}rd`

const textOf = (n: number) =>
  Array.from({ length: WORDS_IN_MESSAGE }, (_, place) => wordOf(n * WORDS_IN_MESSAGE + place)).join(' ')

/** A search for a random word. */
const search = (path: string, token?: string) =>
  rawRequest('GET', `${path}?q=${wordOf(Math.ceil(Math.random() * WORDS))}`, token)

const folder = await mkdtemp(join(tmpdir(), 'vox-search-'))
const path = join(folder, 'vox.db')
const token = await seedFeed(path, messages, textOf)
const results: Record<string, Measured> = {}
{
  await using program = await startProgram(new URL('ceilings/search.ts', import.meta.url), path)
  results['bare query'] = await measureReading(program, { requests, connections, request: () => search('/') })
}
{
  await using program = await startVox({ VOX_DATABASE_URL: `sqlite:///${path}` })
  results.vox = await measureReading(program, {
    requests,
    connections,
    request: () => search('/api/v1/messages/search', token),
  })
}
await rm(folder, { recursive: true, force: true })

console.log(`${messages} messages, ${connections} connections`)
printReadings(results, results['bare query'] as Measured)
