import assert from 'node:assert/strict'
import { it } from 'node:test'
import { restarted } from '../../support/accounts.ts'
import { registerAll } from '../../support/community.ts'
import { createGroup, openPair } from '../../support/conversations.ts'
import { type Engine, forEachEngine } from '../../support/engines.ts'
import { connectAll, GatewayClient, type Told } from '../../support/gateway-client.ts'
import { groupMessage } from '../../support/mls.ts'
import { allTold, nextRelays, relay } from '../../support/relays.ts'
import { startTestServer } from '../../support/server.ts'

/** What sessions were told of relays: only the data. */
const dataOf = async (...sessions: (GatewayClient | undefined)[]) =>
  (await allTold(...sessions)).map((told) => told.map(([, d]) => (d as { data: string }).data))

/** Three members in a group, each with a session; `commit` makes one for the conversation. */
async function trio(engine: Engine) {
  const server = await startTestServer(engine)
  const [ada, bob, cleo] = await registerAll(server, 'ada', 'bob', 'cleo')
  const dm = await createGroup(ada, bob, cleo)
  const commit = (epoch: bigint | number) => groupMessage(`dm:${dm}`, epoch)
  return { server, members: [ada, bob, cleo] as const, dm, commit }
}

forEachEngine('the commits of a group', (engine) => {
  it('are told once per epoch: everybody sees the first, the loser too, once more', async () => {
    const { server, members, commit } = await trio(engine)
    await using _ = server
    const [a, b, b2, c] = await connectAll(server, members[0], members[1], members[1], members[2])
    const [first, second] = [commit(3), commit(3)]
    relay(a, 'commit', first)
    await a?.told()
    relay(b, 'commit', second)
    assert.deepEqual(await dataOf(b, b2, c, a), [[first, first], [first], [first], []])
    relay(c, 'commit', second)
    const again = (await c?.told())?.[0]?.[1] as { relay_id?: bigint } | undefined
    const { relays } = (await members[2].get('/keys/mls/relays')).body
    assert.deepEqual(
      relays.map(({ data }: { data: string }) => data),
      [first],
    )
    assert.equal(again?.relay_id, relays[0].relay_id)
  })

  it('made for one epoch at once have one winner for all', async () => {
    const { server, members, commit } = await trio(engine)
    await using _ = server
    const sessions = await connectAll(server, ...members)
    for (let epoch = 1; epoch <= 10; epoch++) {
      for (const session of sessions) relay(session, 'commit', commit(epoch))
      const told = await dataOf(...sessions)
      const later = await dataOf(...sessions)
      const winners = new Set([...told, ...later].flat())
      assert.equal(winners.size, 1)
      told.forEach((seen, index) => void assert.ok(seen.length + (later[index] ?? []).length >= 1))
    }
  })

  it('for epoch 0 begin the group anew: every epoch is free again', async () => {
    const { server, members, commit } = await trio(engine)
    await using _ = server
    const [a, b] = await connectAll(server, members[0], members[1])
    const sent = [commit(0), commit(1), commit(2), commit(0), commit(0), commit(1), commit(2)]
    for (const data of sent) relay(a, 'commit', data)
    assert.deepEqual(await dataOf(a, b), [sent, sent])
    relay(b, 'commit', commit(1))
    assert.deepEqual(await dataOf(b, a), [[sent[5]], []])
  })

  it('keep their order through a restart, and up to the last 256 epochs', async () => {
    const { server: first, members, commit } = await trio(engine)
    await using _ = first
    const [ada, bob] = members
    const [a] = await connectAll(first, ada)
    const sent = Array.from({ length: 258 }, (_, n) => commit(n + 1))
    await ada.patch('/server/limits', { gateway_messages_per_minute: 1000 })
    for (const data of sent) relay(a, 'commit', data)
    await a?.told()
    await using server = await restarted(first, engine, {})
    const b = await GatewayClient.connect(server, bob, { settled: false })
    const c = await GatewayClient.connect(server, members[2], { settled: false })
    for (const session of [b, c]) await nextRelays(session, sent.length)
    const late = [commit(258), commit(3), commit(2), commit(2n ** 64n - 1n), commit(2n ** 64n - 1n)]
    for (const data of late) relay(b, 'commit', data)
    assert.deepEqual(await dataOf(b, c), [
      [sent[257], sent[2], late[2], late[3], late[3]],
      [late[2], late[3]],
    ])
  })

  it('of other conversations, feeds and proposals have nothing to do with it', async () => {
    const { server, members, dm, commit } = await trio(engine)
    await using _ = server
    const [ada, bob] = members
    const other = await openPair(ada, bob)
    const [a, b] = await connectAll(server, ada, bob)
    const sent: [string, string][] = [
      ['commit', commit(7)],
      ['commit', groupMessage(`dm:${other}`, 7)],
      ['proposal', groupMessage(`dm:${dm}`, 7, 'proposal')],
      ['proposal', groupMessage(`dm:${dm}`, 7, 'proposal')],
    ]
    for (const [type, data] of sent) relay(a, type, data)
    const data = sent.map(([, text]) => text)
    assert.deepEqual(await dataOf(a, b), [data, data])
  })

  it('reach all sessions in one order, that of their ids', async () => {
    const { server, members, commit } = await trio(engine)
    await using _ = server
    const sessions = await connectAll(server, ...members)
    for (let n = 1; n <= 15; n++)
      for (const [index, session] of sessions.entries()) relay(session, 'commit', commit(20 * index + n))
    const told = await allTold(...sessions)
    const later = await allTold(...sessions)
    const idsOf = (events: readonly Told[]) => events.map(([, d]) => (d as { relay_id: bigint }).relay_id)
    const { relays } = (await members[0].get('/keys/mls/relays')).body
    const ids = relays.map(({ relay_id }: { relay_id: bigint }) => relay_id)
    assert.equal(ids.length, 45)
    assert.deepEqual(
      ids,
      ids.toSorted((x: bigint, y: bigint) => Number(x - y)),
    )
    told.forEach((events, index) => void assert.deepEqual(idsOf([...events, ...(later[index] ?? [])]), ids))
  })

  it('have one order with the messages, whoever looks', async () => {
    const { server, members, dm, commit } = await trio(engine)
    await using _ = server
    const sessions = await connectAll(server, ...members)
    const takeTurns = async (member: (typeof members)[number], index: number) => {
      for (let n = 1; n <= 10; n++) {
        relay(sessions[index], 'commit', commit(10 * index + n))
        const sent = await member.post(`/dms/${dm}/messages`, { opaque_blob: `${index} ${n}` })
        assert.equal(sent.status, 201)
      }
    }
    await Promise.all(members.map(takeTurns))
    const [told, later] = [await allTold(...sessions), await allTold(...sessions)]
    const seen = told.map((events, index) =>
      [...events, ...(later[index] ?? [])].flatMap(([, d]) => {
        const { relay_id, msg_id, dm_id, type } = d as Record<string, bigint | undefined>
        return dm_id === undefined || type !== undefined ? [] : [relay_id ?? msg_id ?? 0n]
      }),
    )
    assert.equal(seen[0]?.length, 60)
    assert.deepEqual(
      seen[0],
      seen[0]?.toSorted((x, y) => Number(x - y)),
    )
    for (const ids of seen) assert.deepEqual(ids, seen[0])
  })
})
