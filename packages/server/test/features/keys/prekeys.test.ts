import assert from 'node:assert/strict'
import { it } from 'node:test'
import { TestClock } from '../../support/clock.ts'
import { type Member, registerAll } from '../../support/community.ts'
import { addDevice } from '../../support/devices.ts'
import { forEachEngine } from '../../support/engines.ts'
import { connectAll } from '../../support/gateway-client.ts'
import { type Client, failure, startTestServer } from '../../support/server.ts'

const upload = (client: Client, device: string, one_time_prekeys: unknown, identity_key: unknown = 'identity') =>
  client.put(`/keys/prekeys/${device}`, { identity_key, signed_prekey: 'signed', one_time_prekeys })

const fetched = async (client: Client, owner: { userId: number }) =>
  (await client.get(`/keys/prekeys/${owner.userId}`)).body

/** The one-time prekeys that a fetch gives, device by device, and its warning. */
async function taken(client: Client, owner: Member): Promise<[(string | null)[], string | null]> {
  const { devices, prekey_warning } = await fetched(client, owner)
  return [devices.map(({ one_time_prekey }: { one_time_prekey: string | null }) => one_time_prekey), prekey_warning]
}

forEachEngine('prekeys', (engine) => {
  it('are handed out in the order in which they came; the last one comes with a warning', async () => {
    await using server = await startTestServer(engine)
    const [ada, bob] = await registerAll(server, 'ada', 'bob')
    const [a] = await connectAll(server, ada)
    await addDevice(ada, 'phone')
    await a?.told()
    assert.equal((await upload(ada, 'phone', ['k1', 'no base64! ü'])).status, 204)
    assert.deepEqual(await fetched(bob, ada), {
      user_id: ada.userId,
      devices: [{ device_id: 'phone', identity_key: 'identity', signed_prekey: 'signed', one_time_prekey: 'k1' }],
      prekey_warning: null,
    })
    assert.deepEqual(await taken(bob, ada), [['no base64! ü'], 'PREKEY_EXHAUSTED'])
    assert.deepEqual(await taken(bob, ada), [[null], 'PREKEY_EXHAUSTED'])
    assert.deepEqual(await a?.told(), [])
  })

  it('are added to those that are there, while the others are replaced', async () => {
    await using server = await startTestServer(engine)
    const [ada, bob] = await registerAll(server, 'ada', 'bob')
    await addDevice(ada, 'phone')
    await upload(ada, 'phone', ['k1'])
    const again = { identity_key: 'identity', signed_prekey: 'newer', one_time_prekeys: ['k2'] }
    assert.equal((await ada.put('/keys/prekeys/phone', again)).status, 204)
    const { devices } = await fetched(bob, ada)
    assert.deepEqual([devices[0].signed_prekey, devices[0].one_time_prekey], ['newer', 'k1'])
    assert.deepEqual(await taken(bob, ada), [['k2'], 'PREKEY_EXHAUSTED'])
  })

  it('of an older identity key are gone', async () => {
    await using server = await startTestServer(engine)
    const [ada, bob] = await registerAll(server, 'ada', 'bob')
    await addDevice(ada, 'phone')
    await upload(ada, 'phone', ['old'])
    await upload(ada, 'phone', ['new'], 'another')
    assert.deepEqual(await taken(bob, ada), [['new'], 'PREKEY_EXHAUSTED'])
  })

  it('come from each device that has any, and from nobody for whom there are none', async () => {
    await using server = await startTestServer(engine)
    const [ada, bob] = await registerAll(server, 'ada', 'bob')
    for (const device of ['phone', 'bare', 'laptop']) await addDevice(ada, device)
    await upload(ada, 'phone', [])
    await upload(ada, 'laptop', ['l1', 'l2'])
    assert.deepEqual(await taken(bob, ada), [[null, 'l1'], null])
    assert.deepEqual(await taken(ada, ada), [[null, 'l2'], 'PREKEY_EXHAUSTED'])
    for (const nobody of [bob.userId, 4_000_000])
      assert.deepEqual((await bob.get(`/keys/prekeys/${nobody}`)).body, {
        user_id: nobody,
        devices: [],
        prekey_warning: 'PREKEY_EXHAUSTED',
      })
    assert.equal((await bob.get('/keys/prekeys/@me')).body.user_id, bob.userId)
    for (const id of ['abc', '-1', '4294967296'])
      assert.equal(failure(await bob.get(`/keys/prekeys/${id}`)), '422 VALIDATION_ERROR')
  })

  it('go to one of a hundred clients that fetch at once, and to no other', async () => {
    await using server = await startTestServer(engine)
    const ada = await server.register('ada')
    const clients = await registerAll(server, ...Array.from({ length: 100 }, (_, n) => `client${n}`))
    await addDevice(ada, 'phone')
    const keys = Array.from({ length: 80 }, (_, n) => `key ${n}`)
    await upload(ada, 'phone', keys)
    const fetches = await Promise.all(clients.map((client) => taken(client, ada)))
    const given = fetches.flatMap(([all]) => all).filter((key) => key !== null)
    assert.deepEqual(given.sort(), keys.sort())
  })

  it('are uploaded for a device of one’s own, within the limits', async () => {
    await using server = await startTestServer(engine)
    const [ada, bob] = await registerAll(server, 'ada', 'bob')
    await addDevice(ada, 'phone')
    for (const [client, device] of [
      [bob, 'phone'],
      [ada, 'other'],
    ] as const)
      assert.equal(failure(await upload(client, device, [])), '404 DEVICE_NOT_FOUND')
    for (const keys of [null, 'x', [7], ['x'.repeat(4097)], Array(501).fill('x')])
      assert.equal(failure(await upload(ada, 'phone', keys)), '422 VALIDATION_ERROR')
    assert.equal(failure(await upload(ada, 'phone', [], 'x'.repeat(4097))), '422 VALIDATION_ERROR')
    assert.equal((await upload(ada, 'phone', ['x'.repeat(4096)], 'x'.repeat(4096))).status, 204)
    assert.ok([404, 405].includes((await ada.put('/keys/prekeys', {})).status))
  })

  it('are kept up to the newest thousand of a device', async () => {
    await using server = await startTestServer(engine)
    const [ada, bob] = await registerAll(server, 'ada', 'bob')
    await addDevice(ada, 'phone')
    for (const part of ['a', 'b', 'c'])
      await upload(
        ada,
        'phone',
        Array.from({ length: 400 }, (_, n) => `${part}${n}`),
      )
    assert.equal((await ada.get('/keys/devices')).body.devices[0].one_time_prekey_count, 1000)
    assert.deepEqual(await taken(bob, ada), [['a200'], null])
  })

  it('are given to one caller 60 times an hour; oneself is exempt', async () => {
    const clock = new TestClock()
    await using server = await startTestServer(engine, { clock })
    const [ada, bob, cleo] = await registerAll(server, 'ada', 'bob', 'cleo')
    for (const device of ['phone', 'laptop']) await addDevice(ada, device)
    await upload(ada, 'phone', [...Array(200).keys()].map(String))
    await taken(bob, ada)
    await upload(ada, 'laptop', [...Array(200).keys()].map(String))
    for (let time = 0; time < 29; time++) await taken(bob, ada)
    assert.deepEqual(await taken(bob, ada), [['30', null], null], 'one is left, for one of the devices')
    assert.deepEqual(await taken(bob, ada), [[null, null], null])
    assert.deepEqual(await taken(cleo, ada), [['31', '29'], null])
    for (let time = 0; time < 65; time++) assert.notDeepEqual((await taken(ada, ada))[0], [null, null])
    clock.advance(3_600_000)
    assert.deepEqual(await taken(bob, ada), [['97', '95'], null])
  })
})
