import assert from 'node:assert/strict'
import { it } from 'node:test'
import { forEachEngine } from '../support/engines.ts'
import { connectAll } from '../support/gateway-client.ts'
import { failure, startTestServer } from '../support/server.ts'

forEachEngine('deleting messages in bulk', (engine) => {
  it('deletes those of the feed, tells of exactly these, and is audited', async () => {
    await using server = await startTestServer(engine)
    const [ada, bob] = [await server.register('ada'), await server.register('bob')]
    const feeds: number[] = []
    for (const name of ['one', 'two']) feeds.push((await ada.post('/feeds', { name, type: 'text' })).body.feed_id)
    const [one, two] = feeds
    const send = async (feed: unknown) => (await bob.post(`/feeds/${feed}/messages`, { body: 'x' })).body.msg_id
    const [a, b, kept, foreign] = [await send(one), await send(one), await send(one), await send(two)]
    const [reader] = await connectAll(server, bob)
    const erase = (msg_ids: unknown[]) => ada.post(`/feeds/${one}/messages/bulk-delete`, { msg_ids })
    assert.equal((await erase([b, a, String(a), foreign, 17])).status, 204)
    assert.deepEqual(await reader?.told(), [['message_bulk_delete', { feed_id: one, msg_ids: [a, b] }]])
    assert.deepEqual(
      (await bob.get(`/feeds/${one}/messages`)).body.messages.map(({ msg_id }: { msg_id: bigint }) => msg_id),
      [kept],
    )
    assert.equal((await bob.get(`/feeds/${two}/messages/${foreign}`)).status, 200)
    for (const nothing of [[], [17], [a]]) assert.equal((await erase(nothing)).status, 204)
    assert.deepEqual(await reader?.told(), [])
    const { entries } = (await ada.get('/audit-log?event_type=message.bulk_delete')).body
    assert.deepEqual(
      entries.map(({ actor_id, metadata }: Record<string, unknown>) => [actor_id, metadata]),
      [[ada.userId, { feed_id: one, msg_ids: [a, b] }]],
    )
  })

  it('is bounded, and for moderators of the feed', async () => {
    await using server = await startTestServer(engine)
    const [ada, bob] = [await server.register('ada'), await server.register('bob')]
    const { feed_id } = (await ada.post('/feeds', { name: 'one', type: 'text' })).body
    const path = `/feeds/${feed_id}/messages/bulk-delete`
    const ids = (count: number) => ({ msg_ids: Array.from({ length: count }, (_, i) => i + 1) })
    assert.equal((await ada.post(path, ids(100))).status, 204)
    assert.equal(failure(await ada.post(path, ids(101))), '422 VALIDATION_ERROR')
    assert.equal(failure(await ada.post(path, {})), '422 VALIDATION_ERROR')
    assert.equal(failure(await bob.post(path, ids(1))), '403 MISSING_PERMISSIONS')
    assert.equal(failure(await ada.post('/feeds/4000/messages/bulk-delete', ids(1))), '404 SPACE_NOT_FOUND')
  })
})
