import assert from 'node:assert/strict'
import { it } from 'node:test'
import { isDeepStrictEqual } from 'node:util'
import { permissionSet } from '@vox/protocol'
import { restarted } from '../../support/accounts.ts'
import { TestClock } from '../../support/clock.ts'
import { createFeed, type Member, registerAll } from '../../support/community.ts'
import { createGroup, openPair } from '../../support/conversations.ts'
import { addDevice, fetchPackages, stockUp } from '../../support/devices.ts'
import { forEachEngine } from '../../support/engines.ts'
import { eventually } from '../../support/eventually.ts'
import type { Received } from '../../support/gateway.ts'
import { connectAll, GatewayClient, type Told } from '../../support/gateway-client.ts'
import { groupMessage, welcome } from '../../support/mls.ts'
import { allTold, nextRelays, relay, withoutId } from '../../support/relays.ts'
import { failure, startTestServer, type TestServer } from '../../support/server.ts'
import { countRows } from '../../support/sql.ts'

const DAY_MS = 86_400_000
const HOUR_MS = 3_600_000

/** Many messages a minute, and as many sessions as a test likes. */
const BUSY = { VOX_LIMIT_GATEWAY_MESSAGES_PER_MINUTE: '10000' }

/** Connects without reading anything but `ready`. */
const arrive = (server: TestServer, member: Pick<Member, 'token'>) =>
  GatewayClient.connect(server, member, { settled: false })

const asTold = ({ type, d }: Received): Told => [type, d]

const idOf = ([, d]: Told): bigint => {
  const { relay_id, msg_id } = d as { relay_id?: bigint; msg_id?: bigint }
  return relay_id ?? msg_id ?? 0n
}

const ascending = (one: bigint, other: bigint) => (one < other ? -1 : 1)

const dataOf = (told: readonly Told[]) => told.map(([, d]) => (d as { data: string }).data)

/** All relays on the member’s list, page by page. */
async function listed(member: Member, query = ''): Promise<{ data: string; relay_id: bigint; sender_id: number }[]> {
  const all = []
  for (let after = 0n; ; ) {
    const { relays, cursor } = (await member.get(`/keys/mls/relays?after=${after}${query}`)).body
    if (relays.length === 0) {
      assert.equal(cursor, null)
      return all
    }
    all.push(...relays)
    after = cursor
  }
}

forEachEngine('relays for somebody who is away', (engine) => {
  it('come in order after the next ready, also a day and a restart later, before anything new', async () => {
    const clock = new TestClock()
    await using first = await startTestServer(engine, { clock, env: BUSY })
    const [ada, bob] = await registerAll(first, 'ada', 'bob')
    const dm_id = await openPair(ada, bob)
    await addDevice(bob, 'phone')
    await stockUp(bob, 'phone', 1)
    const packages = await fetchPackages(ada, bob)
    const [a] = await connectAll(first, ada)
    const sent = [['welcome', welcome(packages)]]
    for (let epoch = 0; epoch < 60; epoch++) sent.push(['commit', groupMessage(`dm:${dm_id}`, epoch)])
    for (const [type = '', data = ''] of sent) relay(a, type, data)
    const accepted = (await a?.told()) ?? []
    assert.equal(accepted.length, 61)

    clock.advance(DAY_MS)
    await using server = await restarted(first, engine, { clock, env: BUSY })
    const [a2] = await connectAll(server, { token: ada.token })
    const b = await arrive(server, bob)
    const late = groupMessage(`dm:${dm_id}`, 60)
    relay(a2, 'commit', late)
    const told = await nextRelays(b, 62)
    assert.deepEqual(told.slice(0, 61), accepted)
    assert.deepEqual(told[61] && withoutId(told[61]), [
      'mls_commit',
      { data: late, sender_id: ada.userId, dm_id, group_id: `dm:${dm_id}` },
    ])
    const again = Object.assign(bob, { url: server.url })
    assert.deepEqual(
      dataOf(told),
      (await listed(again)).map(({ data }) => data),
    )

    await allTold(b)
    const sibling = await arrive(server, bob)
    assert.deepEqual(await sibling.told(), [], 'a sibling that slept finds them in the list only')
  })

  it('come after what nobody heard, not after what a session heard that is gone for a moment', async () => {
    const clock = new TestClock()
    await using server = await startTestServer(engine, { clock })
    const [ada, bob] = await registerAll(server, 'ada', 'bob')
    const dm = await openPair(ada, bob)
    const [a, b] = await connectAll(server, ada, bob)
    await b?.socket.close()
    await a?.presences()
    const heard = groupMessage(`dm:${dm}`, 1)
    relay(a, 'commit', heard)
    await a?.told()
    const b2 = await arrive(server, bob)
    assert.deepEqual(await b2.told(), [], 'the first session can still be resumed')
    await b2.socket.close()
    await a?.presences()
    clock.advance(60_000)
    a?.socket.send('heartbeat')
    clock.advance(60_000)
    await a?.socket.close()
    clock.advance(301_000)
    const [a3] = await connectAll(server, ada)
    const unheard = groupMessage(`dm:${dm}`, 2)
    relay(a3, 'commit', unheard)
    await a3?.told()
    const b3 = await arrive(server, bob)
    assert.deepEqual(dataOf(await nextRelays(b3, 1)), [unheard])
    assert.deepEqual(await b3.told(), [])
  })

  it('come again when the session that got them broke off before their end', async () => {
    const clock = new TestClock()
    await using first = await startTestServer(engine, { clock, env: BUSY })
    const [ada, bob] = await registerAll(first, 'ada', 'bob')
    const dm = await openPair(ada, bob)
    const [a] = await connectAll(first, ada)
    const sent = Array.from({ length: 100 }, (_, epoch) => groupMessage(`dm:${dm}`, epoch))
    for (const data of sent) relay(a, 'commit', data)
    await a?.told()
    const b = await arrive(first, bob)
    b.socket.terminate()
    await b.socket.closed
    await using server = await restarted(first, engine, { clock, env: BUSY })
    const again = await arrive(server, bob)
    const received = dataOf(await nextRelays(again, 100))
    assert.deepEqual(received, sent)
  })

  it('go on in the next session where one that broke off has surely got to', async () => {
    await using server = await startTestServer(engine, { env: BUSY })
    const [ada, bob] = await registerAll(server, 'ada', 'bob')
    const dm_id = await openPair(ada, bob)
    const [a] = await connectAll(server, ada)
    const sent = Array.from({ length: 160 }, (_, n) => `${n}`.padEnd(64_512, 'x'))
    for (const data of sent) relay(a, 'proposal', data, { dm_id })
    await allTold(a)
    const b = await arrive(server, bob)
    const got = await nextRelays(b, 90)
    b.socket.terminate()
    await b.socket.closed
    const again = await arrive(server, bob)
    const rest = dataOf(await nextRelays(again, 1))
    while (rest.at(-1) !== sent.at(-1)) rest.push(...dataOf(await nextRelays(again, 1)))
    assert.deepEqual(rest, sent.slice(-rest.length))
    assert.ok(rest.length < sent.length, 'it does not begin again')
    assert.ok(rest.length + got.length > sent.length, 'what may not have arrived comes again')
    const third = await arrive(server, bob)
    assert.deepEqual(await third.told(), [])
  })

  it('of encrypted feeds come to whoever sees the feed, in one order with those of conversations', async () => {
    const clock = new TestClock()
    await using first = await startTestServer(engine, { clock })
    const [ada, bob, cleo, dora] = await registerAll(first, 'ada', 'bob', 'cleo', 'dora')
    const dm = await openPair(ada, bob)
    const open = await createFeed(ada)
    const closing = await createFeed(ada)
    const hidden = await createFeed(ada, { hidden: true })
    const [a, d] = await connectAll(first, ada, dora)
    const groups = [`feed:${open}`, `dm:${dm}`, `feed:${hidden}`, `feed:${closing}`, `feed:${open}`]
    const sent = groups.map((group, epoch) => groupMessage(group, epoch, 'proposal'))
    for (const data of sent) relay(a, 'proposal', data)
    await allTold(a, d)
    await ada.put(`/feeds/${closing}/permissions/role/1`, { allow: 0, deny: permissionSet('VIEW_SPACE') })

    await using server = await restarted(first, engine, { clock })
    const expected: [Member, (string | undefined)[]][] = [
      [bob, [sent[0], sent[1], sent[4]]],
      [cleo, [sent[0], sent[4]]],
      [cleo, []],
      [dora, []],
      [ada, []],
    ]
    for (const [{ token }, owed] of expected) {
      const session = await arrive(server, { token })
      assert.deepEqual(dataOf(await nextRelays(session, owed.length)), owed)
      assert.deepEqual(await session.told(), [])
    }
  })

  it('are the newest 1000 whatever they are for; who floods feeds pushes nobody else out', async () => {
    await using server = await startTestServer(engine, { env: BUSY })
    const [ada, bob, cleo] = await registerAll(server, 'ada', 'bob', 'cleo')
    const dm_id = await openPair(cleo, bob)
    const feeds = [await createFeed(ada), await createFeed(ada)]
    const [a, c] = await connectAll(server, ada, cleo)
    const precious = groupMessage(`dm:${dm_id}`, 0)
    relay(c, 'commit', precious)
    await c?.told()
    const flood = Array.from({ length: 1200 }, (_, n) => groupMessage(`feed:${feeds[n % 2]}`, n, 'proposal'))
    for (const data of flood) relay(a, 'proposal', data)
    await a?.told()
    const b = await arrive(server, bob)
    const told = dataOf(await nextRelays(b, 1000)).map((data) => flood.indexOf(data))
    assert.deepEqual(told, [-1, ...[...flood.keys()].slice(-999)], 'the first is the precious one')
    assert.deepEqual(await b.told(), [])
  })

  it('hold back everything else until they have been told', async () => {
    await using server = await startTestServer(engine, { env: BUSY })
    const [ada, bob] = await registerAll(server, 'ada', 'bob')
    const dm = await openPair(ada, bob)
    const [a] = await connectAll(server, ada)
    const waiting = Array.from({ length: 90 }, (_, n) => groupMessage(`dm:${dm}`, n, 'proposal'))
    for (const data of waiting) relay(a, 'proposal', data)
    await a?.told()
    const b = await arrive(server, bob)
    const live = Array.from({ length: 30 }, (_, n) => groupMessage(`dm:${dm}`, n, 'proposal'))
    for (const data of live) relay(a, 'proposal', data)
    await a?.told()
    await ada.post('/feeds', { name: 'news', type: 'text' })
    const told: Told[] = []
    while (told.at(-1)?.[0] !== 'feed_create') told.push(asTold(await b.socket.next()))
    told.push(...(await b.socket.rest()).map(asTold))
    assert.deepEqual(dataOf(told.filter(([type]) => type === 'mls_proposal')), [...waiting, ...live])
    assert.equal(told[waiting.length - 1]?.[0], 'mls_proposal', 'nothing else comes before')
    const online = { user_id: ada.userId, status: 'online' }
    assert.ok(told.some(([type, d]) => type === 'presence_update' && isDeepStrictEqual(d, online)))
  })

  it('are told without a gap to a session that begins while more come', async () => {
    await using server = await startTestServer(engine, { env: { ...BUSY, VOX_LIMIT_RESUME_WINDOW_SECONDS: '0' } })
    const [ada, bob, cleo] = await registerAll(server, 'ada', 'bob', 'cleo')
    const dm_id = await createGroup(ada, bob, cleo)
    const [a, c] = await connectAll(server, ada, cleo)
    const rounds = 8
    for (let round = 0; round < rounds; round++) {
      const sending = Array.from({ length: 15 }, async () => {
        relay(a, 'proposal', groupMessage(`dm:${dm_id}`, round, 'proposal'))
        relay(c, 'proposal', groupMessage(`dm:${dm_id}`, round, 'proposal'))
        await ada.post(`/dms/${dm_id}/messages`, { body: 'x' })
      })
      const b = await arrive(server, bob)
      await Promise.all(sending)
      const [all, others] = await allTold(a, c)
      assert.deepEqual(all, others)
      const last = all?.at(-1)
      const told: Told[] = []
      while (!isDeepStrictEqual(told.at(-1), last)) {
        const event = asTold(await b.socket.next())
        if (event[0] !== 'presence_update') told.push(event)
      }
      assert.deepEqual(told.map(idOf), told.map(idOf).toSorted(ascending))
      const relays = (events: readonly Told[] = []) => events.filter(([type]) => type === 'mls_proposal')
      const [heard, sent] = [relays(told), relays(all)]
      assert.deepEqual(heard.slice(-sent.length), sent.slice(-heard.length), `in round ${round}`)
      b.socket.terminate()
      await b.socket.closed
      const presence = async () => (await ada.get(`/users/${bob.userId}/presence`)).body.status
      await eventually(async () => assert.equal(await presence(), 'offline'))
    }
  })

  it('are gone after 30 days', async () => {
    const clock = new TestClock()
    await using server = await startTestServer(engine, { clock })
    const [ada, bob] = await registerAll(server, 'ada', 'bob')
    const dm = await openPair(ada, bob)
    const [a] = await connectAll(server, ada)
    relay(a, 'proposal', groupMessage(`dm:${dm}`, 1, 'proposal'))
    await a?.told()
    await a?.socket.close()
    clock.advance(29 * DAY_MS)
    assert.equal((await listed(bob)).length, 1)
    clock.advance(DAY_MS)
    assert.equal((await listed(bob)).length, 1)
    clock.advance(1)
    assert.equal((await listed(bob)).length, 0)
    const b = await arrive(server, bob)
    assert.deepEqual(await b.told(), [])
  })

  it('leave the database after 30 days, but for commits that are remembered as winners', async () => {
    const clock = new TestClock()
    await using server = await startTestServer(engine, { clock })
    const [ada, bob] = await registerAll(server, 'ada', 'bob')
    const dm = await openPair(ada, bob)
    const feed = await createFeed(ada)
    const [a] = await connectAll(server, ada)
    const [first, winner] = [groupMessage(`dm:${dm}`, 0), groupMessage(`dm:${dm}`, 1)]
    relay(a, 'commit', first)
    relay(a, 'commit', winner)
    relay(a, 'commit', groupMessage(`feed:${feed}`, 1))
    await a?.told()
    const left = () =>
      countRows(
        server.databaseUrl,
        'select 1 from relays',
        'select 1 from relay_recipients',
        `select 1 from relays where data = '${winner}'`,
      )
    assert.deepEqual(await left(), [3, 4, 1])
    clock.advance(30 * DAY_MS + HOUR_MS)
    await eventually(async () => {
      clock.advance(HOUR_MS)
      assert.deepEqual(await left(), [1, 0, 1])
    })
  })
})

forEachEngine('the list of relays', (engine) => {
  it('goes on after a position, by conversation, and consumes nothing', async () => {
    await using server = await startTestServer(engine)
    const [ada, bob, cleo] = await registerAll(server, 'ada', 'bob', 'cleo')
    const one = await openPair(ada, bob)
    const two = await openPair(ada, cleo)
    const [a] = await connectAll(server, ada)
    const sent = [one, two, one, two, one].map((dm, n) => groupMessage(`dm:${dm}`, n, 'proposal'))
    for (const data of sent) relay(a, 'proposal', data)
    const told = (await a?.told()) ?? []
    assert.deepEqual(
      (await listed(ada, '&limit=2')).map(({ data }) => data),
      sent,
    )
    assert.deepEqual(
      (await listed(bob)).map(({ data }) => data),
      [sent[0], sent[2], sent[4]],
    )
    assert.deepEqual(
      (await listed(ada, `&dm_id=${two}`)).map(({ data }) => data),
      [sent[1], sent[3]],
    )
    assert.deepEqual(await listed(bob, `&dm_id=${two}`), [])
    const [, second, third] = told.map(([, d]) => d as { relay_id: bigint })
    const page = (await ada.get(`/keys/mls/relays?after=${second?.relay_id}&limit=1`)).body
    const { timestamp, ...relayed } = page.relays[0]
    assert.deepEqual(
      { ...relayed, cursor: page.cursor },
      { ...third, mls_type: 'proposal', group_id: `dm:${one}`, cursor: third?.relay_id },
    )
    assert.ok(Math.abs(timestamp - Date.now()) < 60_000)
    for (const query of ['limit=0', 'limit=1001', 'after=x', 'after=-1', 'dm_id=0'])
      assert.equal(failure(await ada.get(`/keys/mls/relays?${query}`)), '422 VALIDATION_ERROR', query)
  })

  it('has the Welcome by which a device lets a sleeping sibling in', async () => {
    await using server = await startTestServer(engine)
    const [ada, bob] = await registerAll(server, 'ada', 'bob')
    await addDevice(ada, 'laptop')
    await stockUp(ada, 'laptop', 1)
    const forLaptop = welcome(await fetchPackages(ada, ada))
    const [a] = await connectAll(server, ada)
    relay(a, 'welcome', forLaptop)
    relay(a, 'welcome', welcome([]))
    await a?.told()
    assert.deepEqual(
      (await listed(ada)).map(({ data }) => data),
      [forLaptop],
    )
    assert.deepEqual(await listed(bob), [])
  })

  it('keeps pages to a size that can be carried', async () => {
    await using server = await startTestServer(engine)
    const [ada, bob] = await registerAll(server, 'ada', 'bob')
    const dm_id = await openPair(ada, bob)
    const [a] = await connectAll(server, ada)
    for (let n = 0; n < 70; n++) relay(a, 'proposal', `${n}`.padEnd(64_512, 'x'), { dm_id })
    while ((await listed(bob)).length < 70) await a?.told()
    const { relays } = (await bob.get('/keys/mls/relays')).body
    assert.equal(relays.length, 65)
    assert.deepEqual(
      (await listed(bob)).map(({ data }) => Number.parseInt(data, 10)),
      [...Array(70).keys()],
    )
  })

  it('ends for who leaves a group with what was relayed until then', async () => {
    await using server = await startTestServer(engine)
    const [ada, bob, cleo] = await registerAll(server, 'ada', 'bob', 'cleo')
    const { dm_id } = (await ada.post('/dms', { recipient_ids: [bob.userId, cleo.userId] })).body
    const [a] = await connectAll(server, ada)
    const [before, after] = [1, 2].map((n) => groupMessage(`dm:${dm_id}`, n))
    relay(a, 'commit', before ?? '')
    await a?.told()
    await bob.delete(`/dms/${dm_id}`)
    relay(a, 'commit', after ?? '')
    await a?.told()
    assert.deepEqual(
      (await listed(bob)).map(({ data }) => data),
      [before],
    )
    assert.deepEqual(
      (await listed(cleo)).map(({ data }) => data),
      [before, after],
    )
  })

  it('holds the newest 1000; who floods it loses their own first', { timeout: 120_000 }, async () => {
    await using server = await startTestServer(engine, { env: BUSY })
    const [ada, bob, cleo] = await registerAll(server, 'ada', 'bob', 'cleo')
    const flooded = await openPair(ada, bob)
    await addDevice(bob, 'phone')
    await stockUp(bob, 'phone', 1)
    const packages = await fetchPackages(cleo, bob)
    const [a, c] = await connectAll(server, ada, cleo)
    const precious = welcome(packages)
    relay(c, 'welcome', precious)
    await c?.told()
    const flood = Array.from({ length: 1005 }, (_, n) => groupMessage(`dm:${flooded}`, n, 'proposal'))
    for (const data of flood) relay(a, 'proposal', data)
    await a?.told()
    const kept = await listed(bob)
    assert.equal(kept.length, 1000)
    assert.deepEqual(
      kept.map(({ data }) => data),
      [precious, ...flood.slice(-999)],
    )
    assert.equal((await listed(ada)).length, 1000)
  })
})
