import assert from 'node:assert/strict'
import { it } from 'node:test'
import { registerAll } from '../../support/community.ts'
import { createGroup, openPair } from '../../support/conversations.ts'
import { addDevice, fetchPackages, stockUp } from '../../support/devices.ts'
import { forEachEngine } from '../../support/engines.ts'
import { connectAll, GatewayClient } from '../../support/gateway-client.ts'
import { groupMessage, welcome } from '../../support/mls.ts'
import { allTold, nextRelays, relay } from '../../support/relays.ts'
import { startTestServer } from '../../support/server.ts'

forEachEngine('a reset of keys', (engine) => {
  it('takes all keys from all devices, which stay', async () => {
    await using server = await startTestServer(engine)
    const [ada, bob] = await registerAll(server, 'ada', 'bob')
    for (const device of ['phone', 'laptop']) {
      await addDevice(ada, device)
      await stockUp(ada, device, 2)
      await stockUp(ada, device, 1, { isLastResort: true })
      await ada.put(`/keys/prekeys/${device}`, { identity_key: 'i', signed_prekey: 's', one_time_prekeys: ['k'] })
    }
    await addDevice(bob, 'bobs')
    const [theirs] = await stockUp(bob, 'bobs', 1)
    await ada.put('/keys/backup', { encrypted_blob: 'kept' })
    assert.equal((await ada.post('/keys/reset')).status, 204)
    assert.deepEqual(await fetchPackages(bob, ada), [])
    assert.deepEqual((await bob.get(`/keys/prekeys/${ada.userId}`)).body.devices, [])
    const { devices } = (await ada.get('/keys/devices')).body
    for (const { key_package_count, one_time_prekey_count } of devices)
      assert.deepEqual([key_package_count, one_time_prekey_count], [0, 0])
    assert.equal(devices.length, 2)
    assert.equal((await ada.get('/keys/backup')).body.encrypted_blob, 'kept')
    assert.deepEqual(await fetchPackages(ada, bob), [theirs])
    await stockUp(ada, 'phone', 1)
    assert.equal((await fetchPackages(bob, ada)).length, 1)
  })

  it('is told once to everybody who shares a conversation, closed or blocked or not, and to nobody else', async () => {
    await using server = await startTestServer(engine)
    const [ada, bob, cleo, dora, eve] = await registerAll(server, 'ada', 'bob', 'cleo', 'dora', 'eve')
    await openPair(ada, bob)
    await createGroup(ada, bob, cleo)
    await createGroup(cleo, bob, ada)
    const closed = await openPair(dora, ada)
    await dora.delete(`/dms/${closed}`)
    await ada.put(`/users/@me/blocks/${dora.userId}`)
    const sessions = await connectAll(server, ada, eve, bob, cleo, dora)
    assert.equal((await ada.post('/keys/reset')).status, 204, 'without any device')
    const told = await allTold(...sessions)
    const notice = [['key_reset_notify', { user_id: ada.userId }]]
    assert.deepEqual(told, [[], [], notice, notice, notice])
    assert.equal((await eve.post('/keys/reset')).status, 204)
    assert.deepEqual(await allTold(...sessions), [[], [], [], [], []])
  })

  it('drops the Welcomes that wait for the user, and frees the epochs of their groups', async () => {
    await using server = await startTestServer(engine)
    const [ada, bob] = await registerAll(server, 'ada', 'bob')
    const dm = await openPair(ada, bob)
    const other = await createGroup(ada)
    await addDevice(bob, 'phone')
    await stockUp(bob, 'phone', 1)
    const packages = await fetchPackages(ada, bob)
    const [a] = await connectAll(server, ada)
    const [first, second, elsewhere] = [dm, dm, other].map((id) => groupMessage(`dm:${id}`, 1))
    relay(a, 'welcome', welcome(packages))
    relay(a, 'commit', first ?? '')
    relay(a, 'commit', elsewhere ?? '')
    await a?.told()
    await bob.post('/keys/reset')
    await a?.told()
    const { relays } = (await bob.get('/keys/mls/relays')).body
    assert.deepEqual(
      relays.map(({ data }: { data: string }) => data),
      [first],
    )
    const b = await GatewayClient.connect(server, bob, { settled: false })
    const [waited] = await nextRelays(b, 1)
    assert.equal((waited?.[1] as { data?: string } | undefined)?.data, first, 'the commit waits, the Welcome does not')
    relay(a, 'commit', second ?? '')
    relay(a, 'commit', groupMessage(`dm:${other}`, 1))
    const [own, others] = await allTold(a, b)
    const data = own?.map(([, d]) => (d as { data: string }).data)
    assert.deepEqual(data, [second, elsewhere])
    assert.equal(others?.length, 1)
  })
})
