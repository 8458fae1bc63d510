import assert from 'node:assert/strict'
import { it } from 'node:test'
import { guest, logIn, restarted } from '../../support/accounts.ts'
import { TestClock } from '../../support/clock.ts'
import { registerAll } from '../../support/community.ts'
import { addDevice } from '../../support/devices.ts'
import { forEachEngine } from '../../support/engines.ts'
import { connectAll } from '../../support/gateway-client.ts'
import { keyPackages } from '../../support/mls.ts'
import { Client, failure, startTestServer } from '../../support/server.ts'

const START_S = Date.UTC(2026, 0, 1) / 1000

const named = (device_id: string, device_name = device_id) => ({ device_id, device_name })

forEachEngine('devices', (engine) => {
  it('are listed in the order of registration, with their stock', async () => {
    const clock = new TestClock()
    await using server = await startTestServer(engine, { clock })
    const [ada, bob] = await registerAll(server, 'ada', 'bob')
    assert.deepEqual((await ada.get('/keys/devices')).body, { devices: [] })
    const { status, body } = await ada.post('/keys/devices', { device_id: 'z', device_name: 'My phone 📱' })
    assert.deepEqual([status, body], [201, { device_id: 'z' }])
    clock.advance(5_000)
    await addDevice(ada, 'a')
    await ada.post('/keys/mls/a/key-packages', { key_packages: keyPackages(`${ada.userId}:a`, 3) })
    await ada.put('/keys/prekeys/z', { identity_key: 'i', signed_prekey: 's', one_time_prekeys: ['1', '2'] })
    assert.deepEqual((await ada.get('/keys/devices')).body.devices, [
      {
        device_id: 'z',
        device_name: 'My phone 📱',
        created_at: START_S,
        key_package_count: 0,
        one_time_prekey_count: 2,
      },
      { device_id: 'a', device_name: 'a', created_at: START_S + 5, key_package_count: 3, one_time_prekey_count: 0 },
    ])
    assert.deepEqual((await bob.get('/keys/devices')).body, { devices: [] })
  })

  it('are told to all sessions of their user, and to nobody else', async () => {
    await using server = await startTestServer(engine)
    const [ada, bob] = await registerAll(server, 'ada', 'bob')
    const [one, two, other] = await connectAll(server, ada, ada, bob)
    await addDevice(ada, 'phone')
    await addDevice(ada, 'laptop')
    await addDevice(ada, 'phone', 'renamed')
    assert.equal((await ada.delete('/keys/devices/phone')).status, 204)
    const lists = [[named('phone')], [named('phone'), named('laptop')], [named('laptop')]]
    const told = lists.map((devices) => ['device_list_update', { devices }])
    for (const session of [one, two]) assert.deepEqual(await session?.told(), told)
    assert.deepEqual(await other?.told(), [])
  })

  it('belong to one user: somebody else’s id is taken, one’s own is registered again unchanged', async () => {
    await using server = await startTestServer(engine)
    const [ada, bob] = await registerAll(server, 'ada', 'bob')
    await addDevice(ada, 'phone')
    await addDevice(ada, 'phone', 'other name')
    assert.equal((await ada.get('/keys/devices')).body.devices[0].device_name, 'phone')
    assert.equal(failure(await bob.post('/keys/devices', named('phone'))), '409 DEVICE_ID_CONFLICT')
    await ada.delete('/keys/devices/phone')
    await addDevice(bob, 'phone')
  })

  it('are ten at most, however many are registered at once', async () => {
    await using server = await startTestServer(engine)
    const ada = await server.register('ada')
    const register = (n: number) => ada.post('/keys/devices', named(`device-${n}`))
    const answers = await Promise.all(Array.from({ length: 14 }, (_, n) => register(n)))
    assert.equal(answers.filter(({ status }) => status === 201).length, 10)
    for (const answer of answers) if (answer.status !== 201) assert.equal(failure(answer), '403 DEVICE_LIMIT_REACHED')
    const { devices } = (await ada.get('/keys/devices')).body
    assert.equal(devices.length, 10)
    await addDevice(ada, devices[9].device_id)
    await ada.delete(`/keys/devices/${devices[0].device_id}`)
    await addDevice(ada, 'new')
    await ada.patch('/server/limits', { max_devices: 11 })
    await addDevice(ada, 'newer')
    assert.equal(failure(await ada.post('/keys/devices', named('newest'))), '403 DEVICE_LIMIT_REACHED')
  })

  it('have ids that fit into a path as they are', async () => {
    await using server = await startTestServer(engine)
    const ada = await server.register('ada')
    for (const device_id of [
      '',
      'pair',
      'a/b',
      'a?',
      '#',
      '50%',
      'a b',
      'a\u00a0b',
      'a\n',
      'a\u0085',
      'x'.repeat(129),
      7,
      null,
    ])
      assert.equal(failure(await ada.post('/keys/devices', { device_id, device_name: '' })), '422 VALIDATION_ERROR')
    for (const device_name of ['x'.repeat(65), null, 7])
      assert.equal(failure(await ada.post('/keys/devices', { device_id: 'a', device_name })), '422 VALIDATION_ERROR')
    for (const device_id of ['📱'.repeat(128), 'a.b_c~d@e:f', 'ü'.repeat(100)]) {
      await addDevice(ada, device_id, '')
      assert.equal((await ada.delete(`/keys/devices/${encodeURIComponent(device_id)}`)).status, 204)
    }
  })

  it('are removed by their user only, with all their keys', async () => {
    await using server = await startTestServer(engine)
    const [ada, bob] = await registerAll(server, 'ada', 'bob')
    await addDevice(ada, 'phone')
    await ada.post('/keys/mls/phone/key-packages', { key_packages: keyPackages(`${ada.userId}:phone`, 2) })
    await ada.put('/keys/prekeys/phone', { identity_key: 'i', signed_prekey: 's', one_time_prekeys: ['1'] })
    assert.equal(failure(await bob.delete('/keys/devices/phone')), '404 SPACE_NOT_FOUND')
    assert.equal((await ada.delete('/keys/devices/phone')).status, 204)
    assert.equal(failure(await ada.delete('/keys/devices/phone')), '404 SPACE_NOT_FOUND')
    await addDevice(ada, 'phone')
    const [device] = (await ada.get('/keys/devices')).body.devices
    assert.deepEqual([device.key_package_count, device.one_time_prekey_count], [0, 0])
    assert.deepEqual((await bob.get(`/keys/prekeys/${ada.userId}`)).body.devices, [])
    assert.deepEqual((await bob.get(`/keys/mls/${ada.userId}/key-packages`)).body.key_packages, [])
  })
})

forEachEngine('the key backup', (engine) => {
  it('is one text per user, whatever it says, and the last one counts', async () => {
    const clock = new TestClock()
    await using server = await startTestServer(engine, { clock })
    const [ada, bob] = await registerAll(server, 'ada', 'bob')
    assert.equal(failure(await ada.get('/keys/backup')), '404 KEY_BACKUP_NOT_FOUND')
    assert.equal((await ada.put('/keys/backup', { encrypted_blob: 'first' })).status, 204)
    clock.advance(61_000)
    assert.equal((await ada.put('/keys/backup', { encrypted_blob: 'no base64! ü' })).status, 204)
    const { body, headers } = await ada.get('/keys/backup')
    assert.deepEqual(body, { encrypted_blob: 'no base64! ü', updated_at: START_S + 61 })
    assert.equal(headers.get('cache-control'), 'no-store')
    assert.equal(failure(await bob.get('/keys/backup')), '404 KEY_BACKUP_NOT_FOUND')
  })

  it('has a million characters at most', async () => {
    await using server = await startTestServer(engine)
    const ada = await server.register('ada')
    assert.equal((await ada.put('/keys/backup', { encrypted_blob: 'x'.repeat(1_000_000) })).status, 204)
    for (const encrypted_blob of ['x'.repeat(1_000_001), null, 7])
      assert.equal(failure(await ada.put('/keys/backup', { encrypted_blob })), '422 VALIDATION_ERROR')
    assert.equal((await ada.get('/keys/backup')).body.encrypted_blob.length, 1_000_000)
  })
})

forEachEngine('guests', (engine) => {
  it('change no keys here, and may fetch those of others', async () => {
    await using first = await startTestServer(engine)
    const [ada] = await registerAll(first, 'ada', 'bob')
    await addDevice(ada, 'phone')
    await ada.post('/keys/mls/phone/key-packages', { key_packages: keyPackages(`${ada.userId}:phone`, 2) })
    const { token } = (await logIn(first, 'bob')).body
    // Bob’s session becomes that of a guest, who could have no password here.
    await using server = await restarted(
      first,
      engine,
      {},
      guest('gus'),
      `update auth_sessions set user_id = (select user_id from users where federated) where user_id = 2`,
    )
    const gus = new Client(server.url, token)
    for (const [method, path, body] of [
      ['POST', '/keys/devices', named('d')],
      ['DELETE', '/keys/devices/phone', undefined],
      ['PUT', '/keys/prekeys/phone', { identity_key: '', signed_prekey: '', one_time_prekeys: [] }],
      ['POST', '/keys/mls/phone/key-packages', { key_packages: [] }],
      ['PUT', '/keys/backup', { encrypted_blob: '' }],
      ['POST', '/keys/reset', undefined],
      ['POST', '/keys/devices/pair', { device_name: 'd', method: 'qr' }],
      ['POST', '/keys/devices/pair/pair_x/respond', { approved: true }],
    ] as const)
      assert.equal(failure(await gus.request(method, path, body)), '403 FORBIDDEN', path)
    assert.equal((await gus.get('/keys/mls/1/key-packages')).body.key_packages.length, 1)
    assert.deepEqual((await gus.get('/keys/devices')).body, { devices: [] })
  })
})
