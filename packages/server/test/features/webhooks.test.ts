import assert from 'node:assert/strict'
import { it } from 'node:test'
import { fullEmbed, type PermissionName, permissionSet, snowflakeTime } from '@vox/protocol'
import { auditTypes, createFeed, grant, lastAudit, registerAll } from '../support/community.ts'
import { openTestDatabase } from '../support/database.ts'
import { type Engine, forEachEngine } from '../support/engines.ts'
import { uploadText } from '../support/forms.ts'
import { connectAll } from '../support/gateway-client.ts'
import { keepingLog } from '../support/log.ts'
import { failure, startTestServer, type TestOptions, type TestServer } from '../support/server.ts'
import { refusedMeanwhile } from '../support/slow-request.ts'
import { runSql } from '../support/sql.ts'

/** A server with an administrator, a manager of webhooks, a member and a feed. */
async function withFeed(
  engine: Engine,
  { type = 'text', hidden = false, ...options }: TestOptions & { type?: string; hidden?: boolean } = {},
) {
  const server = await startTestServer(engine, options)
  const [ada, mia, bob] = await registerAll(server, 'ada', 'mia', 'bob')
  await grant(ada, mia, ['MANAGE_WEBHOOKS'])
  const feedId =
    type === 'text'
      ? await createFeed(ada, { hidden })
      : (await ada.post('/feeds', { name: 'feed', type })).body.feed_id
  const feed = `/feeds/${feedId}`
  return {
    server,
    ada,
    mia,
    bob,
    feed,
    feedId,
    /** Creates a webhook and gives its id and where it posts to. */
    create: async (webhook: object = { name: 'builds' }) => {
      const { body } = await ada.post(`${feed}/webhooks`, webhook)
      return { id: body.webhook_id as number, url: `/webhooks/${body.webhook_id}/${body.token}` }
    },
    newest: async () => (await ada.get(`${feed}/messages`)).body.messages[0],
    [Symbol.asyncDispose]: () => server.close(),
  }
}

const URL = 'https://a.example/a.png'

forEachEngine('webhooks', (engine) => {
  it('are created with a token that is shown once and stored as a hash', async () => {
    await using test = await withFeed(engine)
    const { mia, ada, bob, server, feedId, feed } = test
    const [administrator, manager, member] = await connectAll(server, ada, mia, bob)
    const created = await mia.post(`${feed}/webhooks`, { name: 'builds', avatar: URL })
    const { token, ...webhook } = created.body
    assert.deepEqual([created.status, created.headers.get('cache-control')], [201, 'no-store'])
    assert.deepEqual(webhook, { webhook_id: 1, feed_id: feedId, name: 'builds', avatar: URL })
    assert.match(token, /^whk_[\w-]{43}$/)
    const told = [['webhook_create', { webhook_id: 1, feed_id: feedId, name: 'builds' }]]
    assert.deepEqual([await administrator?.told(), await manager?.told(), await member?.told()], [told, told, []])
    assert.deepEqual(await lastAudit(ada), ['webhook.create', mia.userId, 1, { name: 'builds' }])
    assert.deepEqual((await mia.get(`${feed}/webhooks`)).body, { webhooks: [webhook] })
    assert.deepEqual((await mia.get('/webhooks/1')).body, webhook)
    await server.close()
    await using db = await openTestDatabase(server.databaseUrl)
    const [row] = await db.read.selectFrom('webhooks').selectAll().execute()
    assert.match(row?.token_hash ?? '', /^[0-9a-f]{64}$/)
    assert.ok(!JSON.stringify(row).includes(token))
  })

  it('are listed feed by feed, by id', async () => {
    await using test = await withFeed(engine)
    for (const name of ['c', 'a', 'b']) await test.create({ name, avatar: '' })
    const other = await createFeed(test.ada)
    const { webhooks } = (await test.mia.get(`${test.feed}/webhooks`)).body
    assert.deepEqual(
      webhooks.map(({ name, avatar }: { name: string; avatar: null }) => [name, avatar]),
      [
        ['c', null],
        ['a', null],
        ['b', null],
      ],
    )
    assert.deepEqual((await test.mia.get(`/feeds/${other}/webhooks`)).body, { webhooks: [] })
  })

  it('are managed by those with the permission who see the feed', async () => {
    await using test = await withFeed(engine, { hidden: true })
    const { mia, bob, feed } = test
    const { id } = await test.create()
    const attempts: [string, string, object?][] = [
      ['POST', `${feed}/webhooks`, { name: 'x' }],
      ['GET', `${feed}/webhooks`],
      ['GET', `/webhooks/${id}`],
      ['PATCH', `/webhooks/${id}`, { name: 'x' }],
      ['DELETE', `/webhooks/${id}`],
    ]
    for (const [method, path, body] of attempts)
      for (const [client, missing] of [
        [bob, 'manage_webhooks'],
        [mia, 'view_space'],
      ] as const) {
        const refused = await client.request(method, path, body)
        assert.equal(failure(refused), '403 MISSING_PERMISSIONS')
        assert.equal(refused.body.error.missing_permission, missing, `${method} ${path}`)
      }
    assert.equal((await test.ada.get(`/webhooks/${id}`)).body.name, 'builds')
  })

  it('must exist, in a feed that does', async () => {
    await using test = await withFeed(engine)
    const { mia } = test
    assert.equal(failure(await mia.post('/feeds/99/webhooks', { name: 'x' })), '404 SPACE_NOT_FOUND')
    assert.equal(failure(await mia.get('/feeds/99/webhooks')), '404 SPACE_NOT_FOUND')
    assert.equal(failure(await mia.get('/webhooks/99')), '404 WEBHOOK_NOT_FOUND')
    assert.equal(failure(await mia.patch('/webhooks/99', { name: 'x' })), '404 WEBHOOK_NOT_FOUND')
    assert.equal(failure(await mia.delete('/webhooks/99')), '404 WEBHOOK_NOT_FOUND')
  })

  it('have names and avatars within their limits', async () => {
    await using test = await withFeed(engine, { env: { VOX_LIMIT_WEBHOOK_NAME_MAX: '5' } })
    const { mia, feed } = test
    const { id } = await test.create({ name: 'x' })
    for (const wrong of [
      { name: '' },
      { name: ' \u3000' },
      { name: 'sixsix' },
      { name: 'a\nb' },
      { name: 5 },
      { name: 'x', avatar: 'x'.repeat(513) },
    ]) {
      assert.equal(failure(await mia.post(`${feed}/webhooks`, wrong)), '422 VALIDATION_ERROR', JSON.stringify(wrong))
      assert.equal(failure(await mia.patch(`/webhooks/${id}`, wrong)), '422 VALIDATION_ERROR')
    }
    assert.equal(failure(await mia.post(`${feed}/webhooks`, {})), '422 VALIDATION_ERROR')
    assert.equal((await mia.post(`${feed}/webhooks`, { name: '😀😀😀😀😀', avatar: 'x'.repeat(512) })).status, 201)
  })

  it('are at most a hundred in a feed', async () => {
    await using test = await withFeed(engine)
    const { webhook_id, feed_id } = (await test.mia.post(`${test.feed}/webhooks`, { name: 'x' })).body
    assert.equal(webhook_id, 1)
    const rows = Array.from({ length: 99 }, (_, n) => `(${feed_id}, 'x', 'hash ${n}', 0)`)
    await runSql(
      test.server.databaseUrl,
      `insert into webhooks (feed_id, name, token_hash, created_at) values ${rows.join()}`,
    )
    assert.equal(failure(await test.mia.post(`${test.feed}/webhooks`, { name: 'x' })), '400 INVALID_OPERATION')
    const other = await createFeed(test.ada)
    assert.equal((await test.mia.post(`/feeds/${other}/webhooks`, { name: 'x' })).status, 201)
  })

  it('are changed, and only real changes are told', async () => {
    await using test = await withFeed(engine)
    const { mia, bob, ada, server, feedId } = test
    const { id } = await test.create({ name: 'builds', avatar: URL })
    const [manager, member] = await connectAll(server, mia, bob)
    const shown = (name: string, avatar: string | null) => ({ webhook_id: id, feed_id: feedId, name, avatar })
    for (const patch of [{}, { name: 'builds' }, { name: null, avatar: null }, { avatar: URL }]) {
      const { status, body } = await mia.patch(`/webhooks/${id}`, patch)
      assert.deepEqual([status, body], [200, shown('builds', URL)])
    }
    assert.deepEqual((await mia.patch(`/webhooks/${id}`, { name: 'deploys', avatar: URL })).body, shown('deploys', URL))
    assert.deepEqual((await mia.patch(`/webhooks/${id}`, { avatar: '' })).body, shown('deploys', null))
    assert.deepEqual(await manager?.told(), [
      ['webhook_update', { webhook_id: id, name: 'deploys' }],
      ['webhook_update', { webhook_id: id, avatar: null }],
    ])
    assert.deepEqual(await member?.told(), [])
    assert.ok(!(await auditTypes(ada)).includes('webhook.update'))
  })

  it('are deleted with their token; their messages stay', async () => {
    await using test = await withFeed(engine)
    const { mia, bob, ada, server } = test
    const { id, url } = await test.create()
    assert.equal((await server.visitor.post(url, { body: 'hello' })).status, 204)
    const [manager, member] = await connectAll(server, mia, bob)
    const late = { path: url, body: { body: 'too late' } }
    const removed = async () => assert.equal((await mia.delete(`/webhooks/${id}`)).status, 204)
    assert.equal(await refusedMeanwhile(server.visitor, late, removed), '401 WEBHOOK_TOKEN_INVALID')
    assert.deepEqual([await manager?.told(), await member?.told()], [[['webhook_delete', { webhook_id: id }]], []])
    assert.deepEqual(await lastAudit(ada), ['webhook.delete', mia.userId, id, { name: 'builds' }])
    assert.equal(failure(await server.visitor.post(url, { body: 'x' })), '401 WEBHOOK_TOKEN_INVALID')
    assert.equal(failure(await mia.delete(`/webhooks/${id}`)), '404 WEBHOOK_NOT_FOUND')
    const { webhook_id, webhook_name, author_id, body } = await test.newest()
    assert.deepEqual([webhook_id, webhook_name, author_id, body], [id, 'builds', null, 'hello'])
  })

  it('go with their feed, without words of their own', async () => {
    await using test = await withFeed(engine)
    const { mia, ada, server, feed, feedId } = test
    const { url } = await test.create()
    await server.visitor.post(url, { body: 'hello' })
    const [manager] = await connectAll(server, mia)
    assert.equal((await ada.delete(feed)).status, 204)
    assert.deepEqual(await manager?.told(), [['feed_delete', { feed_id: feedId }]])
    assert.equal(failure(await server.visitor.post(url, { body: 'x' })), '401 WEBHOOK_TOKEN_INVALID')
    await server.close()
    await using db = await openTestDatabase(server.databaseUrl)
    assert.deepEqual(await db.read.selectFrom('webhooks').selectAll().execute(), [])
  })

  it('are told after an absence to those who manage them', async () => {
    await using test = await withFeed(engine)
    const { id } = await test.create()
    await test.mia.patch(`/webhooks/${id}`, { name: 'deploys' })
    await test.mia.delete(`/webhooks/${id}`)
    const missed = async (client: typeof test.mia) => {
      const { body } = await client.post('/sync', { since_timestamp: Date.now() - 60_000, categories: ['webhooks'] })
      return body.events.map(({ type }: { type: string }) => type)
    }
    assert.deepEqual(await missed(test.mia), ['webhook_create', 'webhook_update', 'webhook_delete'])
    assert.deepEqual(await missed(test.bob), [])
  })

  it('show a picture of the server to every member', async () => {
    await using test = await withFeed(engine)
    const fileId = await uploadText(test.ada, test.feedId)
    const path = `/files/${fileId}`
    assert.equal(failure(await test.bob.get(path)), '403 FORBIDDEN')
    const { id } = await test.create({ name: 'x', avatar: `/api/v1${path}` })
    assert.equal((await test.bob.get(path)).status, 200)
    await test.mia.patch(`/webhooks/${id}`, { avatar: '' })
    assert.equal(failure(await test.bob.get(path)), '403 FORBIDDEN')
  })

  it('open no file to those who may not read it', async () => {
    await using test = await withFeed(engine)
    const { ada, mia, feed } = test
    const path = `/files/${await uploadText(ada, test.feedId)}`
    const avatar = `/api/v1${path}`
    const { id } = await test.create()
    assert.equal(failure(await mia.post(`${feed}/webhooks`, { name: 'x', avatar })), '403 FORBIDDEN')
    assert.equal(failure(await mia.patch(`/webhooks/${id}`, { name: 'x', avatar })), '403 FORBIDDEN')
    assert.equal((await mia.get(`/webhooks/${id}`)).body.name, 'builds')
    assert.equal(failure(await mia.get(path)), '403 FORBIDDEN')
    // Once it shows, everybody may read it, and go on with it.
    assert.equal((await ada.patch(`/webhooks/${id}`, { avatar })).status, 200)
    assert.equal((await mia.patch(`/webhooks/${id}`, { name: 'x', avatar })).status, 200)
  })
})

/** What a webhook needs in other hands: without a permission it would be refused. */
const LIMITED: readonly PermissionName[] = ['SEND_MESSAGES', 'SEND_EMBEDS']

forEachEngine('a post of a webhook', (engine) => {
  it('is a message without an author, with the webhook as it was then', async () => {
    await using test = await withFeed(engine)
    const { ada, bob, mia, server, feedId } = test
    const { id, url } = await test.create({ name: 'builds', avatar: URL })
    const [viewer] = await connectAll(server, bob)
    const posted = await server.visitor.post(url, { body: 'all green' })
    assert.deepEqual([posted.status, posted.body], [204, ''])
    await mia.patch(`/webhooks/${id}`, { name: 'deploys', avatar: '' })
    const message = await test.newest()
    assert.deepEqual(message, {
      msg_id: message.msg_id,
      feed_id: feedId,
      dm_id: null,
      thread_id: null,
      author_id: null,
      body: 'all green',
      opaque_blob: null,
      timestamp: snowflakeTime(message.msg_id),
      reply_to: null,
      attachments: [],
      embed: null,
      edit_timestamp: null,
      federated: false,
      author_address: null,
      pinned_at: null,
      webhook_id: id,
      mentions: [],
      embeds: [],
      components: [],
      webhook_name: 'builds',
      webhook_avatar: URL,
    })
    const { msg_id, timestamp } = message
    assert.deepEqual(await viewer?.told(), [
      [
        'message_create',
        {
          msg_id,
          author_id: null,
          body: 'all green',
          timestamp,
          feed_id: feedId,
          webhook_id: id,
          webhook_name: 'builds',
          webhook_avatar: URL,
        },
      ],
    ])
    assert.equal(failure(await ada.patch(`${test.feed}/messages/${msg_id}`, { body: 'x' })), '403 FORBIDDEN')
    assert.deepEqual((await bob.get('/messages/search?query=green')).body.results, [message])
  })

  it('is told to those who see the feed, and notifies nobody', async () => {
    await using test = await withFeed(engine, { hidden: true })
    const { ada, bob, server } = test
    await ada.put(`${test.feed}/subscribers`)
    const { url } = await test.create()
    const [viewer, stranger] = await connectAll(server, ada, bob)
    await server.visitor.post(url, { body: '<@1> <@everyone>', mentions: [1, 0] })
    assert.deepEqual(
      (await viewer?.told())?.map(([type]) => type),
      ['message_create'],
    )
    assert.deepEqual(await stranger?.told(), [])
    assert.deepEqual((await test.newest()).mentions, [])
  })

  it('shows its embeds, all of them in history, with all their keys', async () => {
    await using test = await withFeed(engine)
    const { bob, server } = test
    await test.ada.put(`${test.feed}/permissions/role/1`, { allow: 0, deny: permissionSet(...LIMITED) })
    const { url } = await test.create()
    const [viewer] = await connectAll(server, bob)
    const embeds = [{ title: '1', url: 'javascript:x' }, { title: '2' }, { title: '3' }]
    assert.equal((await server.visitor.post(url, { embeds })).status, 204)
    const full = ['1', '2', '3'].map((title) => fullEmbed({ title }))
    const message = await test.newest()
    assert.deepEqual([message.body, message.embed, message.embeds], [null, full[0], full])
    const [[, event] = []] = (await viewer?.told()) ?? []
    const { embed, embeds: shown } = event as { embed: object; embeds: object[] }
    assert.deepEqual([embed, shown], [full[0], full])
  })

  it('is as good at the other address, and whatever the Authorization header says', async () => {
    await using test = await withFeed(engine)
    const { server, bob } = test
    const { url } = await test.create()
    for (const path of [url, `${url}/execute`])
      for (const authorization of ['garbage', 'Bearer vox_sess_wrong', `Bearer ${bob.token}`, 'Bearer '])
        assert.equal((await server.visitor.post(path, { body: 'x' }, { authorization })).status, 204)
    assert.equal((await test.ada.get(`${test.feed}/messages`)).body.messages.length, 8)
  })

  it('comes through where members are restricted, and drops what webhooks have not', async () => {
    await using test = await withFeed(engine, { type: 'announcement' })
    const { url } = await test.create()
    const components = [{ type: 'button', label: 'x', custom_id: 'x' }]
    const more = { reply_to: 5, attachments: ['x'], components, opaque_blob: 'AAEC' }
    assert.equal((await test.server.visitor.post(url, { body: '/roll 5', ...more })).status, 204)
    const { body, reply_to, attachments, components: shown, opaque_blob } = await test.newest()
    assert.deepEqual([body, reply_to, attachments, shown, opaque_blob], ['/roll 5', null, [], [], null])
  })

  it('begins a thread in a forum', async () => {
    await using test = await withFeed(engine, { type: 'forum' })
    const { url } = await test.create()
    const [viewer] = await connectAll(test.server, test.bob)
    await test.server.visitor.post(url, { body: 'A question' })
    await test.server.visitor.post(url, { embeds: [{ title: 'x' }] })
    const told = (await viewer?.told()) ?? []
    assert.deepEqual(
      told.map(([type]) => type),
      ['thread_create', 'message_create', 'thread_create', 'message_create'],
    )
    const { items } = (await test.bob.get(`${test.feed}/threads`)).body
    assert.deepEqual(
      items.map(({ name, creator_id }: { name: string; creator_id: null }) => [name, creator_id]).sort(),
      [
        ['A question', null],
        ['Thread', null],
      ],
    )
  })

  it('is refused in one way, whatever of its address is wrong', async () => {
    await using test = await withFeed(engine)
    const { url, id } = await test.create()
    const token = url.split('/').at(-1) ?? ''
    const other = (await test.create({ name: 'other' })).url.split('/').at(-1)
    const wrong = [
      `${id}/${other}`,
      `${id}/x`,
      `${id}/${token}x`,
      `${id}/${token.slice(1)}`,
      `99/${token}`,
      `abc/${token}`,
      `0/${token}`,
      `-1/${token}`,
      `4294967296/${token}`,
      `1e0/${token}`,
      `${id}/${'x'.repeat(150)}`,
      `${id}/%00`,
    ]
    const answers = await Promise.all(
      wrong
        .flatMap((rest) => [rest, `${rest}/execute`])
        .map((rest) => test.server.visitor.post(`/webhooks/${rest}`, { body: 5 })),
    )
    for (const answer of answers) {
      assert.equal(failure(answer), '401 WEBHOOK_TOKEN_INVALID')
      assert.deepEqual(answer.body, answers[0]?.body)
    }
    assert.equal(await test.newest(), undefined)
  })

  it('must say something, and not too much', async () => {
    await using test = await withFeed(engine)
    const { url } = await test.create()
    const post = async (body: unknown) => {
      const answer = failure(await test.server.visitor.post(url, body))
      assert.equal(failure(await test.server.visitor.post(`${url}/execute`, body)), answer)
      return answer
    }
    for (const nothing of [
      {},
      { body: '' },
      { body: ' \n' },
      { body: null },
      { body: null, embeds: [] },
      { embeds: null },
    ])
      assert.equal(await post(nothing), '400 EMPTY_MESSAGE')
    for (const wrong of [
      { body: 'x'.repeat(4001) },
      { body: 5 },
      { body: 'x', embeds: '[]' },
      { embeds: Array(11).fill({}) },
      { embeds: [{ color: -1 }] },
      [],
      'x',
    ])
      assert.equal(await post(wrong), '422 VALIDATION_ERROR')
    assert.equal(await test.newest(), undefined)
    assert.equal(await post({ body: '😀'.repeat(4000) }), '204 undefined')
  })

  it('is possible with the same token after a restart, and the log has not seen it', async () => {
    const { log, records } = keepingLog()
    await using test = await withFeed(engine, { log })
    const { url } = await test.create()
    const token = url.split('/').at(-1) ?? assert.fail()
    await test.server.visitor.post(url, { body: 5 })
    await test.server.close()
    await using again = await startTestServer(engine, { log, env: { VOX_DATABASE_URL: test.server.databaseUrl } })
    assert.equal((await again.visitor.post(url, { body: 'x' })).status, 204)
    assert.equal((await again.visitor.post(`${url}/execute`, { body: 'x' })).status, 204)
    assert.ok(records.length > 0)
    assert.ok(!JSON.stringify(records).includes(token))
  })
})

forEachEngine('the rate of webhooks', (engine) => {
  const env = { VOX_RATELIMIT_ENABLED: 'true', VOX_RATELIMIT_MESSAGES: '2:0.001', VOX_RATELIMIT_WEBHOOKS: '3:0.001' }
  const standing = (server: TestServer, url: string) => async () => {
    const answer = await server.visitor.post(url, { body: 'x' })
    return [answer.status, answer.headers.get('x-ratelimit-limit'), answer.headers.get('x-ratelimit-remaining')]
  }

  it('is that of messages, for each webhook by itself, whoever posts and by which address', async () => {
    await using test = await withFeed(engine, { env })
    const [one, two] = [await test.create(), await test.create()]
    const first = standing(test.server, one.url)
    assert.deepEqual(
      [await first(), await standing(test.server, `${one.url}/execute`)()],
      [
        [204, '2', '1'],
        [204, '2', '0'],
      ],
    )
    const refused = await test.ada.post(one.url.replace('/1/', '/01/'), { body: 'x' })
    assert.equal(failure(refused), '429 RATE_LIMITED')
    assert.ok(refused.body.error.retry_after_ms > 0)
    assert.deepEqual(await standing(test.server, two.url)(), [204, '2', '1'])
  })

  it('is not used up by wrong tokens: they cost the address that sends them', async () => {
    await using test = await withFeed(engine, { env })
    const { url, id } = await test.create()
    const wrong = standing(test.server, `/webhooks/${id}/x`)
    assert.deepEqual(
      [await wrong(), await wrong(), await wrong()],
      [
        [401, '3', '2'],
        [401, '3', '1'],
        [401, '3', '0'],
      ],
    )
    assert.deepEqual(
      [await wrong(), await standing(test.server, '/webhooks/99/x/execute')()],
      [
        [429, '3', '0'],
        [429, '3', '0'],
      ],
    )
    assert.deepEqual(await standing(test.server, url)(), [204, '2', '1'])
  })
})
