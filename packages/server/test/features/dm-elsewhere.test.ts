import assert from 'node:assert/strict'
import { it } from 'node:test'
import { registerAll } from '../support/community.ts'
import { openPair, say, textsIn } from '../support/conversations.ts'
import { forEachEngine } from '../support/engines.ts'
import { uploadTextTo } from '../support/forms.ts'
import { connectAll } from '../support/gateway-client.ts'
import { failure, startTestServer } from '../support/server.ts'

forEachEngine('a search of one conversation', (engine) => {
  it('finds what its participants can read there, as it is now, and nothing from anywhere else', async () => {
    await using server = await startTestServer(engine)
    const [ada, bob, cleo] = await registerAll(server, 'ada', 'bob', 'cleo')
    const { feed_id } = (await ada.post('/feeds', { name: 'general', type: 'text' })).body
    await ada.post(`/feeds/${feed_id}/messages`, { body: 'tea in the feed' })
    const dm = await openPair(ada, bob)
    await say(ada, await openPair(ada, cleo), 'tea elsewhere')
    const messages = `/dms/${dm}/messages`
    const first = await say(ada, dm, 'green tea')
    await say(bob, dm, 'coffee')
    const edited = await say(bob, dm, 'milk')
    await bob.patch(`${messages}/${edited}`, { body: 'black tea' })
    await ada.post(messages, { opaque_blob: 'tea' })
    const file = await uploadTextTo(ada, `/dms/${dm}`)
    await ada.post(messages, { body: 'tea leaves', attachments: [file] })
    const find = async (query: string) =>
      (await bob.get(`/messages/search?dm_id=${dm}&${query}`)).body.results.map(({ body }: { body: string }) => body)
    assert.deepEqual(await find('query=tea'), ['tea leaves', 'black tea', 'green tea'])
    assert.deepEqual(await find(`query=tea&feed_id=${feed_id}`), ['tea leaves', 'black tea', 'green tea'])
    assert.deepEqual(await find('query=milk'), [])
    assert.deepEqual(await find('query=&has_file=true'), ['tea leaves'])
    assert.deepEqual(await find('query=tea&pinned=true'), [])
    assert.deepEqual(await find(`query=tea&after=${first}&author_id=${bob.userId}`), ['black tea'])
    assert.deepEqual(await find('query=tea&limit=1'), ['tea leaves'])
  })
})

forEachEngine('a report of a direct message', (engine) => {
  it('keeps the server’s copy of it, when a participant makes it', async () => {
    await using server = await startTestServer(engine)
    const [admin, ada, bob] = await registerAll(server, 'admin', 'ada', 'bob')
    const dm_id = await openPair(ada, bob)
    const msg_id = await say(bob, dm_id, 'nasty')
    const report = { reported_user_id: bob.userId, reason: 'spam', dm_id, msg_id }
    const { status, body } = await ada.post('/reports', report)
    assert.equal(status, 201)
    await bob.delete(`/dms/${dm_id}/messages/${msg_id}`)
    const kept = (await admin.get(`/reports/${body.report_id}`)).body
    assert.deepEqual([kept.dm_id, kept.feed_id, kept.msg_id], [dm_id, null, msg_id])
    assert.deepEqual(
      kept.evidence.map(({ body, verified }: Record<string, unknown>) => [body, verified]),
      [['nasty', true]],
    )
    assert.equal(failure(await admin.post('/reports', report)), '403 NOT_DM_PARTICIPANT')
  })
})

forEachEngine('a ban that deletes messages', (engine) => {
  it('leaves direct messages to their participants', async () => {
    await using server = await startTestServer(engine)
    const [admin, ada, bob] = await registerAll(server, 'admin', 'ada', 'bob')
    const dm = await openPair(ada, bob)
    await say(bob, dm, 'mine and yours')
    const [a] = await connectAll(server, ada)
    await admin.put(`/bans/${bob.userId}`, { delete_msg_days: 7 })
    assert.deepEqual(
      (await a?.told())?.map(([type]) => type),
      ['member_ban'],
    )
    assert.deepEqual(await textsIn(ada, dm), ['mine and yours'])
    await say(ada, dm, 'still here')
    assert.equal(failure(await bob.get(`/dms/${dm}/messages`)), '403 BANNED')
  })
})
