import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import { createBot } from '../support/bots.ts'
import { createFeed, grant, registerAll } from '../support/community.ts'
import { createGroup, openPair, say } from '../support/conversations.ts'
import { addDevice } from '../support/devices.ts'
import { sqlite } from '../support/engines.ts'
import { keyPackage } from '../support/mls.ts'
import { type Answer, failure, startTestServer, type TestServer } from '../support/server.ts'
import { runSql } from '../support/sql.ts'

/*
 * What messages, bots, webhooks, conversations and keys may have at most (spec 04, section 1.9; spec 05, section 6),
 * where no other test looks at both sides of the bound: exactly so much is taken, one more is refused.
 */

const text = (length: number): string => '😀'.repeat(length)
const list = (length: number): string[] => Array.from({ length }, (_, i) => `n${i}`)

/** People, places and things to write to. */
async function stage(server: TestServer) {
  const [ada, bob] = await registerAll(server, 'ada', 'bob')
  const feed = `/feeds/${await createFeed(ada)}`
  const dice = await createBot(ada, 'dice', { commands: ['roll'] })
  await grant(ada, dice, ['SEND_EMBEDS'])
  const { msg_id } = (await ada.post(`${feed}/messages`, { body: 'x' })).body
  const { thread_id } = (await ada.post(`${feed}/threads`, { parent_msg_id: msg_id, name: 'x' })).body
  const { body: hook } = await ada.post(`${feed}/webhooks`, { name: 'x' })
  const pair = await openPair(ada, bob)
  const direct = await say(ada, pair)
  const { msg_id: menu } = (await dice.post(`${feed}/messages`, { body: 'x' })).body
  await addDevice(ada, 'phone')
  return {
    server,
    ada,
    bob,
    dice,
    feed,
    thread: `${feed}/threads/${thread_id}`,
    dm: `/dms/${pair}`,
    group: `/dms/${await createGroup(ada, bob)}`,
    message: `${feed}/messages/${msg_id}`,
    direct: `/dms/${pair}/messages/${direct}`,
    menu,
    webhook: `/webhooks/${hook.webhook_id}`,
    execution: `/webhooks/${hook.webhook_id}/${hook.token}`,
    /** Answers a command that somebody has just called. */
    async respond(answer: object): Promise<Answer> {
      const { interaction_id } = (await bob.post(`${feed}/messages`, { body: '/roll' })).body
      return dice.post(`/interactions/${interaction_id}/response`, answer)
    },
    /** Registers a command that is different every time. */
    command: (command: object) =>
      dice.put('/bots/@me/commands', { commands: [{ name: `c${++commands}`, ...command }] }),
  }
}
let commands = 0

type Stage = Awaited<ReturnType<typeof stage>>

/** What is bounded, by how much, and a request of a given size. */
type Bound = [what: string, max: number, send: (on: Stage, size: number) => Promise<Answer>]

const button = (id: string) => ({ type: 'button', label: 'x', custom_id: id })
const buttons = (count: number) => list(count).map(button)
const embeds = (count: number) => list(count).map((title) => ({ title }))

const BOUNDS: Record<string, readonly Bound[]> = {
  '400 MESSAGE_TOO_LARGE': [
    ['a message', 4000, ({ ada, feed }, n) => ada.post(`${feed}/messages`, { body: text(n) })],
    ['a message of a thread', 4000, ({ ada, thread }, n) => ada.post(`${thread}/messages`, { body: text(n) })],
    ['the answer of a bot', 4000, ({ respond }, n) => respond({ body: text(n) })],
  ],
  '413 PAYLOAD_TOO_LARGE': [
    ['ciphertext', 65_536, ({ ada, feed }, n) => ada.post(`${feed}/messages`, { opaque_blob: 'x'.repeat(n) })],
    ['… in a thread', 65_536, ({ ada, thread }, n) => ada.post(`${thread}/messages`, { opaque_blob: 'x'.repeat(n) })],
    ['… of an edit', 65_536, ({ ada, message }, n) => ada.patch(message, { opaque_blob: 'x'.repeat(n) })],
    ['… of a direct edit', 65_536, ({ ada, direct }, n) => ada.patch(direct, { opaque_blob: 'x'.repeat(n) })],
    [
      'a registration of commands',
      262_144,
      ({ dice }, size) => dice.put('/bots/@me/commands', { commands: registration(size, `r${++commands}`) }),
    ],
  ],
  '422 VALIDATION_ERROR': [
    ['a direct edit', 4000, ({ ada, direct }, n) => ada.patch(direct, { body: text(n) })],
    [
      'mentions',
      100,
      ({ ada, feed }, n) => ada.post(`${feed}/messages`, { body: 'x', mentions: [...Array(n).keys()] }),
    ],
    [
      'mentions in a conversation',
      100,
      ({ ada, dm }, n) => ada.post(`${dm}/messages`, { body: 'x', mentions: [...Array(n).keys()] }),
    ],
    ['embeds', 10, ({ ada, feed }, n) => ada.post(`${feed}/messages`, { embeds: embeds(n) })],
    ['embeds of a webhook', 10, ({ server, execution }, n) => server.visitor.post(execution, { embeds: embeds(n) })],
    ['embeds of an answer', 10, ({ respond }, n) => respond({ embeds: embeds(n) })],
    ['components', 25, ({ dice, feed }, n) => dice.post(`${feed}/messages`, { body: 'x', components: buttons(n) })],
    ['components of an answer', 25, ({ respond }, n) => respond({ body: 'x', components: buttons(n) })],
    ['a direct emoji', 255, ({ ada, direct }, n) => ada.put(`${direct}/reactions/${encodeURIComponent(text(n))}`)],
    ['the name of a webhook', 64, ({ ada, feed }, n) => ada.post(`${feed}/webhooks`, { name: text(n) })],
    ['its avatar', 512, ({ ada, feed }, n) => ada.post(`${feed}/webhooks`, { name: 'x', avatar: text(n) })],
    ['its new name', 64, ({ ada, webhook }, n) => ada.patch(webhook, { name: text(n) })],
    ['its new avatar', 512, ({ ada, webhook }, n) => ada.patch(webhook, { avatar: text(n) })],
    ['a callback', 2048, ({ dice }, n) => dice.patch('/bots/@me', { interaction_url: HOOK.padEnd(n, 'x') })],
    ['the avatar of a bot', 512, ({ dice }, n) => dice.patch('/bots/@me', { avatar: text(n) })],
    ['a command', 32, ({ command }, n) => command({ name: text(n) })],
    ['its description', 256, ({ command }, n) => command({ description: text(n) })],
    ['its parameters', 25, ({ command }, n) => command({ params: list(n).map((name) => ({ name })) })],
    ['a parameter', 32, ({ command }, n) => command({ params: [{ name: text(n) }] })],
    ['its description', 256, ({ command }, n) => command({ params: [{ name: 'x', description: text(n) }] })],
    ['its choices', 25, ({ command }, n) => command({ params: [{ name: 'x', choices: list(n) }] })],
    ['a choice', 100, ({ command }, n) => command({ params: [{ name: 'x', choices: [text(n)] }] })],
    ['a component', 100, ({ ada, menu: msg_id }, n) => press(ada, { msg_id, component_id: text(n) })],
    ['values', 25, ({ ada, menu: msg_id }, n) => press(ada, { msg_id, component_id: 'x', values: list(n) })],
    ['a value', 100, ({ ada, menu: msg_id }, n) => press(ada, { msg_id, component_id: 'x', values: [text(n)] })],
    ['the recipients', 10, ({ ada, bob }, n) => ada.post('/dms', { recipient_ids: Array(n).fill(bob.userId) })],
    ['the name of a group', 64, ({ ada }, n) => ada.post('/dms', { recipient_ids: [], name: text(n) })],
    ['its new name', 64, ({ ada, group }, n) => ada.patch(group, { name: text(n) })],
    ['its icon', 512, ({ ada, group }, n) => ada.patch(group, { icon: text(n) })],
    ['a device', 64, ({ ada }, n) => ada.post('/keys/devices', { device_id: `d${n}`, device_name: text(n) })],
    ['its id', 128, ({ ada }, n) => ada.post('/keys/devices', { device_id: text(n), device_name: 'x' })],
    ['a device to pair', 64, ({ ada }, n) => pair(ada, { device_name: text(n) })],
    ['its key', 1024, ({ ada }, n) => pair(ada, { temp_public_key: text(n) })],
    ['an identity key', 4096, ({ ada }, n) => prekeys(ada, { identity_key: text(n) })],
    ['a signed prekey', 4096, ({ ada }, n) => prekeys(ada, { signed_prekey: text(n) })],
    ['a one-time prekey', 4096, ({ ada }, n) => prekeys(ada, { one_time_prekeys: [text(n)] })],
    ['one-time prekeys at once', 500, ({ ada }, n) => prekeys(ada, { one_time_prekeys: list(n) })],
    ['a key package', 4096, ({ ada }, n) => keyPackagesOf(ada, [packageOf(`${ada.userId}:phone`, n)])],
    [
      'key packages at once',
      500,
      ({ ada }, n) => keyPackagesOf(ada, Array(n).fill(packageOf(`${ada.userId}:phone`, 400))),
    ],
  ],
}

const HOOK = 'https://93.184.216.34/'

type Caller = Stage['ada']

const press = (caller: Caller, use: object) => caller.post('/interactions/component', use)
const pair = (caller: Caller, device: object) =>
  caller.post('/keys/devices/pair', { device_name: 'x', method: 'qr', ...device })
const prekeys = (caller: Caller, keys: object) =>
  caller.put('/keys/prekeys/phone', { identity_key: 'x', signed_prekey: 'x', one_time_prekeys: [], ...keys })
const keyPackagesOf = (caller: Caller, key_packages: string[]) =>
  caller.post('/keys/mls/phone/key-packages', { key_packages })

/** A key package of exactly so many bytes. */
function packageOf(identity: string, bytes: number): string {
  const padding = 100 + bytes - keyPackage(identity, { padding: 100 }).length
  return keyPackage(identity, { padding }).toString('base64')
}

/** Commands that take exactly so many bytes as compact JSON. */
function registration(bytes: number, name: string): object[] {
  const choices = list(24).map((choice) => choice.padEnd(100, 'x'))
  const params = () => list(25).map((name) => ({ name, description: '', choices }))
  const commands = list(4).map((number) => ({ name: name + number, params: params() }))
  let lacking = bytes - JSON.stringify(commands).length
  for (const param of commands.flatMap(({ params }) => params)) {
    param.description = 'x'.repeat(Math.min(256, lacking))
    lacking -= param.description.length
  }
  assert.equal(lacking, 0)
  return commands
}

for (const [refusal, bounds] of Object.entries(BOUNDS))
  describe(`one more than the bound is ${refusal}`, () => {
    let on: Stage
    before(async () => {
      on = await stage(await startTestServer(sqlite))
    })
    after(() => on.server.close())

    for (const [what, max, send] of bounds)
      it(`${what}: ${max}`, async () => {
        const taken = await send(on, max)
        assert.ok(taken.status < 300, failure(taken))
        assert.equal(failure(await send(on, max + 1)), refusal)
      })
  })

describe('the size of a page', () => {
  it('is 1 to 1000 wherever one may be asked for', async () => {
    const on = await stage(await startTestServer(sqlite))
    await using _ = on.server
    const { ada, feed, thread, dm } = on
    for (const path of [
      `${feed}/messages?`,
      `${thread}/messages?`,
      `${dm}/messages?`,
      '/dms?',
      '/messages/search?q=x&',
      '/keys/mls/relays?',
    ])
      for (const [limit, expected] of [
        [0, '422 VALIDATION_ERROR'],
        [1, '200 undefined'],
        [1000, '200 undefined'],
        [1001, '422 VALIDATION_ERROR'],
      ])
        assert.equal(failure(await ada.get(`${path}limit=${limit}`)), expected, `${path}limit=${limit}`)
    const sync = (limit: number) => ada.post('/sync', { since_timestamp: Date.now(), categories: [], limit })
    const answers = await Promise.all([0, 1, 1000, 1001].map(sync))
    assert.deepEqual(
      answers.map(({ status }) => status),
      [422, 200, 200, 422],
    )
  })

  it('is 50, of what is found 25, unless another one is asked for, and 100 at most', async () => {
    const on = await stage(await startTestServer(sqlite))
    await using _ = on.server
    const { ada, feed, thread, dm } = on
    const numbers = 'with recursive numbers (n) as (select 1 union all select n + 1 from numbers where n < 120)'
    const fill = (place: string, first: number) =>
      `insert into messages (msg_id, feed_id, thread_id, dm_id, author_id, body)
       ${numbers} select ${first} + n, ${place}, 1, 'tea' from numbers`
    await runSql(
      on.server.databaseUrl,
      fill('1, null, null', 0),
      fill('1, 1, null', 1000),
      fill('null, null, 1', 2000),
      `insert into event_log (event_id, type, payload)
       ${numbers} select (select max(event_id) from event_log) + n, 'category_create', '{}' from numbers`,
    )
    for (const [path, usual] of [
      [`${feed}/messages?`, 50],
      [`${thread}/messages?`, 50],
      [`${dm}/messages?`, 50],
      ['/messages/search?q=tea&', 25],
      ['/messages/search?q=tea&dm_id=1&', 25],
    ] as const)
      for (const [limit, expected] of [
        ['', usual],
        ['limit=99', 99],
        ['limit=101', 100],
        ['limit=1000', 100],
      ] as const) {
        const { messages, results } = (await ada.get(path + limit)).body
        assert.equal((messages ?? results).length, expected, path + limit)
      }
    for (const limit of [undefined, 101, 1000]) {
      const wanted = { since_timestamp: Date.now() - 60_000, categories: ['categories'], limit }
      assert.equal((await ada.post('/sync', wanted)).body.events.length, 100)
    }
  })
})
