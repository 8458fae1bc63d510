import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { DEFAULT_LIMITS, messageCreate, messageDelete, Permission } from '@vox/protocol'
import fc from 'fast-check'
import type { Audience } from '../../src/events/audience.ts'
import { FanOut } from '../../src/gateway/fan-out.ts'
import { Session } from '../../src/gateway/session.ts'
import { SessionTable } from '../../src/gateway/session-table.ts'
import { EVERYONE, TestGateway, type TestSocket } from '../support/gateway.ts'

let nextMessage = 1n

/** Publishes an event to the audience and says which of the sockets received it. */
async function reached(gateway: TestGateway, sockets: TestSocket[], audience: Audience): Promise<number[]> {
  const msgId = nextMessage++
  gateway.bus.publish({ event: messageDelete, data: { msg_id: msgId, feed_id: 7 }, audience })
  const users: number[] = []
  for (const [index, socket] of sockets.entries()) {
    const copies = (await socket.rest()).filter(({ d }) => d.msg_id === Number(msgId)).length
    assert.ok(copies <= 1, 'received more than once')
    if (copies === 1) users.push(index + 1)
  }
  return users
}

/** Sockets of the members 1 to 4; 3 and 4 have a role that does not see feed 7. */
async function community(gateway: TestGateway): Promise<TestSocket[]> {
  gateway.community.setRole({ id: 5, position: 1, permissions: Permission.MANAGE_WEBHOOKS, builtin: false })
  gateway.feed(7, [5])
  const sockets = []
  for (const userId of [1, 2, 3, 4])
    sockets.push(await gateway.identify(gateway.member(userId, { roles: userId > 2 ? [5] : [] })))
  return sockets
}

describe('an event', () => {
  it('reaches its audience and nobody else', async () => {
    await using gateway = await TestGateway.start()
    const sockets = await community(gateway)
    const viewers: Audience = { to: 'viewers', space: { type: 'feed', id: 7 } }
    const audiences: [Audience, number[]][] = [
      [{ to: 'members' }, [1, 2, 3, 4]],
      [{ to: 'members', except: [2] }, [1, 3, 4]],
      [viewers, [1, 2]],
      [{ ...viewers, and: [2, 3, 99] }, [1, 2, 3]],
      [{ ...viewers, and: [3, 3], except: [1, 3] }, [2]],
      [{ to: 'viewers', space: { type: 'room', id: 7 } }, [1, 2, 3, 4]],
      [{ to: 'holders', permission: Permission.MANAGE_WEBHOOKS }, [3, 4]],
      [{ to: 'holders', permission: Permission.MANAGE_SERVER }, []],
      [{ to: 'users', users: [4, 1, 1, 99] }, [1, 4]],
      [{ to: 'users', users: [] }, []],
    ]
    for (const [audience, expected] of audiences) assert.deepEqual(await reached(gateway, sockets, audience), expected)
  })

  it('reaches who belongs to the audience at the time, not before or after', async () => {
    await using gateway = await TestGateway.start()
    const sockets = await community(gateway)
    const viewers: Audience = { to: 'viewers', space: { type: 'feed', id: 7 } }
    assert.deepEqual(await reached(gateway, sockets, viewers), [1, 2])
    gateway.community.setMember(3, [])
    assert.deepEqual(await reached(gateway, sockets, viewers), [1, 2, 3])
    gateway.feed(7, [5, EVERYONE])
    assert.deepEqual(await reached(gateway, sockets, viewers), [])
    gateway.feed(7)
    gateway.community.deleteMember(1)
    assert.deepEqual(await reached(gateway, sockets, viewers), [2, 3, 4])
    gateway.community.setMember(1, [])
    sockets.push(await gateway.identify(gateway.member(5)))
    assert.deepEqual(await reached(gateway, sockets, viewers), [1, 2, 3, 4, 5])
  })

  it('reaches every session of a user, live or not', async () => {
    await using gateway = await TestGateway.start()
    const token = gateway.member(1)
    const lost = await gateway.identify(token)
    await lost.close()
    const sockets = [await gateway.identify(token), await gateway.identify(token)]
    assert.deepEqual(await reached(gateway, sockets, { to: 'users', users: [1] }), [1, 2])
    const again = await gateway.resume(token, lost.sessionId, 1)
    await again.next('message_delete')
  })

  it('is counted', async () => {
    await using gateway = await TestGateway.start()
    const sockets = await community(gateway)
    const before = gateway.gateway.stats
    await reached(gateway, sockets, { to: 'members' })
    await reached(gateway, sockets, { to: 'users', users: [99] })
    const { events, deliveries } = gateway.gateway.stats
    assert.deepEqual([events - before.events, deliveries - before.deliveries], [1, 4])
  })

  it('that is larger than clients take is logged and goes to nobody', async () => {
    await using gateway = await TestGateway.start()
    const socket = await gateway.identify(gateway.member(1))
    gateway.send(1, 'x'.repeat(1_048_576))
    assert.equal(gateway.errors.length, 1)
    gateway.send(1, 'x'.repeat(1_048_000))
    assert.equal((await socket.next('message_create')).seq, 2)
  })

  it('that cannot be serialised is logged and harms nobody', async () => {
    await using gateway = await TestGateway.start()
    const socket = await gateway.identify(gateway.member(1))
    const circular: Record<string, unknown> = {}
    circular.self = circular
    const data = { msg_id: 1n, author_id: 1, body: null, timestamp: 1, feed_id: 7, embed: circular }
    gateway.bus.publish({ event: messageCreate, data, audience: { to: 'members' } })
    assert.equal(gateway.errors.length, 1)
    gateway.send(1, 'still here')
    assert.equal((await socket.next('message_create')).seq, 2)
  })
})

describe('an audience, after any history', () => {
  const userId = fc.integer({ min: 1, max: 4 })
  const step = fc.oneof(
    userId.map((id) => ({ do: 'connect' as const, id })),
    userId.map((id) => ({ do: 'end' as const, id })),
    fc.record({ do: fc.constant('setMember' as const), id: userId, roles: fc.subarray([5]) }),
    userId.map((id) => ({ do: 'deleteMember' as const, id })),
    fc.subarray([5, EVERYONE]).map((hiddenFrom) => ({ do: 'hide' as const, hiddenFrom })),
    fc.constant({ do: 'send' as const }),
  )

  it('is every session whose user belongs to it then', async () => {
    await using gateway = await TestGateway.start()
    const { community, clock } = gateway
    community.setRole({ id: 5, position: 1, permissions: 0n, builtin: false })
    const context = { community, clock, log: { debug: assert.fail, error: assert.fail } }
    const audience: Audience = { to: 'viewers', space: { type: 'feed', id: 7 } }
    fc.assert(
      fc.property(fc.array(step, { maxLength: 30, size: 'max' }), (history) => {
        const table = new SessionTable()
        const fanOut = new FanOut(table, context)
        gateway.feed(7)
        for (const next of history) {
          if (next.do === 'connect') table.add(new Session(next.id, () => DEFAULT_LIMITS))
          else if (next.do === 'end') for (const session of table.of(next.id)) table.remove(session)
          else if (next.do === 'setMember') community.setMember(next.id, next.roles)
          else if (next.do === 'deleteMember') community.deleteMember(next.id)
          else if (next.do === 'hide') gateway.feed(7, next.hiddenFrom)
          else {
            const before = [...table.all()].map((session) => [session, session.log.top] as const)
            fanOut.deliver({ event: messageDelete, data: { msg_id: 1n, feed_id: 7 }, audience })
            for (const [session, top] of before)
              assert.equal(session.log.top - top, community.includes(audience, session.userId) ? 1 : 0)
          }
        }
      }),
    )
  })
})
