import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync, writeFileSync } from 'node:fs'
import { createInterface } from 'node:readline'
import { describe, it } from 'node:test'
import { ERRORS, type ErrorCode } from '@vox/protocol'
import { ENDPOINTS } from '@vox/protocol/endpoints'
import { createBot, registerCommands } from '../../support/bots.ts'
import { CALLBACKS } from '../../support/callback-server.ts'
import { createFeed, registerAll } from '../../support/community.ts'
import { sqlite } from '../../support/engines.ts'
import { eventually } from '../../support/eventually.ts'
import { freshPath } from '../../support/folder.ts'
import { GatewayClient } from '../../support/gateway-client.ts'
import { type Client, startTestServer } from '../../support/server.ts'

const PAGE = readFileSync(new URL('../../../../../docs/bots.md', import.meta.url), 'utf8')

/** The program that the page shows under this file name. */
function program(name: string): string {
  const [, code] = new RegExp(`^\`\`\`js\n// ${name}\n(.*?)^\`\`\`$`, 'ms').exec(PAGE) ?? []
  assert.ok(code, name)
  return code
}

/** Runs a program of the page, in a process of its own with nothing but these variables; its first line of output. */
async function run(name: string, variables: Record<string, string>) {
  const path = freshPath('.mjs')
  writeFileSync(path, program(name))
  const child = spawn(process.execPath, [path], { env: variables, stdio: ['ignore', 'pipe', 'inherit'] })
  const [line] = await once(createInterface(child.stdout), 'line')
  return {
    line: String(line),
    async [Symbol.asyncDispose]() {
      child.kill()
      if (child.exitCode === null && child.signalCode === null) await once(child, 'exit')
    },
  }
}

interface Message {
  msg_id: bigint
  body: string
  author_id: number
  components: { type: string; custom_id: string }[]
}

/** The messages of a feed, oldest first, once there are so many. */
function messagesOf(client: Client, path: string, count: number): Promise<Message[]> {
  return eventually(async () => {
    const { messages } = (await client.get(path)).body
    assert.equal(messages.length, count)
    return messages.toReversed()
  })
}

describe('docs/bots.md', () => {
  it('shows a bot that works over the gateway', async () => {
    await using server = await startTestServer(sqlite)
    const [ada, bob] = await registerAll(server, 'ada', 'bob')
    const path = `/feeds/${await createFeed(ada)}/messages`
    const dice = await createBot(ada, 'dice')
    await using bot = await run('gateway-bot.mjs', { VOX_URL: server.url, VOX_TOKEN: dice.token ?? '' })
    assert.equal(bot.line, 'ready')
    const session = await GatewayClient.connect(server, bob)
    await bob.post(path, { body: '/roll sides=1' })
    const [rolled] = await messagesOf(bob, path, 1)
    assert.deepEqual([rolled?.body, rolled?.author_id], ['You rolled 1.', dice.userId])
    assert.equal(rolled?.components[0]?.custom_id, 'again')
    const press = (message: Message | undefined, component_id: string, values?: string[]) =>
      bob.post('/interactions/component', { msg_id: message?.msg_id, component_id, values })
    assert.equal((await press(rolled, 'again')).status, 204)
    const [, again] = await messagesOf(bob, path, 2)
    assert.match(again?.body ?? '', /^You rolled [1-6]\.$/)
    await bob.post(path, { body: '/colour' })
    const [, , asked] = await messagesOf(bob, path, 3)
    await session.told()
    assert.equal((await press(asked, 'colour', ['blue'])).status, 204)
    const whispered = await eventually(async () => {
      const [[, data] = []] = await session.told()
      assert.ok(data)
      return data as Record<string, unknown>
    })
    assert.deepEqual([whispered.body, whispered.ephemeral], ['So you like blue.', true])
    await messagesOf(bob, path, 3)
  })

  it('shows a bot that starts again with its commands registered', async () => {
    await using server = await startTestServer(sqlite)
    const ada = await server.register('ada')
    const dice = await createBot(ada, 'dice')
    for (let i = 0; i < 2; i++) {
      await using bot = await run('gateway-bot.mjs', { VOX_URL: server.url, VOX_TOKEN: dice.token ?? '' })
      assert.equal(bot.line, 'ready')
    }
    assert.equal((await ada.get('/commands')).body.commands.length, 2)
  })

  it('shows a bot that works behind a URL, and listens to the server alone', async () => {
    await using server = await startTestServer(sqlite, { env: CALLBACKS })
    const [ada, bob] = await registerAll(server, 'ada', 'bob')
    const path = `/feeds/${await createFeed(ada)}/messages`
    const coin = await createBot(ada, 'coin')
    await registerCommands(coin, 'flip', 'other')
    await using bot = await run('http-bot.mjs', { PORT: '0', INTERACTION_SECRET: coin.secret })
    const url = `http://127.0.0.1:${/\d+$/.exec(bot.line)?.[0]}/`
    assert.equal((await coin.patch('/bots/@me', { interaction_url: url })).status, 200)
    await bob.post(path, { body: '/flip' })
    const [flipped] = await messagesOf(bob, path, 1)
    assert.match(flipped?.body ?? '', /^(Heads|Tails)!$/)
    await bob.post('/interactions/component', { msg_id: flipped?.msg_id, component_id: 'flip-again' })
    await bob.post(path, { body: '/other' })
    await messagesOf(bob, path, 2)
    const stamp = String(Math.floor(Date.now() / 1000))
    for (const headers of [{}, { 'x-vox-timestamp': stamp, 'x-vox-signature': `v1=${'0'.repeat(64)}` }])
      assert.equal((await fetch(url, { method: 'POST', headers, body: '{}' })).status, 401)
  })

  it('names every path of bots, and only errors that there are', () => {
    const { bots, commands, interactions } = ENDPOINTS
    for (const { path } of Object.values({ ...bots, ...commands, ...interactions })) {
      if (path === '/interactions/component') continue // for clients of people
      assert.ok(PAGE.includes(path.replace(':user_id', '{user_id}').replace(':interaction_id', '{id}')), path)
    }
    for (const [, status, code = ''] of PAGE.matchAll(/`(\d{3}) ([A-Z_]+)`/g))
      assert.equal(ERRORS[code as ErrorCode]?.status, Number(status), code)
  })
})
