/**
 * Delivering one event to many: the gateway, with its sessions, sequence numbers and replay buffers, beside a bare loop
 * over the clients of `ws` that sends the same frames.
 *
 *   npx node bench/fan-out.ts [sessions,sessions,…] [events per turn]
 *
 * Both are told of each event by a request; when everybody has received it, the next one follows. What counts is the
 * processor time of the sending process per delivery, and how long it takes from the request to the last delivery; the
 * receivers are processes of their own. The two programs take turns, so that a disturbed machine disturbs both. Needs as
 * many open files as sessions (`ulimit -n`).
 */
import { ask, type Program, startProgram } from './support/program.ts'
import type { RoundsResult } from './support/rounds.ts'

const counts = (process.argv[2] ?? '200,1000,5000').split(',').map(Number)
const burst = Number(process.argv[3] ?? 1)
/** Deliveries per measurement, unless that takes more events than so many, and how often each program is measured. */
const DELIVERIES = 100_000
const MAX_ROUNDS = 200
const TURNS = 5

/** What the measurements of one program found. */
class Findings {
  readonly micros: number[] = []
  readonly #latencies: number[] = []
  readonly #program: Program
  readonly #receivers: Program
  readonly #sessions: number

  constructor(program: Program, receivers: Program, sessions: number) {
    this.#program = program
    this.#receivers = receivers
    this.#sessions = sessions
  }

  async measure(): Promise<void> {
    const count = Math.min(MAX_ROUNDS, Math.ceil(DELIVERIES / this.#sessions / burst))
    const before = this.#program.cpuSeconds()
    const { latencies } = await ask<RoundsResult>(this.#receivers, `/rounds?count=${count}&burst=${burst}`)
    this.micros.push(((this.#program.cpuSeconds() - before) * 1e6) / (count * burst * this.#sessions))
    this.#latencies.push(...latencies)
  }

  /** Forgets what warming up found. */
  clear(): void {
    this.micros.length = 0
    this.#latencies.length = 0
  }

  /** Milliseconds below which this share of the rounds lies. */
  latency(share: number): number {
    const sorted = this.#latencies.sort((a, b) => a - b)
    return sorted[Math.floor(sorted.length * share)] ?? Number.NaN
  }
}

async function measure(sessions: number): Promise<{ bare: Findings; gateway: Findings }> {
  await using bareProgram = await startProgram(new URL('ceilings/broadcast.ts', import.meta.url))
  await using gatewayProgram = await startProgram(new URL('support/gateway.ts', import.meta.url), `${sessions}`)
  await using bareReceivers = await startListeners(bareProgram, sessions)
  await using gatewayReceivers = await startListeners(gatewayProgram, sessions)
  const bare = new Findings(bareProgram, bareReceivers, sessions)
  const gateway = new Findings(gatewayProgram, gatewayReceivers, sessions)
  for (let turn = -1; turn < TURNS; turn++) {
    for (const program of [bare, gateway]) await program.measure()
    if (turn < 0) for (const program of [bare, gateway]) program.clear()
  }
  return { bare, gateway }
}

const startListeners = ({ port }: Program, sessions: number): Promise<Program> =>
  startProgram(new URL('support/listeners.ts', import.meta.url), `${port}`, '1', `${sessions}`)

const median = (values: number[]): number => values.toSorted((a, b) => a - b)[values.length >> 1] ?? Number.NaN
const rounded = (value: number): number => Number(value.toFixed(2))

const table = []
for (const sessions of counts) {
  const { bare, gateway } = await measure(sessions)
  table.push({
    sessions,
    'events per turn': burst,
    'ws loop µs': rounded(median(bare.micros)),
    'gateway µs': rounded(median(gateway.micros)),
    ratio: rounded(median(gateway.micros) / median(bare.micros)),
    'ws loop p50 ms': rounded(bare.latency(0.5)),
    'p50 ms': rounded(gateway.latency(0.5)),
    'ws loop p99 ms': rounded(bare.latency(0.99)),
    'p99 ms': rounded(gateway.latency(0.99)),
    'p99 ratio': rounded(gateway.latency(0.99) / bare.latency(0.99)),
  })
}
console.table(table)
