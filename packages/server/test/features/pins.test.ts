import assert from 'node:assert/strict'
import { it } from 'node:test'
import { TestClock } from '../support/clock.ts'
import { forEachEngine } from '../support/engines.ts'
import { connectAll } from '../support/gateway-client.ts'
import { failure, startTestServer, type TestServer } from '../support/server.ts'

async function withFeed(server: TestServer) {
  const [ada, bob] = [await server.register('ada'), await server.register('bob')]
  const { feed_id } = (await ada.post('/feeds', { name: 'general', type: 'text' })).body
  const feed = `/feeds/${feed_id}`
  const send = async (body: string): Promise<bigint> => (await bob.post(`${feed}/messages`, { body })).body.msg_id
  return { ada, bob, feed_id, feed, send }
}

forEachEngine('pins', (engine) => {
  it('are listed latest first with the second of the pin, threads included', async () => {
    const clock = new TestClock()
    await using server = await startTestServer(engine, { clock })
    const { ada, bob, feed_id, feed, send } = await withFeed(server)
    const first = await send('first')
    const { thread_id } = (await bob.post(`${feed}/threads`, { name: 'more', parent_msg_id: first })).body
    const second = (await bob.post(`${feed}/threads/${thread_id}/messages`, { body: 'second' })).body.msg_id
    for (const id of [second, first]) {
      assert.equal((await ada.put(`${feed}/pins/${id}`)).status, 204)
      clock.advance(1500)
    }
    const { messages } = (await bob.get(`${feed}/pins`)).body
    assert.deepEqual(
      messages.map(({ msg_id, thread_id: thread, feed_id: at }: Record<string, unknown>) => [msg_id, thread, at]),
      [
        [first, null, feed_id],
        [second, thread_id, feed_id],
      ],
    )
    const [latest, earlier] = messages
    assert.ok(Number.isInteger(latest.pinned_at) && latest.pinned_at < 2 ** 32)
    assert.ok(latest.pinned_at > earlier.pinned_at)
    assert.equal((await bob.get(`${feed}/messages/${first}`)).body.pinned_at, null)
    assert.equal((await ada.delete(`${feed}/pins/${first}`)).status, 204)
    assert.equal((await bob.get(`${feed}/pins`)).body.messages.length, 1)
  })

  it('are announced when something changes, and only then', async () => {
    await using server = await startTestServer(engine)
    const { ada, bob, feed_id, feed, send } = await withFeed(server)
    const msg_id = await send('look')
    const [reader] = await connectAll(server, bob)
    for (let i = 0; i < 2; i++) assert.equal((await ada.put(`${feed}/pins/${msg_id}`)).status, 204)
    assert.deepEqual(await reader?.told(), [['message_pin_update', { msg_id, feed_id, pinned: true }]])
    for (let i = 0; i < 2; i++) assert.equal((await ada.delete(`${feed}/pins/${msg_id}`)).status, 204)
    assert.equal((await ada.delete(`${feed}/pins/1`)).status, 204)
    assert.deepEqual(await reader?.told(), [['message_pin_update', { msg_id, feed_id, pinned: false }]])
  })

  it('are bounded in number, also when two come at once; a deleted message makes room', async () => {
    await using server = await startTestServer(engine, { env: { VOX_LIMIT_MAX_PINS_PER_FEED: '2' } })
    const { ada, feed, send } = await withFeed(server)
    const [a, b, c] = [await send('a'), await send('b'), await send('c')]
    await ada.put(`${feed}/pins/${a}`)
    const answers = await Promise.all([ada.put(`${feed}/pins/${b}`), ada.put(`${feed}/pins/${c}`)])
    assert.deepEqual(answers.map(({ status }) => status).sort(), [204, 400])
    const refused = answers.find(({ status }) => status === 400)
    assert.equal(refused && failure(refused), '400 PIN_LIMIT_REACHED')
    assert.equal((await ada.put(`${feed}/pins/${a}`)).status, 204)
    await ada.delete(`${feed}/messages/${a}`)
    assert.deepEqual(
      [(await ada.put(`${feed}/pins/${b}`)).status, (await ada.put(`${feed}/pins/${c}`)).status],
      [204, 204],
    )
  })

  it('need a message of the feed and the permission', async () => {
    await using server = await startTestServer(engine)
    const { ada, bob, feed, send } = await withFeed(server)
    const msg_id = await send('x')
    const other = (await ada.post('/feeds', { name: 'other', type: 'text' })).body.feed_id
    assert.equal(failure(await ada.put(`/feeds/${other}/pins/${msg_id}`)), '404 MESSAGE_NOT_FOUND')
    await ada.put(`${feed}/pins/${msg_id}`)
    assert.equal((await ada.delete(`/feeds/${other}/pins/${msg_id}`)).status, 204)
    assert.equal((await ada.get(`${feed}/pins`)).body.messages.length, 1, 'it stays pinned in its own feed')
    assert.equal(failure(await bob.put(`${feed}/pins/${msg_id}`)), '403 MISSING_PERMISSIONS')
    assert.equal(failure(await bob.delete(`${feed}/pins/${msg_id}`)), '403 MISSING_PERMISSIONS')
    assert.equal(failure(await ada.get('/feeds/4000/pins')), '404 SPACE_NOT_FOUND')
  })
})
