import assert from 'node:assert/strict'
import { it } from 'node:test'
import pino from 'pino'
import { logIn } from '../../support/accounts.ts'
import { TestClock } from '../../support/clock.ts'
import { registerAll } from '../../support/community.ts'
import { forEachEngine, sqlite } from '../../support/engines.ts'
import { connectAll, type GatewayClient } from '../../support/gateway-client.ts'
import { allTold, refusal } from '../../support/relays.ts'
import { Client, failure, startTestServer, type TestOptions } from '../../support/server.ts'

const MINUTE_MS = 60_000

/** The messages of the protocol’s example (spec 05, section 20). */
const ISI = 'IJTGVNP2c9HyaX8RHeKS9OHNxa3ZgiZ/FT9BPgaiyHEDB2Rldi1uZXc='
const RSI = 'IFL1Ds0AYnPWwxoGllWQ2dHFwOsXukAICrtjU8fdJN0xB2Rldi1vbGQ='
const CONFIRM_A = 'EHDNnMDzGqvH8+0CsIsXk2wfMnofJct3YmQbin98fig='
const CONFIRM_B = 'g30/Zv4HuMlRhPhJtRz+l7829mibm1/wJHv/ulAXrgE='

/** Ada at an old and a new device, and Bob: clients and their sessions. */
async function cast(engine = sqlite, options: TestOptions = {}) {
  const server = await startTestServer(engine, options)
  const [old, bob] = await registerAll(server, 'ada', 'bob')
  const fresh = new Client(server.url, (await logIn(server, 'ada')).body.token)
  const [o, f, b] = await connectAll(server, old, fresh, bob)
  assert.ok(o && f && b)
  return { server, old, fresh, bob, o, f, b }
}

async function start(client: Client, more: object = {}): Promise<string> {
  const answer = await client.post('/keys/devices/pair', { device_name: 'New', method: 'cpace', ...more })
  assert.equal(answer.status, 201, JSON.stringify(answer.body))
  assert.match(answer.body.pair_id, /^pair_[\w-]{22}$/)
  return answer.body.pair_id
}

const respond = (client: Client, pairId: string, approved: unknown) =>
  client.post(`/keys/devices/pair/${pairId}/respond`, { approved })

const say = ({ socket }: GatewayClient, cpace_type: string, pair_id: string, data: string, more: object = {}) =>
  socket.send('cpace_relay', { cpace_type, pair_id, data, ...more })

forEachEngine('the pairing of a device', (engine) => {
  it('is a dialogue of two sessions of one user that nobody else hears', async () => {
    const { server, old, fresh, o, f, b } = await cast(engine)
    await using _ = server
    const told = async (...expected: [string, object][]) => {
      for (const events of await allTold(f, o)) assert.deepEqual(events, expected)
    }
    const pair_id = await start(fresh)
    const address = { ip: '127.0.0.1', location: '127.0.0.1' }
    await told(['device_pair_prompt', { device_name: 'New', ...address, pair_id, method: 'cpace' }])

    say(f, 'isi', pair_id, ISI)
    await told()
    assert.equal((await respond(old, pair_id, true)).status, 204)
    await told(['cpace_confirm', { pair_id, data: 'approved' }])

    say(f, 'isi', pair_id, ISI)
    await told(['cpace_isi', { pair_id, data: ISI }])
    say(o, 'rsi', pair_id, RSI)
    await o.told().then((events) => assert.deepEqual(events, [['cpace_rsi', { pair_id, data: RSI }]]))
    say(f, 'confirm', pair_id, CONFIRM_A)
    await f.told()
    say(o, 'confirm', pair_id, CONFIRM_B)
    const confirms = await o.told()
    assert.deepEqual(confirms, [
      ['cpace_confirm', { pair_id, data: CONFIRM_A }],
      ['cpace_confirm', { pair_id, data: CONFIRM_B }],
    ])
    assert.deepEqual(await f.told(), [['cpace_confirm', { pair_id, data: CONFIRM_B }]])
    say(f, 'new_device_key', pair_id, 'sealed', { nonce: 'once' })
    await told(['cpace_new_device_key', { pair_id, data: 'sealed', nonce: 'once' }])
    assert.deepEqual(await b.told(), [])
  })

  it('by QR code is a prompt with a key and its answer', async () => {
    const { server, old, fresh, o, f } = await cast(engine)
    await using _ = server
    const pair_id = await start(fresh, { method: 'qr', temp_public_key: 'key' })
    const [[prompt]] = (await allTold(o, f)) as [[[string, { method: string; temp_public_key: string }]]]
    assert.deepEqual([prompt[1].method, prompt[1].temp_public_key], ['qr', 'key'])
    assert.equal((await respond(old, pair_id, true)).status, 204)
    assert.deepEqual(await f.told(), [['cpace_confirm', { pair_id, data: 'approved' }]])
    for (const body of [
      {},
      { device_name: 'x' },
      { device_name: 'x', method: 'CPACE' },
      { device_name: 'x'.repeat(65), method: 'qr' },
      { device_name: 'x', method: 'qr', temp_public_key: 'x'.repeat(1025) },
    ])
      assert.equal(failure(await fresh.post('/keys/devices/pair', body)), '422 VALIDATION_ERROR')
    assert.equal(failure(await respond(old, pair_id, null)), '422 VALIDATION_ERROR')
  })
})

// Pairings are kept in memory: what follows asks no database but for the tokens, and one engine says it all.

it('a pairing is answered once; an approved one can still be denied', async () => {
  const { server, old, fresh, bob, o, f } = await cast()
  await using _ = server
  const pair_id = await start(fresh)
  for (const [client, id] of [
    [bob, pair_id],
    [old, 'pair_AAECAwQFBgcICQoLDA0ODw'],
    [old, 'x'],
  ] as const)
    assert.equal(failure(await respond(client, id, true)), '404 REQUEST_NOT_FOUND')
  assert.equal((await respond(fresh, pair_id, true)).status, 204)
  assert.equal(failure(await respond(old, pair_id, true)), '404 REQUEST_NOT_FOUND')
  await allTold(o, f)
  assert.equal((await respond(old, pair_id, false)).status, 204)
  for (const events of await allTold(o, f)) assert.deepEqual(events, [['cpace_confirm', { pair_id, data: 'denied' }]])
  for (const approved of [true, false])
    assert.equal(failure(await respond(old, pair_id, approved)), '404 REQUEST_NOT_FOUND')
  say(f, 'isi', pair_id, ISI)
  assert.deepEqual(await allTold(f, o), [[], []])
})

it('a denied session may not ask again for five minutes, others may; the denial is logged', async () => {
  const clock = new TestClock()
  const lines: string[] = []
  const log = pino({ level: 'warn' }, { write: (line) => void lines.push(line) })
  const { server, old, fresh } = await cast(sqlite, { clock, log })
  await using _ = server
  const pair_id = await start(fresh)
  clock.advance(MINUTE_MS)
  assert.equal((await respond(old, pair_id, false)).status, 204)
  assert.ok(lines.some((line) => line.includes('denied') && line.includes('"user":1')))
  assert.ok(!lines.some((line) => line.includes(pair_id)))
  const again = () => fresh.post('/keys/devices/pair', { device_name: 'New', method: 'cpace' })
  assert.equal(failure(await again()), '403 FORBIDDEN')
  await start(old)
  clock.advance(5 * MINUTE_MS - 1)
  assert.equal(failure(await again()), '403 FORBIDDEN')
  clock.advance(1)
  await start(fresh)
})

it('a pairing lasts five minutes from its start, approved or not, and what comes late is dropped', async () => {
  const clock = new TestClock()
  const { server, old, fresh } = await cast(sqlite, { clock })
  await using _ = server
  const pending = await start(fresh)
  const approved = await start(fresh)
  clock.advance(MINUTE_MS)
  assert.equal((await respond(old, approved, true)).status, 204)
  clock.advance(4 * MINUTE_MS - 1)
  const [o, f] = await connectAll(server, old, fresh)
  assert.ok(o && f)
  say(f, 'isi', approved, ISI)
  assert.equal((await allTold(f, o))[1]?.length, 1)
  clock.advance(1)
  for (const pair_id of [pending, approved]) {
    say(f, 'isi', pair_id, ISI)
    assert.equal(failure(await respond(old, pair_id, false)), '404 REQUEST_NOT_FOUND')
  }
  assert.deepEqual(await allTold(f, o), [[], []])
})

it('of the pairings of a user three are open at most: a fourth ends the oldest', async () => {
  const { server, old, fresh } = await cast()
  await using _ = server
  const pairings: string[] = []
  for (let n = 0; n < 4; n++) pairings.push(await start(fresh))
  const answers = await Promise.all(pairings.map((pairId) => respond(old, pairId, true)))
  assert.deepEqual(
    answers.map(({ status }) => status),
    [404, 204, 204, 204],
  )
  await start(fresh)
  assert.equal(failure(await respond(old, pairings[1] ?? '', false)), '404 REQUEST_NOT_FOUND')
})

it('messages of a pairing nobody has started reach the own sessions, of somebody else’s nobody', async () => {
  const { server, bob, fresh, o, f, b } = await cast()
  await using _ = server
  say(f, 'confirm', 'pair_unknown', 'x')
  f.socket.send('cpace_relay', { cpace_type: 'new_device_key' })
  const expected = [
    ['cpace_confirm', { pair_id: 'pair_unknown', data: 'x' }],
    ['cpace_new_device_key', { pair_id: '', data: '', nonce: '' }],
  ]
  assert.deepEqual(await allTold(f, o, b), [expected, expected, []])
  const pair_id = await start(fresh)
  await respond(fresh, pair_id, true)
  await allTold(f, o)
  say(b, 'isi', pair_id, ISI)
  assert.deepEqual(await allTold(b, f, o), [[], [], []])
  assert.equal(failure(await respond(bob, pair_id, false)), '404 REQUEST_NOT_FOUND')
})

it('messages of a pairing in the wrong form are ignored or refused in-band', async () => {
  const { server, old, f } = await cast()
  await using _ = server
  for (const type of ['hello', '', 'ISI']) say(f, type, 'p', 'x')
  say(f, 'isi', 'p'.repeat(256), 'x'.repeat(16_384))
  assert.equal((await f.told()).length, 1)
  for (const d of [
    {},
    { cpace_type: 7 },
    { cpace_type: 'isi', pair_id: 7 },
    { cpace_type: 'isi', pair_id: 'p'.repeat(257) },
    { cpace_type: 'isi', data: {} },
    { cpace_type: 'new_device_key', nonce: 7 },
    { cpace_type: 'new_device_key', nonce: 'n'.repeat(257) },
  ]) {
    f.socket.send('cpace_relay', d)
    assert.equal(await refusal(f), 'VALIDATION_ERROR')
  }
  say(f, 'isi', 'p', 'x'.repeat(16_385))
  assert.equal(await refusal(f), 'PAYLOAD_TOO_LARGE')
  await old.patch('/server/limits', { relay_payload_max: 3 })
  say(f, 'isi', 'p', 'four')
  assert.equal(await refusal(f), 'PAYLOAD_TOO_LARGE')
})
