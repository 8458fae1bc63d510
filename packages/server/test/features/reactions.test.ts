import assert from 'node:assert/strict'
import { it } from 'node:test'
import { forEachEngine } from '../support/engines.ts'
import { connectAll } from '../support/gateway-client.ts'
import { failure, startTestServer, type TestServer } from '../support/server.ts'

const THUMB = encodeURIComponent('👍')

/** Ada, who may do everything, and Bob, with a message of Ada's. */
async function withMessage(server: TestServer) {
  const [ada, bob] = [await server.register('ada'), await server.register('bob')]
  const { feed_id } = (await ada.post('/feeds', { name: 'general', type: 'text' })).body
  const { msg_id } = (await ada.post(`/feeds/${feed_id}/messages`, { body: 'hi' })).body
  return { ada, bob, feed_id, msg_id, path: `/feeds/${feed_id}/messages/${msg_id}/reactions` }
}

forEachEngine('reactions', (engine) => {
  it('are listed by emoji, both in the order in which people reacted', async () => {
    await using server = await startTestServer(engine)
    const { ada, bob, path } = await withMessage(server)
    const wave = 'custom:wave:17'
    for (const [client, emoji] of [
      [bob, wave],
      [ada, THUMB],
      [ada, wave],
      [bob, 'thumbsup'],
    ] as const)
      assert.equal((await client.put(`${path}/${emoji}`)).status, 204)
    assert.deepEqual((await bob.get(path)).body, {
      reactions: [
        { emoji: wave, user_ids: [bob.userId, ada.userId] },
        { emoji: '👍', user_ids: [ada.userId] },
        { emoji: 'thumbsup', user_ids: [bob.userId] },
      ],
    })
    assert.equal((await bob.delete(`${path}/${wave}`)).status, 204)
    assert.deepEqual((await bob.get(path)).body.reactions[1], { emoji: wave, user_ids: [ada.userId] })
    assert.equal((await ada.delete(`${path}/${wave}`)).status, 204)
    assert.equal((await bob.get(path)).body.reactions.length, 2)
  })

  it('reach those who see the feed, and the author; once', async () => {
    await using server = await startTestServer(engine)
    const { ada, bob, feed_id, msg_id, path } = await withMessage(server)
    const [author, actor] = await connectAll(server, ada, bob)
    const reaction = { msg_id, user_id: bob.userId, emoji: '👍', feed_id }
    for (let i = 0; i < 2; i++) assert.equal((await bob.put(`${path}/${THUMB}`)).status, 204)
    assert.deepEqual(await actor?.told(), [['message_reaction_add', reaction]])
    assert.deepEqual(await author?.told(), [
      ['message_reaction_add', reaction],
      [
        'notification_create',
        { user_id: ada.userId, type: 'reaction', feed_id, msg_id, actor_id: bob.userId, body_preview: '👍' },
      ],
    ])
    for (let i = 0; i < 2; i++) assert.equal((await bob.delete(`${path}/${THUMB}`)).status, 204)
    assert.deepEqual(await author?.told(), [['message_reaction_remove', reaction]])
    await ada.put(`${path}/${THUMB}`)
    assert.deepEqual(
      (await author?.told())?.map(([type]) => type),
      ['message_reaction_add'],
    )
  })

  it('do not notify an author who has blocked the one who reacts', async () => {
    await using server = await startTestServer(engine)
    const { ada, bob, path } = await withMessage(server)
    assert.ok((await ada.put(`/users/@me/blocks/${bob.userId}`)).status < 300)
    const [author] = await connectAll(server, ada)
    await bob.put(`${path}/${THUMB}`)
    assert.deepEqual(
      (await author?.told())?.map(([type]) => type),
      ['message_reaction_add'],
    )
  })

  it('need a message, a bounded emoji and the permissions', async () => {
    await using server = await startTestServer(engine)
    const { ada, bob, feed_id, path } = await withMessage(server)
    const other = (await ada.post('/feeds', { name: 'other', type: 'text' })).body.feed_id
    const elsewhere = path.replace(`/feeds/${feed_id}/`, `/feeds/${other}/`)
    for (const client of [ada, bob]) {
      assert.equal(failure(await client.put(`${elsewhere}/x`)), '404 MESSAGE_NOT_FOUND')
      assert.equal(failure(await client.delete(`${elsewhere}/x`)), '404 MESSAGE_NOT_FOUND')
      assert.equal(failure(await client.get(elsewhere)), '404 MESSAGE_NOT_FOUND')
    }
    assert.equal((await bob.put(`${path}/${'x'.repeat(255)}`)).status, 204)
    assert.equal(failure(await bob.put(`${path}/${'x'.repeat(256)}`)), '422 VALIDATION_ERROR')
    for (let i = 1; i < 100; i++) assert.equal((await ada.put(`${path}/e${i}`)).status, 204)
    assert.equal(failure(await ada.put(`${path}/one-more`)), '400 INVALID_OPERATION')
    assert.equal((await bob.put(`${path}/e1`)).status, 204)
  })

  it('go with their message', async () => {
    await using server = await startTestServer(engine)
    const { ada, bob, path } = await withMessage(server)
    await bob.put(`${path}/x`)
    assert.equal((await ada.delete(path.replace('/reactions', ''))).status, 204)
    assert.equal(failure(await bob.get(path)), '404 MESSAGE_NOT_FOUND')
  })
})
