import assert from 'node:assert/strict'
import { it } from 'node:test'
import { forEachEngine } from '../support/engines.ts'
import { connectAll } from '../support/gateway-client.ts'
import { startTestServer } from '../support/server.ts'

forEachEngine('an edited message', (engine) => {
  it('is told to those who see the feed, with what replaced its content', async () => {
    await using server = await startTestServer(engine)
    const [ada, bob, cleo] = [await server.register('ada'), await server.register('bob'), await server.register('cleo')]
    const { feed_id } = (await ada.post('/feeds', { name: 'general', type: 'text' })).body
    await ada.put(`/feeds/${feed_id}/permissions/user/${cleo.userId}`, { allow: 0, deny: 1 })
    const { msg_id } = (await bob.post(`/feeds/${feed_id}/messages`, { body: 'tea' })).body
    const [reader, stranger] = await connectAll(server, ada, cleo)
    const { edit_timestamp } = (await bob.patch(`/feeds/${feed_id}/messages/${msg_id}`, { body: 'coffee' })).body
    assert.deepEqual(await reader?.told(), [['message_update', { msg_id, feed_id, body: 'coffee', edit_timestamp }]])
    assert.deepEqual(await stranger?.told(), [])
  })
})
