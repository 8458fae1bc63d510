import assert from 'node:assert/strict'
import { it } from 'node:test'
import { EmbedObject, fullEmbed, permissionSet } from '@vox/protocol'
import { createBot } from '../support/bots.ts'
import { createFeed, registerAll } from '../support/community.ts'
import { type Engine, forEachEngine } from '../support/engines.ts'
import { connectAll } from '../support/gateway-client.ts'
import { failure, startTestServer } from '../support/server.ts'

const TEA = { title: 'Tea', url: 'https://tea.example/', fields: [{ name: 'Kind', value: 'green', inline: false }] }

async function withFeed(engine: Engine) {
  const server = await startTestServer(engine)
  const [ada, bob] = await registerAll(server, 'ada', 'bob')
  const feedId = await createFeed(ada)
  const path = `/feeds/${feedId}/messages`
  const override = `/feeds/${feedId}/permissions/role/1`
  await ada.put(override, { allow: permissionSet('SEND_EMBEDS'), deny: 0 })
  return {
    ada,
    bob,
    server,
    feedId,
    path,
    withoutPermission: () => ada.put(override, { allow: 0, deny: permissionSet('SEND_EMBEDS') }),
    newest: async () => (await bob.get(path)).body.messages[0],
    [Symbol.asyncDispose]: () => server.close(),
  }
}

forEachEngine('embeds of a message', (engine) => {
  it('are shown with all keys wherever it is read, and as they were given in the event', async () => {
    await using test = await withFeed(engine)
    const { ada, bob, server, path, feedId } = test
    const [told] = await connectAll(server, ada)
    const { status, body } = await bob.post(path, {
      body: 'look',
      embed: JSON.stringify({ ...TEA, footer: 'x', image: 'javascript:x' }),
    })
    assert.equal(status, 201)
    const given = { ...TEA, image: null }
    const { timestamp } = body
    assert.deepEqual(await told?.told(), [
      [
        'message_create',
        { msg_id: body.msg_id, author_id: bob.userId, body: 'look', timestamp, feed_id: feedId, embed: given },
      ],
    ])
    const full = fullEmbed(given)
    assert.equal(Object.keys(full).length, Object.keys(EmbedObject.properties).length)
    await ada.put(`/feeds/${feedId}/pins/${body.msg_id}`)
    const read = [
      await test.newest(),
      (await bob.get(`${path}/${body.msg_id}`)).body,
      (await bob.get(`/feeds/${feedId}/pins`)).body.messages[0],
      (await bob.get('/messages/search?query=look')).body.results[0],
    ]
    for (const { embed, embeds } of read) assert.deepEqual([embed, embeds], [full, [full]])
  })

  it('may be several; the first is the one that clients without sight for more show', async () => {
    await using test = await withFeed(engine)
    const { ada, bob, server, path } = test
    const [told] = await connectAll(server, ada)
    const embeds = [{ title: '1' }, { title: '2' }]
    await bob.post(path, { embeds })
    const [[, event] = []] = (await told?.told()) ?? []
    assert.deepEqual([(event as { embed: unknown }).embed, (event as { embeds: unknown }).embeds], [embeds[0], embeds])
    const { embed, embeds: shown, body } = await test.newest()
    assert.deepEqual([embed, shown, body], [fullEmbed({ title: '1' }), embeds.map(fullEmbed), null])
  })

  it('come in either field; embed wins unless it is empty', async () => {
    await using test = await withFeed(engine)
    const titles = async (message: object) => {
      assert.equal((await test.bob.post(test.path, message)).status, 201)
      return (await test.newest()).embeds.map(({ title }: { title: string }) => title)
    }
    assert.deepEqual(await titles({ embed: TEA }), ['Tea'])
    assert.deepEqual(await titles({ embed: TEA, embeds: [{ title: 'x' }] }), ['Tea'])
    assert.deepEqual(await titles({ embed: '', embeds: [TEA] }), ['Tea'])
    assert.deepEqual(await titles({ embed: null, embeds: [TEA] }), ['Tea'])
    assert.deepEqual(await titles({ body: 'x', embed: '', embeds: [] }), [])
  })

  it('are refused when they are none, and nothing is stored', async () => {
    await using test = await withFeed(engine)
    for (const message of [
      { embed: 'not json' },
      { embed: '5' },
      { embed: { color: -1 } },
      { embeds: Array(11).fill(TEA) },
      { embeds: '[]' },
    ])
      assert.equal(failure(await test.bob.post(test.path, { body: 'x', ...message })), '422 VALIDATION_ERROR')
    for (const message of [{ embed: '' }, { embeds: [] }, { components: [] }])
      assert.equal(failure(await test.bob.post(test.path, message)), '400 EMPTY_MESSAGE')
    assert.equal(await test.newest(), undefined)
  })

  it('are left out silently without the permission, but something else must be left', async () => {
    await using test = await withFeed(engine)
    const { bob, path } = test
    await test.withoutPermission()
    assert.equal((await bob.post(path, { body: 'x', embed: TEA })).status, 201)
    assert.equal((await test.newest()).embed, null)
    assert.equal((await bob.post(path, { opaque_blob: 'AAEC', embed: TEA })).status, 201)
    for (const message of [{ embed: TEA }, { body: ' ', embeds: [TEA] }]) {
      const refused = await bob.post(path, message)
      assert.equal(failure(refused), '403 MISSING_PERMISSIONS')
      assert.equal(refused.body.error.missing_permission, 'send_embeds')
    }
    assert.equal((await bob.get(path)).body.messages.length, 2)
  })

  it('are as good in a thread', async () => {
    await using test = await withFeed(engine)
    const { bob, path, feedId } = test
    const { msg_id } = (await bob.post(path, { body: 'x' })).body
    const { thread_id } = (await bob.post(`/feeds/${feedId}/threads`, { parent_msg_id: msg_id, name: 'x' })).body
    assert.equal((await bob.post(`/feeds/${feedId}/threads/${thread_id}/messages`, { embed: TEA })).status, 201)
    const { messages } = (await bob.get(`/feeds/${feedId}/threads/${thread_id}/messages`)).body
    assert.deepEqual(messages[0].embed, fullEmbed(TEA))
  })

  it('make up for a text that an edit takes away, and stay through edits', async () => {
    await using test = await withFeed(engine)
    const { bob, path } = test
    const { msg_id } = (await bob.post(path, { body: 'x', embed: TEA })).body
    assert.equal((await bob.patch(`${path}/${msg_id}`, { body: ' ' })).status, 200)
    const { body, embed } = await test.newest()
    assert.deepEqual([body, embed], [' ', fullEmbed(TEA)])
  })

  it('are a condition of search', async () => {
    await using test = await withFeed(engine)
    const { bob, path } = test
    const plain = (await bob.post(path, { body: 'tea' })).body.msg_id
    const shown = (await bob.post(path, { body: 'tea', embed: TEA })).body.msg_id
    const found = async (query: string) =>
      (await bob.get(`/messages/search?${query}`)).body.results.map(({ msg_id }: { msg_id: bigint }) => msg_id)
    for (const text of ['tea', '']) {
      assert.deepEqual(await found(`query=${text}&has_embed=true`), [shown])
      assert.deepEqual(await found(`query=${text}&has_embed=false`), [plain])
      assert.deepEqual(await found(`query=${text}`), [shown, plain])
    }
  })

  it('survive a restart', async () => {
    await using test = await withFeed(engine)
    await test.bob.post(test.path, { embed: TEA })
    await test.server.close()
    await using again = await startTestServer(engine, { env: { VOX_DATABASE_URL: test.server.databaseUrl } })
    const { messages } = (await again.visitor.get(test.path, { authorization: `Bearer ${test.bob.token}` })).body
    assert.deepEqual(messages[0].embed, fullEmbed(TEA))
  })
})

forEachEngine('components of a message', (engine) => {
  it('are stored and told when a bot sends them, and its embeds with all keys', async () => {
    await using test = await withFeed(engine)
    const { ada, server, path } = test
    const bot = await createBot(ada, 'dice')
    const [told] = await connectAll(server, ada)
    const components = [
      { type: 'button', label: 'Again', component_id: 'again' },
      { type: 'select', id: 'sides', options: [{ label: 'Six', value: '6' }] },
    ]
    assert.equal((await bot.post(path, { body: '4', embed: TEA, components })).status, 201)
    const shown = [
      { type: 'button', label: 'Again', custom_id: 'again', component_id: 'again', style: 'primary' },
      {
        type: 'select',
        custom_id: 'sides',
        component_id: 'sides',
        options: [{ label: 'Six', value: '6', description: null }],
        placeholder: null,
      },
    ]
    const message = await test.newest()
    assert.deepEqual([message.components, message.embeds], [shown, [fullEmbed(TEA)]])
    const [[, event] = []] = (await told?.told()) ?? []
    const { components: announced, embed } = event as { components: unknown; embed: unknown }
    assert.deepEqual([announced, embed], [shown, fullEmbed(TEA)])
  })

  it('are for bots: those of people are checked, and left out', async () => {
    await using test = await withFeed(engine)
    const { bob, path, ada, server } = test
    const [told] = await connectAll(server, ada)
    const button = { type: 'button', label: 'Yes', custom_id: 'yes' }
    assert.equal((await bob.post(path, { body: 'x', components: [button] })).status, 201)
    assert.deepEqual((await test.newest()).components, [])
    assert.ok(
      !JSON.stringify(await told?.told(), (_, value) => (typeof value === 'bigint' ? String(value) : value)).includes(
        'components',
      ),
    )
    assert.equal(failure(await bob.post(path, { components: [button] })), '400 EMPTY_MESSAGE')
    for (const components of [[button, button], [{ type: 'slider', custom_id: 'x' }]])
      assert.equal(failure(await bob.post(path, { body: 'x', components })), '422 VALIDATION_ERROR')
  })
})
