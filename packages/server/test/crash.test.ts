import assert from 'node:assert/strict'
import { it } from 'node:test'
import { forEachEngine } from './support/engines.ts'
import { spawnServer, stop } from './support/process.ts'
import { Client, PASSWORD } from './support/server.ts'

const CRASHES = 3
const WRITERS = 8
const MESSAGES_BEFORE_CRASH = 150

forEachEngine('a server killed while messages are posted', (engine) => {
  it('has every acknowledged message once, and never gives an id twice', { timeout: 120_000 }, async () => {
    const env = { VOX_DATABASE_URL: await engine.freshUrl() }
    const acknowledged = new Map<bigint, string>()
    let token: string | undefined

    for (let crash = 0; crash < CRASHES; crash++) {
      const server = await spawnServer(env)
      token ??= await founder(server.url)
      await postUntilKilled(new Client(server.url, token), acknowledged, () => stop(server, 'SIGKILL'))
    }

    const server = await spawnServer(env)
    const stored = await everyMessage(new Client(server.url, token))
    await stop(server, 'SIGTERM')
    assert.ok(acknowledged.size >= CRASHES * MESSAGES_BEFORE_CRASH)
    for (const [id, body] of acknowledged) assert.equal(stored.get(id), body)
    // Beyond those there may be messages whose answer the crash swallowed: at most one for each writer and crash.
    assert.ok(stored.size - acknowledged.size <= CRASHES * WRITERS)
  })
})

async function founder(url: string): Promise<string> {
  const visitor = new Client(url)
  const { body } = await visitor.post('/auth/register', { username: 'ada', password: PASSWORD })
  await new Client(url, body.token).post('/feeds', { name: 'general', type: 'text' })
  return body.token
}

/** Several writers post until the server dies under them; what it acknowledged is noted. */
async function postUntilKilled(client: Client, acknowledged: Map<bigint, string>, kill: () => Promise<void>) {
  const enough = acknowledged.size + MESSAGES_BEFORE_CRASH
  let killed: Promise<void> | undefined
  const writer = async (name: number) => {
    for (let n = 0; ; n++) {
      const text = `${name} ${n} ${acknowledged.size}`
      const answer = await client.post('/feeds/1/messages', { body: text }).catch(() => undefined)
      if (!answer) return
      assert.equal(answer.status, 201)
      assert.ok(!acknowledged.has(answer.body.msg_id), 'an id was given twice')
      acknowledged.set(answer.body.msg_id, text)
      if (acknowledged.size >= enough) killed ??= kill()
    }
  }
  await Promise.all(Array.from({ length: WRITERS }, (_, name) => writer(name)))
  await killed
}

async function everyMessage(client: Client): Promise<Map<bigint, string>> {
  const all = new Map<bigint, string>()
  for (let before = ''; ; ) {
    const { body } = await client.get(`/feeds/1/messages?limit=100${before}`)
    if (body.messages.length === 0) return all
    for (const { msg_id, body: text } of body.messages) {
      assert.ok(!all.has(msg_id), 'a message is listed twice')
      all.set(msg_id, text)
    }
    before = `&before=${body.messages.at(-1).msg_id}`
  }
}
