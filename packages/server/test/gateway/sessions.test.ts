import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { type DataOf, feedCreate, memberBan } from '@vox/protocol'
import type { Audience } from '../../src/events/audience.ts'
import { TestGateway, type TestSocket } from '../support/gateway.ts'

function publish({ bus }: TestGateway, feedId: number, audience: Audience = { to: 'members' }): void {
  const data: DataOf<typeof feedCreate> = {
    feed_id: feedId,
    name: `feed-${feedId}`,
    type: 'text',
    position: 0,
    permission_overrides: [],
  }
  bus.publish({ event: feedCreate, data, audience })
}

/** Numbers and feeds of the next events, which must be `feed_create`. */
async function feeds(socket: TestSocket, count: number): Promise<[seq: number | undefined, feedId: number][]> {
  const events: [number | undefined, number][] = []
  for (let i = 0; i < count; i++) {
    const { seq, d } = await socket.next('feed_create')
    events.push([seq, d.feed_id])
  }
  return events
}

describe('sequence numbers', () => {
  it('follow ready without a gap', async () => {
    await using gateway = await TestGateway.start()
    const socket = await gateway.identify(gateway.member(1))
    publish(gateway, 1)
    publish(gateway, 2)
    assert.deepEqual(await feeds(socket, 2), [
      [2, 1],
      [3, 2],
    ])
  })

  it('are each session’s own', async () => {
    await using gateway = await TestGateway.start()
    const token = gateway.member(1)
    const first = await gateway.identify(token)
    publish(gateway, 1)
    const second = await gateway.identify(token)
    assert.equal((await second.next('presence_update')).seq, 2)
    publish(gateway, 2)
    assert.deepEqual(await feeds(first, 2), [
      [2, 1],
      [3, 2],
    ])
    assert.deepEqual(await feeds(second, 1), [[3, 2]])
  })

  it('begin with ready for events that are published while the client identifies', async () => {
    await using gateway = await TestGateway.start()
    const token = gateway.member(1)
    gateway.beforeAnswer = () => publish(gateway, 1)
    const socket = await gateway.identify(token)
    publish(gateway, 2)
    assert.deepEqual(await feeds(socket, 1), [[2, 2]])
  })
})

describe('resume', () => {
  it('sends again what came after the position, the same, and then says so', async () => {
    await using gateway = await TestGateway.start()
    const token = gateway.member(1)
    const socket = await gateway.identify(token)
    publish(gateway, 1)
    const before = await socket.next('feed_create')
    await socket.close()
    const again = await gateway.resume(token, socket.sessionId, 1)
    const after = await again.next('feed_create')
    assert.ok(after.bytes.equals(before.bytes))
    assert.deepEqual((await again.next('resumed')).d, { seq: 2 })
  })

  it('sends ready again when asked from the beginning', async () => {
    await using gateway = await TestGateway.start()
    const token = gateway.member(1)
    const socket = await gateway.identify(token)
    await socket.close()
    for (const position of [{ last_seq: 0 }, { last_seq: null }, {}]) {
      const again = await gateway.open()
      await again.next('hello')
      again.send('resume', { token, session_id: socket.sessionId, ...position })
      assert.equal((await again.next('ready')).d.session_id, socket.sessionId)
      assert.deepEqual((await again.next('resumed')).d, { seq: 1 })
    }
  })

  it('sends what happened in the gap, and goes on from there', async () => {
    await using gateway = await TestGateway.start()
    const token = gateway.member(1)
    const socket = await gateway.identify(token)
    await socket.close()
    publish(gateway, 1)
    publish(gateway, 2, { to: 'users', users: [2] })
    publish(gateway, 3)
    const again = await gateway.resume(token, socket.sessionId, 1)
    assert.deepEqual(await feeds(again, 2), [
      [2, 1],
      [3, 3],
    ])
    await again.next('resumed')
    publish(gateway, 4)
    assert.deepEqual(await feeds(again, 1), [[4, 4]])
  })

  it('works for 300 s from the end of the connection, however long that lasted', async () => {
    await using gateway = await TestGateway.start()
    const token = gateway.member(1)
    const socket = await gateway.identify(token)
    for (let i = 0; i < 10; i++) {
      gateway.clock.advance(60_000)
      assert.deepEqual(await socket.rest(), [])
    }
    await socket.close()
    gateway.clock.advance(200_000)
    const again = await gateway.resume(token, socket.sessionId, 1)
    await again.next('resumed')
    await again.close()
    gateway.clock.advance(301_000)
    assert.deepEqual(await (await gateway.resume(token, socket.sessionId, 1)).closed, [4009, 'SESSION_EXPIRED'])
  })

  it('is over after its time even if nobody has swept', async () => {
    await using gateway = await TestGateway.start()
    gateway.limit('resume_window_seconds', 0)
    const token = gateway.member(1)
    const socket = await gateway.identify(token)
    await socket.close()
    gateway.clock.advance(1)
    assert.equal((await (await gateway.resume(token, socket.sessionId, 1)).closed)[0], 4009)
  })

  it('answers 4009 to an unknown session', async () => {
    await using gateway = await TestGateway.start()
    const token = gateway.member(1)
    assert.deepEqual(await (await gateway.resume(token, 'sess_unknown', 0)).closed, [4009, 'SESSION_EXPIRED'])
  })

  it('answers 4004 to somebody else’s session, which its owner can still resume', async () => {
    await using gateway = await TestGateway.start()
    const owner = gateway.member(1)
    const thief = gateway.member(2)
    const socket = await gateway.identify(owner)
    await socket.close()
    assert.deepEqual(await (await gateway.resume(thief, socket.sessionId, 1)).closed, [4004, 'AUTH_FAILED'])
    await (await gateway.resume(owner, socket.sessionId, 1)).next('resumed')
  })

  it('takes any position that the buffer covers', async () => {
    await using gateway = await TestGateway.start()
    gateway.limit('replay_buffer_events', 3)
    const token = gateway.member(1)
    const socket = await gateway.identify(token)
    for (let i = 1; i <= 5; i++) publish(gateway, i)
    await socket.close()
    // The buffer holds 4, 5 and 6.
    for (const [lastSeq, replayed] of [
      [6, 0],
      [4, 2],
      [3, 3],
    ] as const) {
      const again = await gateway.resume(token, socket.sessionId, lastSeq)
      assert.equal((await feeds(again, replayed)).length, replayed)
      await again.next('resumed')
      await again.close()
    }
    const tooFar = await gateway.resume(token, socket.sessionId, 7)
    assert.deepEqual(await tooFar.closed, [4009, 'SESSION_EXPIRED'])
    const huge = await gateway.open()
    await huge.next('hello')
    huge.send('resume', { token, session_id: socket.sessionId, last_seq: 2n ** 60n })
    assert.deepEqual(await huge.closed, [4009, 'SESSION_EXPIRED'])
    const exhausted = await gateway.resume(token, socket.sessionId, 2)
    assert.deepEqual(await exhausted.closed, [4010, 'REPLAY_EXHAUSTED'])
    assert.equal((await (await gateway.resume(token, socket.sessionId, 6)).closed)[0], 4009)
  })

  it('refuses a position that is no natural number', async () => {
    await using gateway = await TestGateway.start()
    const token = gateway.member(1)
    for (const lastSeq of [-1, 1.5, '1', true, {}]) {
      const socket = await gateway.open()
      await socket.next('hello')
      socket.send('resume', { token, session_id: 'sess_1', last_seq: lastSeq })
      assert.deepEqual(await socket.closed, [4002, 'DECODE_ERROR'], String(lastSeq))
    }
  })

  it('wins over a connection that is still open', async () => {
    await using gateway = await TestGateway.start()
    gateway.limit('sessions_per_user', 1)
    gateway.limit('connections_per_ip', 1)
    gateway.limit('max_total_connections', 1)
    const token = gateway.member(1)
    const old = await gateway.identify(token, { address: '192.0.2.1' })
    const resumed = await gateway.resume(token, old.sessionId, 1, { address: '192.0.2.1' })
    await resumed.next('resumed')
    publish(gateway, 1)
    assert.deepEqual(await feeds(resumed, 1), [[2, 1]])
    assert.deepEqual(await old.closed, [4009, 'SESSION_EXPIRED'])
    await assert.rejects(old.next(), /closed/)
    assert.equal(gateway.gateway.stats.liveSessions, 1)
  })

  it('is subject to the limits, and the session stays resumable', async () => {
    await using gateway = await TestGateway.start()
    const token = gateway.member(1)
    const lost = await gateway.identify(token)
    await lost.close()
    gateway.limit('sessions_per_user', 1)
    const other = await gateway.identify(token)
    assert.deepEqual(await (await gateway.resume(token, lost.sessionId, 1)).closed, [4006, 'RATE_LIMITED'])
    await other.close()
    await (await gateway.resume(token, lost.sessionId, 1)).next('resumed')
  })

  it('detaches the old connection even when the new one is refused', async () => {
    await using gateway = await TestGateway.start()
    const token = gateway.member(1)
    const address = '192.0.2.1'
    const busy = await gateway.identify(gateway.member(2), { address })
    const old = await gateway.identify(token, { address: '192.0.2.2' })
    gateway.limit('connections_per_ip', 1)
    assert.deepEqual(await (await gateway.resume(token, old.sessionId, 1, { address })).closed, [4006, 'RATE_LIMITED'])
    assert.deepEqual(await old.closed, [4009, 'SESSION_EXPIRED'])
    await busy.close()
    const again = await gateway.resume(token, old.sessionId, 1, { address })
    await again.next('presence_update')
  })

  it('ends a session that another connection still has when its buffer does not reach back', async () => {
    await using gateway = await TestGateway.start()
    gateway.limit('replay_buffer_events', 1)
    const token = gateway.member(1)
    const old = await gateway.identify(token)
    publish(gateway, 1)
    publish(gateway, 2)
    assert.equal((await (await gateway.resume(token, old.sessionId, 1)).closed)[0], 4010)
    assert.equal((await old.closed)[0], 4010)
  })

  it('is possible for the five sessions that were lost last', async () => {
    await using gateway = await TestGateway.start()
    const token = gateway.member(1)
    const ids = []
    for (let i = 0; i < 6; i++) {
      const socket = await gateway.identify(token)
      ids.push(socket.sessionId)
      await socket.close()
      gateway.clock.advance(1_000)
    }
    assert.equal(gateway.gateway.stats.resumableSessions, 5)
    assert.equal((await (await gateway.resume(token, ids[0] ?? '', 0)).closed)[0], 4009)
    await (await gateway.resume(token, ids[1] ?? '', 0)).next('ready')
  })

  it('delivers what is published during a long replay after resumed, once', async () => {
    await using gateway = await TestGateway.start()
    const token = gateway.member(1)
    const socket = await gateway.identify(token)
    await socket.close()
    for (let i = 1; i <= 900; i++) publish(gateway, i)
    const again = await gateway.open()
    await again.next('hello')
    again.send('resume', { token, session_id: socket.sessionId, last_seq: 1 })
    await again.next('feed_create')
    publish(gateway, 1000)
    const rest = await again.rest()
    assert.deepEqual(
      rest.map(({ type, seq, d }) => seq ?? [type, d]),
      [...Array.from({ length: 899 }, (_, i) => i + 3), ['resumed', { seq: 901 }], 902],
    )
  })
})

describe('the end of a token', () => {
  it('closes its sessions with 4004, and they cannot be resumed', async () => {
    await using gateway = await TestGateway.start()
    const ended = gateway.member(1, { authSessionId: 10 })
    const other = gateway.member(1, { authSessionId: 11 })
    const socket = await gateway.identify(ended)
    const untouched = await gateway.identify(other)
    const lost = await gateway.identify(ended)
    await lost.close()
    gateway.gateway.endAuthSession(10)
    assert.deepEqual(await socket.closed, [4004, 'AUTH_FAILED'])
    assert.equal((await (await gateway.resume(other, socket.sessionId, 1)).closed)[0], 4009)
    assert.equal((await (await gateway.resume(other, lost.sessionId, 1)).closed)[0], 4009)
    await untouched.rest()
  })

  it('leaves the five other sessions that were lost resumable', async () => {
    await using gateway = await TestGateway.start()
    const ended = gateway.member(1, { authSessionId: 10 })
    const other = gateway.member(1, { authSessionId: 11 })
    const lost = []
    for (let i = 0; i < 5; i++) {
      const socket = await gateway.identify(other)
      await socket.close()
      lost.push(socket)
    }
    const socket = await gateway.identify(ended)
    gateway.gateway.endAuthSession(10)
    await socket.closed
    assert.equal(gateway.gateway.stats.resumableSessions, 5)
    await (await gateway.resume(other, lost[0]?.sessionId ?? '', 1)).next('resumed')
  })

  it('concerns the token a session was resumed with last', async () => {
    await using gateway = await TestGateway.start()
    const first = gateway.member(1, { authSessionId: 10 })
    const second = gateway.member(1, { authSessionId: 11 })
    const socket = await gateway.identify(first)
    await socket.close()
    const again = await gateway.resume(second, socket.sessionId, 1)
    await again.next('resumed')
    gateway.gateway.endAuthSession(10)
    assert.deepEqual(await again.rest(), [])
    gateway.gateway.endAuthSession(11)
    assert.equal((await again.closed)[0], 4004)
  })

  it('may be its expiry', async () => {
    await using gateway = await TestGateway.start()
    const socket = await gateway.identify(gateway.member(1, { expiresAt: gateway.clock.now() + 10_000 }))
    gateway.clock.advance(9_000)
    assert.equal(gateway.gateway.stats.liveSessions, 1)
    gateway.clock.advance(5_000)
    assert.deepEqual(await socket.closed, [4004, 'AUTH_FAILED'])
  })

  it('ends a session that is away, too, whatever token it is to be resumed with', async () => {
    await using gateway = await TestGateway.start()
    const short = gateway.member(1, { authSessionId: 10, expiresAt: gateway.clock.now() + 60_000 })
    const other = gateway.member(1, { authSessionId: 11 })
    const socket = await gateway.identify(short)
    await socket.close()
    gateway.clock.advance(59_000)
    const again = await gateway.resume(other, socket.sessionId, 1)
    await again.next('resumed')
    await again.close()
    gateway.clock.advance(60_000)
    const last = await gateway.resume(short, socket.sessionId, 1)
    await last.next('resumed')
    await last.close()
    gateway.clock.advance(5_000)
    assert.equal((await (await gateway.resume(other, socket.sessionId, 1)).closed)[0], 4009)
  })

  it('is put off by heartbeats', async () => {
    await using gateway = await TestGateway.start()
    const token = gateway.member(1, { authSessionId: 10, expiresAt: gateway.clock.now() + 60_000 })
    const socket = await gateway.identify(token)
    gateway.clock.advance(45_000)
    gateway.member(1, { authSessionId: 10, expiresAt: gateway.clock.now() + 120_000 })
    socket.send('heartbeat')
    await socket.next('heartbeat_ack')
    gateway.clock.advance(60_000)
    assert.deepEqual(await socket.rest(), [])
  })

  it('is noticed when a heartbeat finds the token gone', async () => {
    await using gateway = await TestGateway.start()
    const token = gateway.member(1)
    const socket = await gateway.identify(token)
    gateway.setToken(token, 'unknown')
    socket.send('heartbeat')
    assert.equal((await socket.closed)[0], 4004)
  })
})

describe('the end of a membership', () => {
  it('reaches the user before all their sessions are closed with 4004', async () => {
    await using gateway = await TestGateway.start()
    const token = gateway.member(1)
    const socket = await gateway.identify(token)
    const second = await gateway.identify(token)
    await second.next('presence_update')
    gateway.community.deleteMember(1)
    gateway.bus.publish({ event: memberBan, data: { user_id: 1 }, audience: { to: 'members', and: [1] } })
    gateway.gateway.endUser(1)
    for (const each of [socket, second]) {
      assert.deepEqual((await each.next('member_ban')).d, { user_id: 1 })
      assert.deepEqual(await each.closed, [4004, 'AUTH_FAILED'])
      assert.equal((await (await gateway.resume(token, each.sessionId, 1)).closed)[0], 4009)
    }
  })
})
