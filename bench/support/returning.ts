/**
 * Clients whose network breaks, in a process of their own: `returning.ts <port> <first> <last>` connects them and prints a
 * port of its own. There, `/storm?spread=` drops all of them at once, resumes each within so many milliseconds, and answers
 * how that went; `/state` answers whether they were told everything that they should have been.
 */
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import { inParallel, isMessage, Receiver, sequenceOf } from './receiver.ts'

/** How a storm went. */
export interface StormResult {
  resumed: number
  refused: number
  /** From the break to the last `resumed`. */
  seconds: number
}

/** What the clients were told. */
export interface ToldResult {
  /** Numbers that were left out or came twice. */
  gaps: number
  /** Messages: the fewest and the most that a client received. */
  fewest: number
  most: number
}

const [port = 0, first = 0, last = 0] = process.argv.slice(2).map(Number)

/** A client that looks at the number of each event, and counts messages. */
class Returning {
  readonly #receiver: Receiver
  #sessionId = ''
  #lastSeq = 1
  messages = 0
  gaps = 0

  constructor(number: number) {
    this.#receiver = new Receiver(port, `${number}`, { skipsPresences: false })
    this.#receiver.onMessage = (payload) => this.#take(payload)
  }

  async identify(): Promise<void> {
    const ready = await this.#receiver.identify()
    this.#sessionId = JSON.parse(ready.toString()).d.session_id
  }

  drop(): void {
    this.#receiver.drop()
  }

  async resume(): Promise<void> {
    await this.#receiver.resume(this.#sessionId, this.#lastSeq)
  }

  #take(payload: Buffer): void {
    const seq = sequenceOf(payload)
    if (seq === undefined) return
    if (seq !== this.#lastSeq + 1) this.gaps++
    this.#lastSeq = seq
    if (isMessage(payload)) this.messages++
  }
}

const clients = Array.from({ length: last - first + 1 }, (_, i) => new Returning(first + i))
await inParallel(clients, 20, (client) => client.identify())

async function storm(spread: number): Promise<StormResult> {
  const begin = performance.now()
  for (const client of clients) client.drop()
  const outcomes = await Promise.allSettled(
    clients.map(async (client) => {
      await sleep(Math.random() * spread)
      await client.resume()
    }),
  )
  const resumed = outcomes.filter(({ status }) => status === 'fulfilled').length
  return { resumed, refused: clients.length - resumed, seconds: (performance.now() - begin) / 1000 }
}

function told(): ToldResult {
  const counts = clients.map(({ messages }) => messages).sort((a, b) => a - b)
  return {
    gaps: clients.reduce((sum, { gaps }) => sum + gaps, 0),
    fewest: counts[0] ?? 0,
    most: counts.at(-1) ?? 0,
  }
}

const control = createServer(async ({ url = '' }, response) => {
  const [path, query] = url.split('?', 2)
  const answer = path === '/state' ? told() : await storm(Number(new URLSearchParams(query).get('spread')))
  response.end(JSON.stringify(answer))
})
control.listen(0, '127.0.0.1', () => console.log((control.address() as AddressInfo).port))
