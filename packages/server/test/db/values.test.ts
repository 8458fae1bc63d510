import assert from 'node:assert/strict'
import { after, before, it } from 'node:test'
import { sql } from 'kysely'
import type { Database } from '../../src/db/database.ts'
import { largestSnowflake } from '../../src/db/snowflakes.ts'
import { addFeed, addMessage, addRole, addUser, openTestDatabase } from '../support/database.ts'
import { forEachEngine } from '../support/engines.ts'

const MAX_INT64 = 2n ** 63n - 1n

forEachEngine('values', (engine) => {
  let database: Database
  before(async () => {
    database = await openTestDatabase(await engine.freshUrl())
  })
  after(() => database.close())

  it('64-bit columns keep every digit', async () => {
    for (const permissions of [MAX_INT64, 2n ** 53n + 1n, 1n, 0n]) {
      const role_id = await database.write((tx) => addRole(tx, { permissions }))
      const role = await database.read
        .selectFrom('roles')
        .selectAll()
        .where('role_id', '=', role_id)
        .where('permissions', '=', permissions)
        .executeTakeFirstOrThrow()
      assert.equal(role.permissions, permissions)
      assert.equal(role.role_id, role_id)
    }
  })

  it('other numbers are numbers, counts, sums, averages and maxima included', async () => {
    const created_at = Date.UTC(2026, 0, 1)
    await database.write((tx) => addUser(tx, 'counted', { created_at }))
    const row = await database.read
      .selectFrom('users')
      .select(({ fn }) => [
        fn.countAll<number>().as('count'),
        fn.sum<number>('user_id').as('sum'),
        fn.max('created_at').as('created_at'),
        fn.avg<number>(sql<number>`user_id - user_id + 1.5`).as('average'),
      ])
      .where('username', '=', 'counted')
      .executeTakeFirstOrThrow()
    assert.equal(row.count, 1)
    assert.equal(typeof row.sum, 'number')
    assert.equal(row.created_at, created_at)
    assert.equal(row.average, 1.5)
  })

  it('a computed column has the type of its name', async () => {
    const { rows } = await sql`
      select ${sql.lit(7)} + 0 as msg_id, count(*) as count, null as allow from server_marks`.execute(database.read)
    assert.deepEqual(rows, [{ msg_id: 7n, count: 0, allow: null }])
  })

  it('a number column refuses to lose digits', async () => {
    const user_id = await database.write((tx) => addUser(tx, 'precise', {}))
    const tooLarge = sql<number>`user_id + ${2n ** 53n}`
    await assert.rejects(
      database.read.selectFrom('users').select(tooLarge.as('sum')).where('user_id', '=', user_id).execute(),
      RangeError,
    )
  })

  it('ids may be as large as the wire allows, and are then simply not found', async () => {
    const rows = await database.read.selectFrom('users').selectAll().where('user_id', '=', 4_294_967_295).execute()
    assert.deepEqual(rows, [])
  })

  it('booleans are booleans', async () => {
    const role_id = await database.write((tx) => addRole(tx, { hoist: true }))
    const role = database.read.selectFrom('roles').select(['hoist', 'mentionable', 'builtin']).where('hoist', '=', true)
    assert.deepEqual(await role.where('role_id', '=', role_id).executeTakeFirst(), {
      hoist: true,
      mentionable: false,
      builtin: false,
    })
  })

  it('nulls are nulls', async () => {
    const feed_id = await database.write((tx) => addFeed(tx))
    await database.write((tx) => addMessage(tx, { msg_id: 10n, feed_id }))
    const message = database.read.selectFrom('messages').select(['author_id', 'body', 'reply_to', 'edit_timestamp'])
    assert.deepEqual(await message.where('msg_id', '=', 10n).execute(), [
      { author_id: null, body: null, reply_to: null, edit_timestamp: null },
    ])
  })

  it('text comes back as it was, emoji and 200 kB of it', async () => {
    const feed_id = await database.write((tx) => addFeed(tx))
    const bodies = ['', '👩🏽‍🚀 naïve ﬁ \\ \' " % _ \n\t', '🦊'.repeat(50_000)]
    for (const [index, body] of bodies.entries())
      await database.write((tx) => addMessage(tx, { msg_id: BigInt(20 + index), feed_id, body }))
    const rows = await database.read
      .selectFrom('messages')
      .select('body')
      .where('feed_id', '=', feed_id)
      .orderBy('msg_id')
      .execute()
    assert.deepEqual(
      rows.map(({ body }) => body),
      bodies,
    )
  })

  it('text is ordered by its bytes', async () => {
    const names = ['B', 'a', 'Z', '_', 'é', '10', '9', '🦊', '\uffee']
    for (const name of names) await database.write((tx) => tx.db.insertInto('server_marks').values({ name }).execute())
    const rows = await database.read.selectFrom('server_marks').select('name').orderBy('name').execute()
    const byBytes = names.toSorted((a, b) => Buffer.compare(Buffer.from(a), Buffer.from(b)))
    assert.deepEqual(
      rows.map(({ name }) => name),
      byBytes,
    )
  })

  it('the number of rows changed is told', async () => {
    await database.write((tx) => addUser(tx, 'changing', {}))
    const change = (username: string) =>
      database.write((tx) =>
        tx.db.updateTable('users').set({ bio: 'x' }).where('username', '=', username).executeTakeFirst(),
      )
    assert.equal((await change('changing')).numUpdatedRows, 1n)
    assert.equal((await change('nobody')).numUpdatedRows, 0n)
  })

  it('many different queries do no harm', async () => {
    for (let length = 1; length <= 600; length++) {
      const ids = Array.from({ length }, (_, index) => -1 - index)
      assert.deepEqual(
        await database.read.selectFrom('users').select('user_id').where('user_id', 'in', ids).execute(),
        [],
      )
    }
  })
})

forEachEngine('the largest snowflake', (engine) => {
  it('is 0 in an empty database and else the largest of all three tables', async () => {
    await using database = await openTestDatabase(await engine.freshUrl())
    assert.equal(await largestSnowflake(database.read), 0n)
    const feed_id = await database.write((tx) => addFeed(tx))
    await database.write((tx) => addMessage(tx, { msg_id: MAX_INT64 - 3n, feed_id }))
    assert.equal(await largestSnowflake(database.read), MAX_INT64 - 3n)
    await database.write((tx) =>
      tx.db
        .insertInto('event_log')
        .values({ event_id: MAX_INT64 - 2n, type: 'x', payload: '{}' })
        .execute(),
    )
    assert.equal(await largestSnowflake(database.read), MAX_INT64 - 2n)
    await database.write((tx) =>
      tx.db
        .insertInto('audit_log')
        .values({ entry_id: MAX_INT64 - 1n, event_type: 'x' })
        .execute(),
    )
    assert.equal(await largestSnowflake(database.read), MAX_INT64 - 1n)
  })
})
