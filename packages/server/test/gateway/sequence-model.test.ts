import assert from 'node:assert/strict'
import type { Socket } from 'node:net'
import { describe, it } from 'node:test'
import { type CloseReason, DEFAULT_LIMITS } from '@vox/protocol'
import fc from 'fast-check'
import type { Connection } from '../../src/gateway/connection.ts'
import { entriesOf } from '../../src/gateway/event-batch.ts'
import { FlushQueues } from '../../src/gateway/flush-queues.ts'
import { EncodedEvent } from '../../src/gateway/frames.ts'
import { Outbox } from '../../src/gateway/outbox.ts'
import { Session } from '../../src/gateway/session.ts'
import { TestClock } from '../support/clock.ts'
import { FakeSocket } from '../support/fake-socket.ts'

const clock = new TestClock()
const queues = new FlushQueues(clock, 0)

type Step =
  | { do: 'tell'; count: number }
  | { do: 'stall' | 'drain' | 'drop'; line: number }
  | { do: 'resume'; line: number; back: number }

/** A session, its client, and the events that belong into the sequence; the first has number 1. */
class Line {
  readonly #session: Session
  readonly #capacity: number
  readonly #expected: number[] = []
  #socket = new FakeSocket()
  #outbox: Outbox | undefined
  /** The numbers at which the client began and at which it is to be told that it is resumed. */
  #from = 0
  #resumedAt: number | undefined
  isOver = false

  constructor(capacity: number) {
    this.#capacity = capacity
    this.#session = new Session(1, () => ({ ...DEFAULT_LIMITS, replay_buffer_events: capacity }))
    this.#connect().start(this.#session)
  }

  #connect(): Outbox {
    this.#socket = new FakeSocket()
    const owner = {
      close: (reason: CloseReason) => this.#close(reason),
      fail: (error: unknown) => assert.fail(`${error}`),
    }
    const outbox = new Outbox(this.#socket as unknown as Socket, false, { clock, queues }, owner)
    this.#session.connection = { outbox, ...owner } as unknown as Connection
    this.#outbox = outbox
    return outbox
  }

  #close(reason: CloseReason): void {
    assert.equal(reason, 'REPLAY_EXHAUSTED')
    assert.ok(this.#socket.writableNeedDrain, 'closed although the socket takes more')
    const unsent = this.#expected.length - this.#sent.length - this.#from
    assert.ok(unsent > this.#capacity, `closed with room for ${this.#capacity - unsent} more`)
    this.#lose()
    this.isOver = true
  }

  /** Values of the events that were written to the present socket. */
  get #sent(): number[] {
    return [...this.#socket.written.matchAll(/"type":"t","d":(\d+),/g)].map(([, value]) => Number(value))
  }

  tell(values: readonly number[], entries: ReturnType<typeof entriesOf>): void {
    if (this.isOver) return
    this.#expected.push(...values)
    for (const entry of entries) this.#session.append(entry)
    this.#outbox?.flush()
    const unsent = this.#expected.length - this.#from - this.#sent.length
    assert.ok(!this.#outbox || unsent <= this.#capacity, `${unsent} wait for a client that is not closed`)
  }

  stall(): void {
    this.#socket.isReading = false
  }

  drain(): void {
    this.#socket.isReading = true
    this.#socket.drain()
    if (this.#outbox) assert.equal(this.#sent.length, this.#expected.length - this.#from)
  }

  drop(): void {
    if (this.#outbox) this.#lose()
  }

  #lose(): void {
    this.check()
    this.#outbox?.stop()
    this.#outbox = undefined
    this.#session.connection = undefined
  }

  resume(back: number): void {
    if (this.isOver) return
    this.drop()
    const { log } = this.#session
    assert.equal(log.top, this.#expected.length)
    assert.equal(log.oldest, Math.max(1, log.top - this.#capacity + 1))
    this.#from = Math.max(log.oldest - 1, log.top - back)
    this.#resumedAt = log.top
    this.#connect().resume(this.#session, this.#from)
  }

  /** What was written is what was expected, under its numbers, and `resumed` where it belongs. */
  check(): void {
    const { written, sequence } = this.#socket
    assert.deepEqual(this.#sent, this.#expected.slice(this.#from, this.#from + this.#sent.length))
    const numbers = this.#sent.map((_, i) => this.#from + i + 1)
    if (this.#resumedAt !== undefined && (numbers.at(-1) ?? this.#from) >= this.#resumedAt)
      numbers.splice(this.#resumedAt - this.#from, 0, 0)
    assert.deepEqual(sequence, numbers)
    assert.equal(written.split('"resumed"').length - 1, numbers.includes(0) ? 1 : 0)
  }
}

const line = fc.nat(2)
const oneOf = <T>(...values: T[]) => fc.constantFrom(...values)

const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 4,
    arbitrary: fc.record({ do: oneOf('tell' as const), count: fc.oneof(oneOf(1), fc.integer({ min: 1, max: 70 })) }),
  },
  { weight: 3, arbitrary: fc.record({ do: oneOf('stall' as const, 'drain' as const, 'drop' as const), line }) },
  { weight: 2, arbitrary: fc.record({ do: oneOf('resume' as const), line, back: fc.nat(130) }) },
)

describe('the sequence of a session', () => {
  it('reaches its client without a gap or a repetition, whatever happens to the connection', () => {
    const capacity = oneOf(1, 7, 60, 120)
    fc.assert(
      fc.property(capacity, fc.array(step, { size: 'max', maxLength: 60 }), (events, history) => {
        let value = 0
        const told = (count: number) => {
          const values = Array.from({ length: count }, () => ++value)
          return [values, entriesOf(values.map((each) => new EncodedEvent('t', `${each}`, clock.now())))] as const
        }
        // They share the batches, at numbers of their own.
        const lines = [0, 8, 97].map((count) => {
          const line = new Line(events)
          line.tell(...told(count))
          return line
        })
        for (const next of history) {
          if (next.do === 'tell') {
            const [values, entries] = told(next.count)
            for (const each of lines) each.tell(values, entries)
          } else if (next.do === 'resume') lines[next.line]?.resume(next.back)
          else lines[next.line]?.[next.do]()
        }
        for (const each of lines) each.check()
      }),
      { numRuns: 300 },
    )
  })
})
