import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { engines, sqlite } from '../support/engines.ts'
import { eventually } from '../support/eventually.ts'
import { proxied } from '../support/proxied-database.ts'
import { failure, startTestServer } from '../support/server.ts'

const postgres = engines.find(({ name }) => name === 'postgres')

describe('while the database is away', { skip: !postgres && 'there is no PostgreSQL' }, () => {
  it('the server lives, says so, refuses in the envelope, and comes back by itself', async () => {
    const { proxy, url } = await proxied(postgres ?? sqlite)
    await using _ = proxy
    await using server = await startTestServer(postgres ?? sqlite, { env: { VOX_DATABASE_URL: url } })
    const ada = await server.register('ada')
    await ada.post('/feeds', { name: 'general', type: 'text' })
    const { body: sent } = await ada.post('/feeds/1/messages', { body: 'before' })
    const probe = async (path: string) => {
      const { status, body } = await server.visitor.raw('GET', path)
      return { status, body }
    }

    await proxy.disconnect()
    assert.deepEqual(await probe('/ready'), { status: 503, body: { status: 'unavailable' } })
    assert.deepEqual(await probe('/health'), { status: 200, body: { status: 'ok' } })
    assert.equal(failure(await ada.post('/feeds/1/messages', { body: 'meanwhile' })), '503 INTERNAL_ERROR')
    assert.equal(failure(await ada.get('/feeds/1/messages')), '503 INTERNAL_ERROR')
    assert.equal((await server.visitor.get('/gateway')).status, 200)

    await proxy.connect()
    await eventually(async () => assert.equal((await probe('/ready')).status, 200))
    assert.equal((await ada.post('/feeds/1/messages', { body: 'after' })).status, 201)
    const { body } = await ada.get('/feeds/1/messages')
    assert.deepEqual(
      body.messages.map((message: { body: string }) => message.body),
      ['after', 'before'],
    )
    assert.equal(body.messages[1].msg_id, sent.msg_id)
  })
})
