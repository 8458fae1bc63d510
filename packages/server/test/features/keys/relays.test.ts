import assert from 'node:assert/strict'
import { it } from 'node:test'
import { createFeed, registerAll } from '../../support/community.ts'
import { createGroup, openPair } from '../../support/conversations.ts'
import { addDevice, fetchPackages, stockUp } from '../../support/devices.ts'
import { forEachEngine } from '../../support/engines.ts'
import { connectAll } from '../../support/gateway-client.ts'
import { groupMessage, welcome } from '../../support/mls.ts'
import { allTold, refusal, relay, withoutId } from '../../support/relays.ts'
import { startTestServer } from '../../support/server.ts'

forEachEngine('an MLS relay', (engine) => {
  it('to a conversation reaches all sessions of its participants, and nobody else', async () => {
    await using server = await startTestServer(engine)
    const [ada, bob, cleo, dora] = await registerAll(server, 'ada', 'bob', 'cleo', 'dora')
    const dm_id = await createGroup(bob, cleo, dora)
    const [a, b, b2, c, d] = await connectAll(server, ada, bob, bob, cleo, dora)
    const sent = [
      ['commit', groupMessage(`dm:${dm_id}`, 0)],
      ['proposal', groupMessage(`dm:${dm_id}`, 1, 'proposal')],
      ['commit', groupMessage(`dm:${dm_id}`, 1, 'commit', { isPublic: true })],
    ] as const
    for (const [type, data] of sent) relay(b, type, data)
    const expected = sent.map(([type, data]) => [
      `mls_${type}`,
      { data, sender_id: bob.userId, dm_id, group_id: `dm:${dm_id}` },
    ])
    const told = await allTold(b, b2, c, d)
    for (const events of told) assert.deepEqual(events.map(withoutId), expected)
    assert.deepEqual(told, Array(4).fill(told[0]))
    assert.deepEqual(await a?.told(), [])
  })

  it('by somebody who takes no part reaches nobody but their own sessions', async () => {
    await using server = await startTestServer(engine)
    const [ada, bob, cleo] = await registerAll(server, 'ada', 'bob', 'cleo')
    const dm = await openPair(bob, cleo)
    const [a, a2, b, c] = await connectAll(server, ada, ada, bob, cleo)
    const data = groupMessage(`dm:${dm}`, 5)
    relay(a, 'commit', data)
    relay(a, 'commit', data, { dm_id: dm })
    relay(a, 'commit', groupMessage('dm:4000000', 5))
    const [own, other, ...outside] = await allTold(a, a2, b, c)
    assert.deepEqual(own, other)
    assert.equal(own?.length, 3)
    assert.deepEqual(own?.[0] && withoutId(own[0]), [
      'mls_commit',
      { data, sender_id: ada.userId, group_id: `dm:${dm}` },
    ])
    assert.deepEqual(outside, [[], []])
    relay(b, 'commit', data)
    assert.equal((await allTold(b, c))[1]?.length, 1, 'the epoch has not been taken by an outsider')
  })

  it('that is no MLS, or not what it says, is an echo to the own sessions', async () => {
    await using server = await startTestServer(engine)
    const [ada, bob] = await registerAll(server, 'ada', 'bob')
    const dm = await openPair(ada, bob)
    const [a, a2, b] = await connectAll(server, ada, ada, bob)
    const echoes = [
      ['commit', 'fake-commit-data'],
      ['welcome', 'fake'],
      ['proposal', ''],
      ['commit', groupMessage(`dm:${dm}`, 1, 'proposal')],
      ['proposal', groupMessage(`dm:${dm}`, 1)],
      ['commit', groupMessage(`dm:0${dm}`, 1)],
      ['commit', groupMessage(`dm:${dm} `, 1)],
      ['commit', `${groupMessage(`dm:${dm}`, 1)}\n`],
      ['welcome', groupMessage(`dm:${dm}`, 1)],
    ] as const
    for (const [type, data] of echoes) relay(a, type, data)
    const [own, other, outside] = await allTold(a, a2, b)
    assert.deepEqual(
      own?.map(([type, d]) => [type, (d as { data: string }).data]),
      echoes.map(([type, data]) => [`mls_${type}`, data]),
    )
    assert.deepEqual([other, outside], [own, []])
    assert.deepEqual((await ada.get('/keys/mls/relays')).body, { relays: [], cursor: null })
  })

  it('may name its conversation and its group', async () => {
    await using server = await startTestServer(engine)
    const [ada, bob, cleo] = await registerAll(server, 'ada', 'bob', 'cleo')
    const dm_id = await openPair(ada, bob)
    const [a, b, c] = await connectAll(server, ada, bob, cleo)
    const own = groupMessage(`dm:${dm_id}`, 0)
    relay(a, 'commit', 'fake', { dm_id, group_id: 'mine' })
    relay(a, 'welcome', 'fake', { dm_id, group_id: 'mine' })
    for (const group_id of ['x'.repeat(255), 'x'.repeat(256), 7, null]) relay(a, 'commit', own, { group_id })
    const [told, same, none] = await allTold(a, b, c)
    const base = { data: 'fake', sender_id: ada.userId, dm_id }
    const named = (group_id: string) => ['mls_commit', { ...base, data: own, group_id }]
    assert.deepEqual(told?.map(withoutId), [
      ['mls_commit', { ...base, group_id: 'mine' }],
      ['mls_welcome', base],
      named('x'.repeat(255)),
      ...Array(3).fill(named(`dm:${dm_id}`)),
    ])
    assert.deepEqual([same, none], [told, []])
  })

  it('to a feed reaches those who see it', async () => {
    await using server = await startTestServer(engine)
    const [ada, bob, cleo] = await registerAll(server, 'ada', 'bob', 'cleo')
    const hidden = await createFeed(ada, { hidden: true })
    const open = await createFeed(ada)
    const [a, b, c] = await connectAll(server, ada, bob, cleo)
    const data = groupMessage(`feed:${open}`, 3)
    relay(b, 'commit', data)
    relay(b, 'commit', groupMessage(`feed:${hidden}`, 3))
    relay(b, 'commit', groupMessage('feed:4000000', 3))
    const [own, ...others] = await allTold(b, a, c)
    assert.equal(own?.length, 3)
    for (const told of others)
      assert.deepEqual(told.map(withoutId), [['mls_commit', { data, sender_id: bob.userId, group_id: `feed:${open}` }]])
    relay(a, 'proposal', groupMessage(`feed:${hidden}`, 3, 'proposal'))
    assert.deepEqual(
      (await allTold(a, b, c)).map(({ length }) => length),
      [1, 0, 0],
    )
    const listed = async (client: typeof ada) => (await client.get('/keys/mls/relays')).body.relays.length
    assert.deepEqual([await listed(ada), await listed(bob), await listed(cleo)], [2, 1, 1])
  })

  it('of other types, or in the wrong form, does nothing or is refused in-band', async () => {
    await using server = await startTestServer(engine)
    const [ada, bob] = await registerAll(server, 'ada', 'bob')
    const dm = await openPair(ada, bob)
    const [a, b] = await connectAll(server, ada, bob)
    for (const type of ['application', 'key_package', '', 'Commit']) relay(a, type, 'x')
    assert.deepEqual(await a?.told(), [])
    for (const d of [
      {},
      { mls_type: null },
      { mls_type: 7 },
      { mls_type: 'commit', data: 7 },
      { mls_type: 'commit', data: 'x', dm_id: `${dm}` },
      { mls_type: 'commit', data: 'x', dm_id: 1.5 },
    ]) {
      a?.socket.send('mls_relay', d)
      assert.equal(a && (await refusal(a)), 'VALIDATION_ERROR')
    }
    relay(a, 'welcome', 'x'.repeat(64_513), { dm_id: dm })
    assert.equal(a && (await refusal(a)), 'PAYLOAD_TOO_LARGE')
    relay(a, 'welcome', 'x'.repeat(64_512), { dm_id: dm })
    assert.deepEqual(
      (await allTold(a, b)).map(({ length }) => length),
      [1, 1],
    )
    await ada.patch('/server/limits', { relay_payload_max: 0 })
    relay(a, 'commit', 'x')
    assert.equal(a && (await refusal(a)), 'PAYLOAD_TOO_LARGE')
  })

  it('stays with its sender where a block keeps two apart, and is heard in a group', async () => {
    await using server = await startTestServer(engine)
    const [ada, bob, cleo] = await registerAll(server, 'ada', 'bob', 'cleo')
    const pair = await openPair(ada, bob)
    const group = await createGroup(ada, bob, cleo)
    await bob.put(`/users/@me/blocks/${ada.userId}`)
    const [a, b] = await connectAll(server, ada, bob)
    relay(a, 'commit', groupMessage(`dm:${pair}`, 4))
    assert.deepEqual(
      (await allTold(a, b)).map(({ length }) => length),
      [1, 0],
    )
    relay(b, 'commit', groupMessage(`dm:${pair}`, 4))
    assert.deepEqual(await allTold(b, a), [[], []], 'the blocker is not told who has won the epoch')
    relay(a, 'commit', groupMessage(`dm:${group}`, 4))
    assert.deepEqual(
      (await allTold(a, b)).map(({ length }) => length),
      [1, 1],
    )
    const listed = (await bob.get('/keys/mls/relays')).body.relays
    assert.deepEqual(
      listed.map(({ dm_id }: { dm_id: number }) => dm_id),
      [group],
    )
    await bob.delete(`/users/@me/blocks/${ada.userId}`)
    relay(b, 'commit', groupMessage(`dm:${pair}`, 4))
    const winner = (await b?.told())?.at(-1)?.[1] as { sender_id?: number } | undefined
    assert.equal(winner?.sender_id, ada.userId)
  })
})

forEachEngine('a Welcome', (engine) => {
  it('reaches the owners of the packages that its sender was given, and nobody else', async () => {
    await using server = await startTestServer(engine)
    const [ada, bob, cleo, dora] = await registerAll(server, 'ada', 'bob', 'cleo', 'dora')
    for (const [member, device] of [
      [bob, 'b1'],
      [bob, 'b2'],
      [cleo, 'c1'],
      [dora, 'd1'],
    ] as const) {
      await addDevice(member, device)
      await stockUp(member, device, 2)
    }
    const forBob = await fetchPackages(ada, bob)
    const forCleo = await fetchPackages(ada, cleo)
    const notHers = await fetchPackages(bob, dora)
    const [a, b, c, d] = await connectAll(server, ada, bob, cleo, dora)
    const data = welcome([...forBob, ...forCleo, ...notHers])
    relay(a, 'welcome', data)
    const [own, ...others] = await allTold(a, b, c)
    assert.deepEqual(own?.map(withoutId), [['mls_welcome', { data, sender_id: ada.userId }]])
    for (const told of others) assert.deepEqual(told, own)
    assert.deepEqual(await d?.told(), [])
    relay(a, 'welcome', welcome(forCleo, { isBare: true }))
    assert.deepEqual(
      (await allTold(a, b, c, d)).map(({ length }) => length),
      [1, 0, 1, 0],
    )
  })

  it('is carried three times by one package', async () => {
    await using server = await startTestServer(engine)
    const [ada, bob] = await registerAll(server, 'ada', 'bob')
    await addDevice(bob, 'phone')
    await stockUp(bob, 'phone', 1)
    await stockUp(bob, 'phone', 1, { isLastResort: true })
    const ordinary = await fetchPackages(ada, bob)
    const [a, b] = await connectAll(server, ada, bob)
    const reach = async (packages: readonly string[]) => {
      for (let time = 0; time < 8; time++) relay(a, 'welcome', welcome(packages))
      const [own, others] = await allTold(a, b)
      assert.equal(own?.length, 8)
      return others?.length
    }
    assert.equal(await reach(ordinary), 3)
    const [resort] = await fetchPackages(ada, bob)
    assert.deepEqual(await fetchPackages(ada, bob), [resort])
    assert.equal(await reach([resort ?? '']), 6, 'a package of last resort is handed out more than once')
  })

  it('is held back by a block, unless the two share a group', async () => {
    await using server = await startTestServer(engine)
    const [ada, bob, cleo] = await registerAll(server, 'ada', 'bob', 'cleo')
    await addDevice(bob, 'phone')
    await stockUp(bob, 'phone', 1)
    const packages = await fetchPackages(ada, bob)
    await openPair(ada, bob)
    await ada.put(`/users/@me/blocks/${bob.userId}`)
    const [a, b] = await connectAll(server, ada, bob)
    for (let time = 0; time < 5; time++) relay(a, 'welcome', welcome(packages))
    assert.deepEqual(
      (await allTold(a, b)).map(({ length }) => length),
      [5, 0],
    )
    await createGroup(cleo, ada, bob)
    await allTold(a, b)
    relay(a, 'welcome', welcome(packages))
    assert.deepEqual(
      (await allTold(a, b)).map(({ length }) => length),
      [1, 1],
    )
  })

  it('for a hundred devices passes', async () => {
    await using server = await startTestServer(engine)
    const members = await registerAll(server, ...Array.from({ length: 10 }, (_, n) => `member${n}`))
    const [ada, ...others] = members
    assert.ok(ada)
    for (const member of members)
      for (let n = 0; n < 10; n++) {
        await addDevice(member, `${member.userId}-${n}`)
        await stockUp(member, `${member.userId}-${n}`, 1)
      }
    const packages = (await Promise.all(members.map((member) => fetchPackages(ada, member)))).flat()
    assert.equal(packages.length, 100)
    const data = welcome(packages)
    assert.ok(data.length > 44_000 && data.length < 64_512, `${data.length}`)
    const [a, ...sessions] = await connectAll(server, ada, ...others)
    relay(a, 'welcome', data)
    for (const told of await allTold(a, ...sessions)) assert.equal(told.length, 1)
  })
})
