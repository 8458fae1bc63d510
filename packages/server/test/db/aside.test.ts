import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import { sql } from 'kysely'
import { AsideReader } from '../../src/db/aside.ts'
import { type Database, DatabaseUnavailable } from '../../src/db/database.ts'
import { queriesOver } from '../../src/db/dialect.ts'
import { addFeed, addMessage, openTestDatabase } from '../support/database.ts'
import { forEachEngine } from '../support/engines.ts'
import { freshPath } from '../support/folder.ts'

const counting = (to: number) =>
  sql<{ last: number }>`with recursive numbers (n) as (select 1 union all select n + 1 from numbers where n < ${to})
    select max(n) as last from numbers`

forEachEngine('reading aside', (engine) => {
  let database: Database
  before(async () => {
    database = await openTestDatabase(await engine.freshUrl())
  })
  after(() => database.close())

  it('sees what has been committed, in the types of its columns', async () => {
    await database.write(async (tx) => {
      const feed_id = await addFeed(tx)
      await addMessage(tx, { msg_id: 2n ** 62n, feed_id, body: 'hello' })
    })
    const read = database.readAside.selectFrom('messages').select(['msg_id', 'feed_id', 'body', 'edit_timestamp'])
    assert.deepEqual(await read.where('msg_id', '=', 2n ** 62n).execute(), [
      { msg_id: 2n ** 62n, feed_id: 1, body: 'hello', edit_timestamp: null },
    ])
  })

  it('holds up no other reader, however long it takes', async () => {
    const order: string[] = []
    const long = counting(1_000_000)
      .execute(database.readAside)
      .then(() => order.push('long'))
    await counting(10).execute(database.read)
    order.push('short')
    await long
    assert.deepEqual(order, ['short', 'long'])
  })

  it('answers each question with its own answer, and goes on after one that is wrong', async () => {
    const answers = await Promise.allSettled([
      counting(5).execute(database.readAside),
      sql`select nothing from nowhere`.execute(database.readAside),
      counting(7).execute(database.readAside),
    ])
    assert.deepEqual(
      answers.map((answer) => (answer.status === 'fulfilled' ? answer.value.rows : 'refused')),
      [[{ last: 5 }], 'refused', [{ last: 7 }]],
    )
    const [, refused] = answers
    assert.ok(refused?.status === 'rejected' && !(refused.reason instanceof DatabaseUnavailable))
  })

  it('writes nothing', async () => {
    await assert.rejects(sql`insert into server_marks values ('aside')`.execute(database.readAside))
  })
})

describe('reading an SQLite file aside', () => {
  it('is unavailable while the file cannot be opened, and asks again the next time', async () => {
    await using reader = new AsideReader(`${freshPath()}/missing.db`)
    const read = queriesOver('sqlite', reader.execute)
    for (let time = 0; time < 2; time++) await assert.rejects(counting(1).execute(read), DatabaseUnavailable)
  })

  it('leaves no question without an answer when it is closed', async () => {
    const reader = new AsideReader(freshPath('.db'))
    const waiting = counting(1).execute(queriesOver('sqlite', reader.execute))
    await Promise.all([assert.rejects(waiting, DatabaseUnavailable), reader[Symbol.asyncDispose]()])
  })
})
