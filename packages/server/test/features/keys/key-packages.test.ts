import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { keyPackageReference } from '../../../src/features/keys/key-packages.ts'
import { restarted } from '../../support/accounts.ts'
import { TestClock } from '../../support/clock.ts'
import { type Member, registerAll } from '../../support/community.ts'
import { addDevice, fetchPackages, stockUp } from '../../support/devices.ts'
import { forEachEngine } from '../../support/engines.ts'
import { connectAll } from '../../support/gateway-client.ts'
import { keyPackage, keyPackages } from '../../support/mls.ts'
import { failure, startTestServer } from '../../support/server.ts'

const HOUR_S = 3600
const START_S = Date.UTC(2026, 0, 1) / 1000

const upload = (member: Member, deviceId: string, key_packages: unknown) =>
  member.post(`/keys/mls/${deviceId}/key-packages`, { key_packages })

describe('the reference of a key package', () => {
  it('is that of the protocol’s vector', () => {
    const bytes = Buffer.from(
      `AAEAASCrlFFXjUaYCe8voIK8UXHcpHjtC0FgW6mu3XQ2pjmkdCDR0Kw81K1hv7GveFyozNJK4K7NL/VnVWiE
       SYK9XFGUCSCwbQmUFc3L6fQ80f29/w/hP2RMhQkrvkUEhRk+VLjwlQABBzc6ZGV2LWICAAECAAEAAAIAAQEA
       AAAAZVPxAAAAAABlwq8AAEBARZbOBEoiAxI+a6QPccq9FZo18WX71BBVonVBaUOZJtY6+sGEREIXW2Q/QaA2
       CTmgw1xWxIUIt/Y6pTKdhyGKDQBAQLfh8KU6+khJXuzALKzGjwmqD1Duzjl5vQf3HcZDrvbaatE/R7ZO4KUl
       fSuLLyD7GFBoc2NwlFTG5FzU4Q4rqQY=`,
      'base64',
    )
    assert.equal(bytes.length, 275)
    assert.equal(keyPackageReference(bytes), 'f1b26bebe3da90702d73f1055b906f5c1b708b54281f347d537e3c66e472cd8e')
  })
})

forEachEngine('key packages', (engine) => {
  it('are handed out once each, the oldest first, one for each device', async () => {
    await using server = await startTestServer(engine)
    const [ada, bob] = await registerAll(server, 'ada', 'bob')
    const [a] = await connectAll(server, ada)
    for (const device of ['phone', 'laptop', 'tablet']) await addDevice(ada, device)
    await a?.told()
    const phone = await stockUp(ada, 'phone', 2)
    const laptop = await stockUp(ada, 'laptop', 1)
    assert.deepEqual(await a?.told(), [])
    assert.deepEqual(await fetchPackages(bob, ada), [phone[0], laptop[0]])
    assert.deepEqual(await fetchPackages(ada, ada), [phone[1]])
    assert.deepEqual(await fetchPackages(bob, ada), [])
    assert.deepEqual(await fetchPackages(bob, bob), [])
    assert.deepEqual(await fetchPackages(bob, { userId: 4_000_000 }), [])
  })

  it('of one device only are handed out on request', async () => {
    await using server = await startTestServer(engine)
    const [ada, bob] = await registerAll(server, 'ada', 'bob')
    for (const device of ['phone', 'laptop']) await addDevice(ada, device)
    const [phone] = await stockUp(ada, 'phone', 1)
    const [laptop] = await stockUp(ada, 'laptop', 1)
    assert.deepEqual(await fetchPackages(bob, ada, '?device_id=laptop'), [laptop])
    assert.deepEqual(await fetchPackages(bob, ada, '?device_id=other'), [])
    assert.deepEqual(await fetchPackages(bob, bob, '?device_id=phone'), [])
    assert.deepEqual(await fetchPackages(bob, ada), [phone])
  })

  it('go to one of a hundred clients that fetch at once, and to no other', async () => {
    await using server = await startTestServer(engine)
    const ada = await server.register('ada')
    const clients = await registerAll(server, ...Array.from({ length: 100 }, (_, n) => `client${n}`))
    await addDevice(ada, 'phone')
    const packages = await stockUp(ada, 'phone', 80)
    const fetched = (await Promise.all(clients.map((client) => fetchPackages(client, ada)))).flat()
    assert.equal(fetched.length, 80)
    assert.deepEqual(new Set(fetched), new Set(packages))
  })

  it('are counted in the answer, and known ones are ignored, used up or not', async () => {
    await using server = await startTestServer(engine)
    const [ada, bob] = await registerAll(server, 'ada', 'bob')
    await addDevice(ada, 'phone')
    const packages = keyPackages(`${ada.userId}:phone`, 3)
    assert.deepEqual((await upload(ada, 'phone', packages)).body, { key_package_count: 3 })
    assert.deepEqual((await upload(ada, 'phone', [...packages, ...packages])).body, { key_package_count: 3 })
    await fetchPackages(bob, ada)
    assert.deepEqual((await upload(ada, 'phone', packages)).body, { key_package_count: 2 })
    assert.deepEqual((await upload(ada, 'phone', [])).body, { key_package_count: 2 })
  })

  it('may come as MLSMessages, and are handed out bare', async () => {
    await using server = await startTestServer(engine)
    const [ada, bob] = await registerAll(server, 'ada', 'bob')
    await addDevice(ada, 'phone')
    const bare = keyPackage(`${ada.userId}:phone`)
    const wrapped = Buffer.concat([Buffer.from([0, 1, 0, 5]), bare]).toString('base64')
    assert.equal((await upload(ada, 'phone', [wrapped])).status, 201)
    assert.deepEqual((await upload(ada, 'phone', [bare.toString('base64')])).body, { key_package_count: 1 })
    assert.deepEqual(await fetchPackages(bob, ada), [bare.toString('base64')])
  })

  it('are refused all together when one of them is no good', async () => {
    const clock = new TestClock()
    await using server = await startTestServer(engine, { clock })
    const [ada, bob] = await registerAll(server, 'ada', 'bob')
    await addDevice(ada, 'phone')
    const own = `${ada.userId}:phone`
    const good = keyPackage(own)
    const text = (bytes: Buffer) => bytes.toString('base64')
    const bad: Record<string, unknown> = {
      'no base64': 'garbage!',
      'base64 without padding': text(good).replace(/=+$/, '').slice(0, -1),
      'base64 of another alphabet': `${text(good).slice(0, -4)}-_-_`,
      'nothing at all': '',
      'no package': text(Buffer.from('garbage')),
      'bytes behind the end': text(Buffer.concat([good, Buffer.alloc(1)])),
      'too long': text(keyPackage(own, { padding: 4000 })),
      'far too long': 'A'.repeat(6000),
      'version 2': text(keyPackage(own, { version: 2 })),
      'suite 2': text(keyPackage(own, { suite: 2 })),
      'another credential': text(keyPackage(own, { credential: 2 })),
      'another user': text(keyPackage(`${bob.userId}:phone`)),
      'another device': text(keyPackage(`${ada.userId}:laptop`)),
      'a longer identity': text(keyPackage(`${own}2`)),
      'a lifetime that has ended': text(keyPackage(own, { notAfter: START_S })),
      'a number': 7,
    }
    for (const [what, element] of Object.entries(bad))
      assert.equal(failure(await upload(ada, 'phone', [text(good), element])), '422 VALIDATION_ERROR', what)
    for (const all of [undefined, 'x', {}, Array(501).fill('AA==')])
      assert.equal(failure(await upload(ada, 'phone', all)), '422 VALIDATION_ERROR')
    assert.deepEqual(await fetchPackages(bob, ada), [])
    assert.equal((await upload(ada, 'phone', [text(keyPackage(own, { padding: 3600 }))])).status, 201)
  })

  it('are uploaded for a device of one’s own only', async () => {
    await using server = await startTestServer(engine)
    const [ada, bob] = await registerAll(server, 'ada', 'bob')
    await addDevice(ada, 'phone')
    const theirs = keyPackages(`${bob.userId}:phone`, 1)
    assert.equal(failure(await upload(bob, 'phone', theirs)), '404 DEVICE_NOT_FOUND')
    assert.equal(failure(await upload(bob, 'nothing', keyPackages(`${bob.userId}:nothing`, 1))), '404 DEVICE_NOT_FOUND')
  })

  it('are kept up to the newest 500 of a device', async () => {
    await using server = await startTestServer(engine)
    const [ada, bob] = await registerAll(server, 'ada', 'bob')
    await addDevice(ada, 'phone')
    await stockUp(ada, 'phone', 1, { isLastResort: true })
    const packages = await stockUp(ada, 'phone', 350)
    assert.equal((await upload(ada, 'phone', keyPackages(`${ada.userId}:phone`, 350))).body.key_package_count, 501)
    assert.deepEqual(await fetchPackages(bob, ada), [packages[200]])
  })

  it('of an older signature key go when a newer one appears', async () => {
    await using server = await startTestServer(engine)
    const [ada, bob] = await registerAll(server, 'ada', 'bob')
    await addDevice(ada, 'phone')
    const own = `${ada.userId}:phone`
    await stockUp(ada, 'phone', 2)
    await stockUp(ada, 'phone', 1, { isLastResort: true })
    const signed = (key: number, count: number) => keyPackages(own, count, { signatureKey: Buffer.alloc(32, key) })
    const mixed = [...signed(8, 1), ...signed(9, 1), ...signed(8, 2)]
    assert.deepEqual((await upload(ada, 'phone', mixed)).body, { key_package_count: 2 })
    assert.deepEqual(await fetchPackages(bob, ada), [mixed[2]])
  })

  it('are deleted instead of handed out in the last hour of their life', async () => {
    const clock = new TestClock()
    await using server = await startTestServer(engine, { clock })
    const [ada, bob] = await registerAll(server, 'ada', 'bob')
    await addDevice(ada, 'phone')
    await stockUp(ada, 'phone', 1, { notAfter: START_S + 2 * HOUR_S })
    await stockUp(ada, 'phone', 1, { notAfter: START_S + 2 * HOUR_S, isLastResort: true })
    const [longer] = await stockUp(ada, 'phone', 1, { notAfter: START_S + 2 * HOUR_S + 1 })
    clock.advance(HOUR_S * 1000)
    assert.equal((await ada.get('/keys/devices')).body.devices[0].key_package_count, 1)
    assert.deepEqual(await fetchPackages(bob, ada), [longer])
    assert.deepEqual(await fetchPackages(bob, ada), [])
  })

  it('of last resort are given again and again, when there is no other, until they are replaced', async () => {
    await using server = await startTestServer(engine)
    const [ada, bob] = await registerAll(server, 'ada', 'bob')
    await addDevice(ada, 'phone')
    const [first] = await stockUp(ada, 'phone', 1, { isLastResort: true })
    const [ordinary] = await stockUp(ada, 'phone', 1)
    assert.deepEqual(await fetchPackages(bob, ada), [ordinary])
    for (let time = 0; time < 61; time++) assert.deepEqual(await fetchPackages(bob, ada), [first])
    const [fresh] = await stockUp(ada, 'phone', 1)
    assert.deepEqual(await fetchPackages(bob, ada), [fresh], 'they do not count towards the 60 of an hour')
    assert.deepEqual((await upload(ada, 'phone', [first])).body, { key_package_count: 1 })
    const [, second] = await stockUp(ada, 'phone', 2, { isLastResort: true })
    assert.deepEqual(await fetchPackages(bob, ada), [second])
    assert.equal((await ada.get('/keys/devices')).body.devices[0].key_package_count, 1)
  })

  it('are given to one caller 60 times an hour, then as if there were none; oneself is exempt', async () => {
    const clock = new TestClock()
    await using first = await startTestServer(engine, { clock })
    const [ada, bob, cleo] = await registerAll(first, 'ada', 'bob', 'cleo')
    for (const device of ['phone', 'laptop']) await addDevice(ada, device)
    await stockUp(ada, 'phone', 150)
    await stockUp(ada, 'laptop', 40)
    const [resort] = await stockUp(ada, 'laptop', 1, { isLastResort: true })
    for (let time = 0; time < 29; time++) assert.equal((await fetchPackages(bob, ada)).length, 2)
    assert.equal((await fetchPackages(bob, ada, '?device_id=phone')).length, 1)
    await using server = await restarted(first, engine, { clock })
    const [again, another] = [bob, cleo].map((client) => Object.assign(client, { url: server.url }))
    assert.ok(again && another)
    const [last, instead] = await fetchPackages(again, ada)
    assert.ok(last)
    assert.equal(instead, resort)
    assert.deepEqual(await fetchPackages(again, ada), [resort])
    assert.equal((await fetchPackages(another, ada)).length, 2)
    const own = Object.assign(ada, { url: server.url })
    for (let time = 0; time < 65; time++) assert.equal((await fetchPackages(own, own, '?device_id=phone')).length, 1)
    clock.advance(HOUR_S * 1000)
    assert.notEqual((await fetchPackages(again, ada))[1], resort)
  })
})
