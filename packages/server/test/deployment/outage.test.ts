import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { findPostgres, startPostgres } from '../../../../scripts/postgres.ts'
import { eventually } from '../support/eventually.ts'
import { GatewayClient } from '../support/gateway-client.ts'
import { type Answer, type Client, startTestServer, type TestServer } from '../support/server.ts'

const WRITERS = 8
const READERS = 4
/** Messages before each stop, and after the last start. */
const ENOUGH = 40
/** Refusals of each kind during each stop. */
const SOME = 5

const programs = findPostgres()

/** Requests that never stop coming, and what became of them. */
class Load {
  readonly acknowledged = new Map<bigint, string>()
  readonly refused = { writes: 0, reads: 0 }
  /** Answers that are neither what was asked for nor a refusal as it should be. */
  readonly wrong: string[] = []
  readonly #client: Client
  readonly #running: Promise<unknown>
  #isOver = false

  constructor(client: Client) {
    this.#client = client
    const workers = [
      ...Array.from({ length: WRITERS }, (_, writer) => this.#write(writer)),
      ...Array.from({ length: READERS }, () => this.#read()),
    ]
    this.#running = Promise.all(workers)
  }

  async end(): Promise<void> {
    this.#isOver = true
    await this.#running
  }

  async #write(writer: number): Promise<void> {
    for (let n = 0; !this.#isOver; n++) {
      const text = `${writer} ${n}`
      const answer = await this.#client.post('/feeds/1/messages', { body: text })
      if (answer.status === 201) this.acknowledged.set(answer.body.msg_id, text)
      else if (this.#isRefusal(answer)) this.refused.writes++
      await sleep(2)
    }
  }

  async #read(): Promise<void> {
    while (!this.#isOver) {
      const answer = await this.#client.get('/feeds/1/messages?limit=1')
      if (answer.status !== 200 && this.#isRefusal(answer)) this.refused.reads++
      await sleep(2)
    }
  }

  #isRefusal({ status, body }: Answer): boolean {
    const { code, message } = body?.error ?? {}
    const isRight = status === 503 && code === 'INTERNAL_ERROR' && /database is unavailable/.test(message)
    if (!isRight) this.wrong.push(`${status} ${JSON.stringify(body)}`)
    return isRight
  }
}

const statusOf = async ({ visitor }: TestServer, path: string): Promise<number> =>
  (await visitor.raw('GET', path)).status

async function everyMessage(client: Client): Promise<Map<bigint, string>> {
  const all = new Map<bigint, string>()
  for (let before = ''; ; ) {
    const { messages } = (await client.get(`/feeds/1/messages?limit=100${before}`)).body
    if (messages.length === 0) return all
    for (const { msg_id: id, body } of messages) all.set(id, body)
    before = `&before=${messages.at(-1).msg_id}`
  }
}

describe('PostgreSQL stopped and started under load', { skip: !programs && 'PostgreSQL is not installed' }, () => {
  it('costs refusals, but no message, no restart and no session', { timeout: 60_000 }, async () => {
    // Whatever is acknowledged has to be there after a crash of PostgreSQL, as it is with the settings it comes with.
    await using instance = await startPostgres(programs ?? '', { synchronous_commit: 'on' })
    await using server = await startTestServer({ migratedUrl: async () => instance.url })
    const ada = await server.register('ada')
    const bob = await server.register('bob')
    await ada.post('/feeds', { name: 'general', type: 'text' })
    const listener = await GatewayClient.connect(server, bob)

    const load = new Load(ada)
    const untilMore = async (count: number) => {
      const goal = load.acknowledged.size + count
      await eventually(() => assert.ok(load.acknowledged.size >= goal))
    }
    for (const signal of ['SIGINT', 'SIGQUIT'] as const) {
      await untilMore(ENOUGH)
      const { writes, reads } = load.refused
      await instance.stop(signal)
      await eventually(async () => assert.equal(await statusOf(server, '/ready'), 503))
      await eventually(() => assert.ok(load.refused.writes > writes + SOME && load.refused.reads > reads + SOME))
      assert.equal(await statusOf(server, '/health'), 200)
      // Neither a token that cannot be looked up nor one that nobody has is called wrong.
      for (const client of [bob, server.visitor])
        assert.equal((await client.get('/users/@me', { authorization: `Bearer ${bob.token}x` })).status, 503)

      await instance.start()
      await eventually(async () => assert.equal(await statusOf(server, '/ready'), 200))
    }
    await untilMore(ENOUGH)
    await load.end()

    assert.deepEqual(load.wrong, [])
    const stored = await everyMessage(ada)
    for (const [id, text] of load.acknowledged) assert.equal(stored.get(id), text)
    // What was stored was told to who was there, in order and once.
    const told = (await listener.told()).filter(([type]) => type === 'message_create')
    assert.deepEqual(
      told.map(([, data]) => (data as { msg_id: bigint }).msg_id),
      [...stored.keys()].reverse(),
    )
    const answers = await Promise.all(Array.from({ length: 40 }, () => bob.get('/feeds/1/messages')))
    assert.ok(answers.every(({ status }) => status === 200))
  })
})
