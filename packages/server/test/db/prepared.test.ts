import assert from 'node:assert/strict'
import { after, before, it } from 'node:test'
import { sql } from 'kysely'
import type { Database } from '../../src/db/database.ts'
import { among, prepared } from '../../src/db/prepared.ts'
import { addFeed, addMessage, openTestDatabase } from '../support/database.ts'
import { forEachEngine } from '../support/engines.ts'

forEachEngine('a prepared query', (engine) => {
  let database: Database
  let feed_id: number
  let built = 0
  const olderThan = prepared((db, p: { feed_id: number; before: bigint; limit: number }) => {
    built++
    return db
      .selectFrom('messages')
      .select(['msg_id', 'body'])
      .where('feed_id', '=', p.feed_id)
      .where('msg_id', '<', p.before)
      .orderBy('msg_id', 'desc')
      .limit(p.limit)
  })

  before(async () => {
    database = await openTestDatabase(await engine.freshUrl())
    feed_id = await database.write(async (tx) => {
      const feed_id = await addFeed(tx)
      for (const msg_id of [1n, 2n, 2n ** 62n]) await addMessage(tx, { msg_id, feed_id, body: `body ${msg_id}` })
      return feed_id
    })
  })
  after(() => database.close())

  it('is built once, whatever the parameters and wherever it runs', async () => {
    const ids = async (before: bigint, limit: number, db = database.read) => {
      const rows = await olderThan(db, { feed_id, before, limit })
      return rows.map((row) => row.msg_id satisfies bigint)
    }
    assert.deepEqual(await ids(2n ** 63n - 1n, 10), [2n ** 62n, 2n, 1n])
    assert.deepEqual(await ids(2n ** 62n, 10), [2n, 1n])
    assert.deepEqual(await ids(2n ** 62n, 1), [2n])
    assert.deepEqual(await database.write(({ db }) => ids(2n, 10, db)), [1n])
    assert.equal(built, 1)
  })

  it('is built once for each set of optional parameters that are given', async () => {
    const found = prepared((db, p: { feed_id: number; body?: string | undefined }) => {
      built++
      const messages = db.selectFrom('messages').select('msg_id').where('feed_id', '=', p.feed_id).orderBy('msg_id')
      return p.body === undefined ? messages : messages.where('body', '=', p.body)
    })
    built = 0
    const ids = async (body?: string) => (await found(database.read, { feed_id, body })).map(({ msg_id }) => msg_id)
    assert.deepEqual(await ids(), [1n, 2n, 2n ** 62n])
    assert.deepEqual(await ids('body 2'), [2n])
    assert.deepEqual(await ids('body 1'), [1n])
    assert.deepEqual(await ids(), [1n, 2n, 2n ** 62n])
    assert.equal(built, 2)
  })

  it('takes a list as one parameter, whatever its length', async () => {
    const some = prepared((db, p: { ids: readonly bigint[] }) => {
      built++
      return db
        .selectFrom('messages')
        .select('msg_id')
        .where(among(db, sql.ref('msg_id'), p.ids))
        .orderBy('msg_id')
    })
    built = 0
    const ids = async (...list: bigint[]) => (await some(database.read, { ids: list })).map(({ msg_id }) => msg_id)
    assert.deepEqual(await ids(), [])
    assert.deepEqual(await ids(2n), [2n])
    assert.deepEqual(await ids(2n ** 62n, 7n, 2n ** 63n - 1n, 1n, 1n), [1n, 2n ** 62n])
    assert.equal(built, 1)
  })

  it('takes texts in a list as they are', async () => {
    const named = prepared((db, p: { names: readonly string[] }) =>
      db
        .selectFrom('feeds')
        .select('name')
        .where(among(db, sql.ref('name'), p.names)),
    )
    const found = (...names: string[]) => named(database.read, { names })
    assert.deepEqual(await found('"', "'", '\\', '{}', 'feed', 'a,b'), [{ name: 'feed' }])
    assert.deepEqual(await found('1'), [])
  })

  it('writes as well', async () => {
    const edit = prepared((db, p: { msg_id: bigint; body: string | null }) =>
      db.updateTable('messages').set({ body: p.body }).where('msg_id', '=', p.msg_id).returning('body'),
    )
    for (const body of ['edited', null, "it's"])
      assert.deepEqual(await database.write(({ db }) => edit(db, { msg_id: 1n, body })), [{ body }])
  })

  it('refuses to be built from what a parameter is', async () => {
    const faulty = prepared((db, p: { limit: number }) =>
      db
        .selectFrom('users')
        .selectAll()
        .limit(p.limit + 1),
    )
    await assert.rejects(faulty(database.read, { limit: 1 }), /the parameter limit .* has no value/)
  })

  if (engine.name === 'postgres')
    it('is parsed by the server once per connection', async () => {
      const names = sql<{ name: string }>`select name from pg_prepared_statements where statement like '%server_marks%'`
      const marks = prepared((db, p: { name: string }) =>
        db.selectFrom('server_marks').selectAll().where('name', '=', p.name),
      )
      const { rows } = await database.write(async ({ db }) => {
        await marks(db, { name: 'a' })
        await marks(db, { name: 'b' })
        return names.execute(db)
      })
      assert.match(rows.map(({ name }) => name).join(), /^vox_\d+$/)
    })
})
