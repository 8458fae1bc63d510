import assert from 'node:assert/strict'
import { GATEWAY_EVENTS, MAX_SERVER_MESSAGE } from '@vox/protocol'
import { parseDatabaseUrl } from '../../src/db/url.ts'
import { LocalBus, type Published } from '../../src/events/bus.ts'
import { serializerOf } from '../../src/serialize.ts'
import { problemOf } from './payloads.ts'
import { isAllowed } from './recipients.ts'
import { readRows } from './sql.ts'

/** What an envelope adds to a payload at most. */
const ENVELOPE = 200

/** Rows of the event log are kept for 7 days; whoever moves the clock further does not find them any more. */
const KEPT_MS = 7 * 86_400_000

const DECLARED = new Map(GATEWAY_EVENTS.map((event) => [event.type, event]))

interface Kept {
  type: string
  payload: string
  at: number
}

/**
 * The bus of a test server. It compares every event that any code path publishes with its declaration and with who may
 * receive it, and notes what sync has to give back; the test fails when its server is closed.
 */
export class CheckedBus extends LocalBus {
  readonly problems: string[] = []
  readonly #kept: Kept[] = []
  readonly #now: () => number

  constructor(now: () => number) {
    super()
    this.#now = now
  }

  override publish(published: Published): void {
    const problem = problemWith(published)
    if (problem) this.problems.push(`${published.event.type}: ${problem}`)
    this.#keep(published)
    super.publish(published)
  }

  #keep({ event, data, audience }: Published): void {
    // What single users are told of spaces that appear or vanish for them is not kept (spec 06, section 12.7).
    if (event.sync.length === 0 || audience.to === 'users') return
    this.#kept.push({ type: event.type, payload: serializerOf(event.data)(data), at: this.#now() })
  }

  /** Fails if a payload was wrong, or if the event log does not hold what was sent. */
  async verify(databaseUrl: string): Promise<void> {
    assert.deepEqual(this.problems, [], 'events that are not as they are declared')
    const expected = this.#kept.filter(({ at }) => this.#now() - at < KEPT_MS)
    if (expected.length === 0 || isInMemory(databaseUrl)) return
    const rows = await readRows(databaseUrl, 'select type, payload from event_log')
    const logged = new Set(rows.map(({ type, payload }) => `${type} ${payload}`))
    const missing = expected.filter(({ type, payload }) => !logged.has(`${type} ${payload}`))
    assert.deepEqual(missing, [], 'events that were sent but are not in the event log')
  }
}

/** Whether nobody but the server itself can look into its database. */
function isInMemory(databaseUrl: string): boolean {
  const target = parseDatabaseUrl(databaseUrl)
  return target.engine === 'sqlite' && target.path === null
}

/** What is wrong with a published event, if anything. */
export function problemWith({ event, data, audience }: Published): string | undefined {
  if (DECLARED.get(event.type)?.data !== event.data) return 'is not declared'
  const problem = problemOf(event.data, data, 'code')
  if (problem) return problem
  if (!isAllowed(event.type, audience, data)) return `may not go to ${JSON.stringify(audience)}`
  const size = Buffer.byteLength(serializerOf(event.data)(data)) + ENVELOPE
  return size > MAX_SERVER_MESSAGE ? `has ${size} bytes` : undefined
}
