import assert from 'node:assert/strict'
import type { Socket } from 'node:net'
import { describe, it } from 'node:test'
import { type CloseReason, DEFAULT_LIMITS } from '@vox/protocol'
import type { Connection } from '../../src/gateway/connection.ts'
import { DEFAULT_TIMINGS } from '../../src/gateway/context.ts'
import { EventBatch } from '../../src/gateway/event-batch.ts'
import { FlushQueues } from '../../src/gateway/flush-queues.ts'
import { EncodedEvent } from '../../src/gateway/frames.ts'
import { Outbox } from '../../src/gateway/outbox.ts'
import { Session } from '../../src/gateway/session.ts'
import { TestClock } from '../support/clock.ts'
import { FakeSocket } from '../support/fake-socket.ts'
import { TestGateway } from '../support/gateway.ts'

/** A session on a fake socket. */
class Line {
  readonly clock = new TestClock()
  readonly socket = new FakeSocket()
  readonly closed: CloseReason[] = []
  readonly limits = { ...DEFAULT_LIMITS }
  readonly session = new Session(1, () => this.limits)
  readonly outbox: Outbox

  constructor(queues?: FlushQueues) {
    const owner = {
      close: (reason: CloseReason) => {
        this.closed.push(reason)
        this.outbox.stop()
      },
      fail: (error: unknown) => assert.fail(String(error)),
    }
    const shared = { clock: this.clock, queues: queues ?? new FlushQueues(this.clock, 0) }
    this.outbox = new Outbox(this.socket as unknown as Socket, false, shared, owner)
    this.session.connection = { outbox: this.outbox, close: owner.close } as unknown as Connection
  }

  append(bytes = 100): void {
    this.session.append(new EncodedEvent('t', '1'.repeat(bytes), this.clock.now()))
    this.outbox.flush()
  }
}

const range = (from: number, to: number) => Array.from({ length: to - from + 1 }, (_, i) => from + i)

describe('a peer that reads', () => {
  it('gets several events of one turn in one write', () => {
    const line = new Line()
    line.outbox.start(line.session)
    let writes = 0
    line.socket.write = () => {
      writes++
      return true
    }
    for (let i = 0; i < 20; i++) line.session.append(new EncodedEvent('t', '1', 0))
    line.outbox.flush()
    assert.equal(writes, 1)
  })

  it('may get more events in one turn than the buffer holds', () => {
    const line = new Line()
    line.outbox.start(line.session)
    for (let i = 0; i < 1500; i++) line.session.append(new EncodedEvent('t', '1', 0))
    line.outbox.flush()
    assert.deepEqual(line.socket.sequence, range(1, 1500))
    assert.deepEqual(line.closed, [])
  })
})

describe('a peer that stops reading', () => {
  it('gets the rest when it reads on', () => {
    const line = new Line()
    line.outbox.start(line.session)
    line.append()
    line.socket.isReading = false
    for (let i = 0; i < 10; i++) line.append()
    assert.deepEqual(line.socket.sequence, [1, 2])
    line.socket.isReading = true
    line.socket.drain()
    assert.deepEqual(line.socket.sequence, range(1, 11))
  })

  it('is closed with 4010 when an unsent event would leave the buffer', () => {
    const line = new Line()
    line.limits.replay_buffer_events = 5
    line.outbox.start(line.session)
    line.socket.isReading = false
    for (let i = 0; i < 6; i++) line.append()
    assert.deepEqual(line.closed, [])
    line.append()
    assert.deepEqual(line.closed, ['REPLAY_EXHAUSTED'])
    assert.deepEqual(line.socket.sequence, [1])
  })

  it('is closed with 4007 when more than 4 MiB wait', () => {
    const line = new Line()
    line.outbox.start(line.session)
    line.socket.isReading = false
    for (let i = 0; i < 4; i++) line.append(1_000_000)
    assert.deepEqual(line.closed, [])
    line.append(200_000)
    assert.deepEqual(line.closed, ['SESSION_TIMEOUT'])
  })

  it('is behind when an event has waited for more than 30 s', () => {
    const line = new Line()
    line.outbox.start(line.session)
    line.socket.isReading = false
    line.append()
    line.clock.advance(30_000)
    line.append()
    assert.equal(line.outbox.isBehind(), false)
    line.clock.advance(1)
    assert.equal(line.outbox.isBehind(), true)
    line.socket.drain()
    assert.equal(line.outbox.isBehind(), false)
    line.clock.advance(30_001)
    assert.equal(line.outbox.isBehind(), true)
  })

  it('is not behind because of old events that have long been sent', () => {
    const line = new Line()
    line.outbox.start(line.session)
    line.append()
    line.clock.advance(60_000)
    line.socket.isReading = false
    line.append()
    assert.equal(line.outbox.isBehind(), false)
  })
})

describe('a replay', () => {
  it('is paced by the socket and does not count as waiting', () => {
    const line = new Line()
    for (let i = 0; i < 6; i++) line.session.append(new EncodedEvent('t', '1'.repeat(1_000_000), line.clock.now()))
    line.socket.isReading = false
    line.outbox.resume(line.session, 0)
    line.clock.advance(40_000)
    line.append(100)
    assert.equal(line.outbox.isBehind(), false)
    for (let i = 0; i < 6; i++) {
      line.clock.advance(40_000)
      line.socket.drain()
    }
    assert.deepEqual(line.socket.sequence, [...range(1, 6), 0, 7])
    assert.deepEqual(line.closed, [])
    line.clock.advance(30_001)
    assert.equal(line.outbox.isBehind(), true)
  })

  it('with nothing to say again is only resumed', () => {
    const line = new Line()
    line.session.append(new EncodedEvent('t', '1', 0))
    line.outbox.resume(line.session, 1)
    assert.match(line.socket.written, /^.*\{"type":"resumed","d":\{"seq":1\}\}$/s)
  })
})

describe('events that came as a batch', () => {
  const now = new TestClock().now()
  const batch = (count: number) => new EventBatch(Array.from({ length: count }, () => new EncodedEvent('b', '1', now)))

  it('are replayed from the middle of it', () => {
    const line = new Line()
    line.append()
    line.session.append(batch(20))
    line.outbox.resume(line.session, 11)
    line.append()
    line.session.append(batch(3))
    line.outbox.flush()
    assert.deepEqual(line.socket.sequence, [...range(12, 21), 0, ...range(22, 25)])
  })

  it('are replayed from the middle of what the buffer still has of it', () => {
    const line = new Line()
    line.limits.replay_buffer_events = 10
    line.session.append(batch(20))
    line.outbox.resume(line.session, 15)
    assert.deepEqual(line.socket.sequence, [...range(16, 20), 0])
  })

  it('close a peer that stops reading when one of them would leave the buffer unsent', () => {
    const line = new Line()
    line.limits.replay_buffer_events = 30
    line.outbox.start(line.session)
    line.append()
    line.socket.isReading = false
    line.append()
    line.session.append(batch(30))
    assert.deepEqual(line.closed, [])
    line.session.append(batch(1))
    assert.deepEqual(line.closed, ['REPLAY_EXHAUSTED'])
  })
})

describe('what few receive', () => {
  it('does not wait until many have been written to', async () => {
    const queues = new FlushQueues(new TestClock(), 0)
    const order: string[] = []
    const { promise: isDone, resolve: done } = Promise.withResolvers<void>()
    const written = (what: string) => {
      order.push(what)
      if (order.length === 101) done()
      // A write takes long enough that a hundred do not fit into one turn.
      const end = performance.now() + 0.2
      while (performance.now() < end);
    }
    const lineWriting = (what: string) => {
      const line = new Line(queues)
      line.socket.write = () => {
        written(what)
        return true
      }
      line.outbox.start(line.session)
      return line
    }
    const many = Array.from({ length: 100 }, () => lineWriting('many'))
    const few = lineWriting('few')
    for (const { session } of many) session.append(new EncodedEvent('t', '1', 0), 'soon')
    setImmediate(() => few.session.append(new EncodedEvent('t', '1', 0), 'first'))
    await isDone
    assert.ok(order.indexOf('few') < 50, `only after ${order.indexOf('few')}`)
  })
})

describe('a presence snapshot', () => {
  it('is built batch by batch, one ahead of what the socket takes', () => {
    const line = new Line()
    let built = 0
    line.session.snapshot = (function* () {
      for (const size of [50, 50, 50, 20]) {
        built += size
        yield new EventBatch(Array.from({ length: size }, () => new EncodedEvent('p', '1', 0)))
      }
    })()
    line.socket.isReading = false
    line.outbox.start(line.session)
    assert.equal(built, 100)
    line.append()
    assert.equal(built, 100)
    line.clock.advance(60_000)
    line.socket.drain()
    // The live event went before the next batch.
    assert.equal(line.session.log.at(101).head.includes('"t"'), true)
    line.socket.isReading = true
    line.socket.drain()
    assert.equal(built, 170)
    assert.deepEqual(line.socket.sequence, range(1, 171))
    assert.deepEqual(line.closed, [])
  })
})

describe('a client that stops reading', () => {
  it('is closed and harms nobody else', async () => {
    // The close frame waits behind what the client has yet to read.
    await using gateway = await TestGateway.start({ ...DEFAULT_TIMINGS, closeTimeout: 10_000, patience: 0 })
    gateway.feed(7)
    const slow = await gateway.identify(gateway.member(1))
    const other = await gateway.identify(gateway.member(2))
    await other.next('presence_update')
    await slow.next('presence_update')
    slow.ws.pause()
    for (let i = 0; gateway.gateway.stats.liveSessions === 2; i++) {
      assert.ok(i < 200, 'never closed')
      gateway.send(7, 'x'.repeat(500_000))
      await other.next('message_create')
    }
    assert.equal((await other.next('presence_update')).d.status, 'offline')
    slow.ws.resume()
    const [code] = await slow.closed
    assert.ok(code === 4007 || code === 4010, String(code))
    const again = await gateway.resume(gateway.member(1), slow.sessionId, slow.lastSeq)
    assert.equal((await again.next()).seq, slow.lastSeq + 1)
  })
})
