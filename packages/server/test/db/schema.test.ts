import assert from 'node:assert/strict'
import { after, before, it } from 'node:test'
import type { Insertable } from 'kysely'
import type { Database } from '../../src/db/database.ts'
import type { Dms, PermissionOverrides, Schema } from '../../src/db/schema.ts'
import { addFeed, addMessage, addRole, addUser, openTestDatabase } from '../support/database.ts'
import { forEachEngine } from '../support/engines.ts'

forEachEngine('the schema', (engine) => {
  let database: Database
  before(async () => {
    database = await openTestDatabase(await engine.freshUrl())
  })
  after(() => database.close())

  const count = async (table: keyof Schema) => {
    const query = database.read.selectFrom(table).select(({ fn }) => fn.countAll<number>().as('count'))
    return (await query.executeTakeFirstOrThrow()).count
  }
  const addRoom = () =>
    database.write(async ({ db }) => {
      const room = db.insertInto('rooms').values({ name: 'room', type: 'voice', position: 0 })
      return (await room.returning('room_id').executeTakeFirstOrThrow()).room_id
    })
  const addOverride = (override: Partial<Insertable<PermissionOverrides>>) =>
    database.write(({ db }) =>
      db
        .insertInto('permission_overrides')
        .values({ allow: 1n, deny: 2n, ...override })
        .execute(),
    )

  it('begins every counter at 1', async () => {
    assert.equal(await database.write((tx) => addUser(tx, 'first')), 1)
    assert.equal(await database.write((tx) => addRole(tx)), 1)
    assert.equal(await database.write((tx) => addRole(tx)), 2)
    assert.equal(await database.write((tx) => addFeed(tx)), 1)
  })

  it('never issues an id again, not even that of the highest row', async () => {
    const highest = await database.write((tx) => addFeed(tx))
    await database.write(({ db }) => db.deleteFrom('feeds').execute())
    assert.ok((await database.write((tx) => addFeed(tx))) > highest)
  })

  it('keeps names of local users apart, and those of remote ones per home', async () => {
    const add = (username: string, home_domain: string | null) =>
      database.write((tx) => addUser(tx, username, { home_domain, federated: home_domain !== null }))
    await add('grace', null)
    await add('grace', 'a.example')
    await add('grace', 'b.example')
    await assert.rejects(add('grace', null), /unique/i)
    await assert.rejects(add('grace', 'a.example'), /unique/i)
  })

  it('keeps references whole', async () => {
    await assert.rejects(
      database.write((tx) => addMessage(tx, { msg_id: 1n, feed_id: 999 })),
      /foreign key/i,
    )
  })

  it('takes numbers in number columns only', async () => {
    const position = 'high' as unknown as number
    await assert.rejects(database.write((tx) => addFeed(tx, { position })))
  })

  it('deletes messages and overrides with their feed, and leaves replies to what is gone', async () => {
    const feed_id = await database.write((tx) => addFeed(tx))
    const other = await database.write((tx) => addFeed(tx))
    const role_id = await database.write((tx) => addRole(tx))
    await addOverride({ feed_id, role_id })
    await database.write((tx) => addMessage(tx, { msg_id: 100n, feed_id }))
    await database.write((tx) => addMessage(tx, { msg_id: 101n, feed_id: other, reply_to: 100n }))
    await database.write(({ db }) => db.deleteFrom('feeds').where('feed_id', '=', feed_id).execute())
    const messages = await database.read.selectFrom('messages').select(['msg_id', 'reply_to']).execute()
    assert.deepEqual(messages, [{ msg_id: 101n, reply_to: 100n }])
    assert.equal(await count('permission_overrides'), 0)
  })

  it('deletes assignments and overrides with their role', async () => {
    const role_id = await database.write((tx) => addRole(tx))
    const user_id = await database.write((tx) => addUser(tx, 'assigned'))
    const room_id = await addRoom()
    await database.write(({ db }) => db.insertInto('role_members').values({ role_id, user_id }).execute())
    await addOverride({ room_id, role_id })
    await database.write(({ db }) => db.deleteFrom('roles').where('role_id', '=', role_id).execute())
    assert.equal(await count('role_members'), 0)
    assert.equal(await count('permission_overrides'), 0)
  })

  it('takes spaces out of a category that is deleted', async () => {
    const { category_id } = await database.write(({ db }) =>
      db.insertInto('categories').values({ name: 'c', position: 0 }).returning('category_id').executeTakeFirstOrThrow(),
    )
    const feed_id = await database.write((tx) => addFeed(tx, { category_id }))
    await database.write(({ db }) => db.deleteFrom('categories').execute())
    const feed = database.read.selectFrom('feeds').select('category_id').where('feed_id', '=', feed_id)
    assert.deepEqual(await feed.execute(), [{ category_id: null }])
  })

  it('has exactly one space and one target per override, and one override per pair', async () => {
    const feed_id = await database.write((tx) => addFeed(tx))
    const room_id = await addRoom()
    const role_id = await database.write((tx) => addRole(tx))
    const user_id = await database.write((tx) => addUser(tx, 'target'))
    const pairs = [
      { feed_id, role_id },
      { feed_id, user_id },
      { room_id, role_id },
      { room_id, user_id },
    ]
    for (const pair of pairs) await addOverride(pair)
    for (const pair of pairs) await assert.rejects(addOverride(pair), /unique/i)
    for (const wrong of [{}, { feed_id }, { role_id }, { feed_id, room_id, role_id }, { feed_id, role_id, user_id }])
      await assert.rejects(addOverride(wrong), /check/i)
  })

  it('has one conversation per pair of users, and either a feed or a conversation per message', async () => {
    const [lower_user_id, higher_user_id] = [
      await database.write((tx) => addUser(tx, 'lower')),
      await database.write((tx) => addUser(tx, 'higher')),
    ]
    const addDm = (pair: Partial<Insertable<Dms>>) =>
      database.write(async ({ db }) => {
        const dm = db.insertInto('dms').values({ created_at: 0, ...pair })
        return (await dm.returning('dm_id').executeTakeFirstOrThrow()).dm_id
      })
    const dm_id = await addDm({ lower_user_id, higher_user_id })
    await assert.rejects(addDm({ lower_user_id, higher_user_id }), /unique/i)
    await assert.rejects(addDm({ lower_user_id: higher_user_id, higher_user_id: lower_user_id }), /check/i)
    await assert.rejects(addDm({ lower_user_id }), /check/i)
    for (let group = 0; group < 2; group++) await addDm({})
    const feed_id = await database.write((tx) => addFeed(tx))
    for (const home of [{}, { feed_id, dm_id }])
      await assert.rejects(
        database.write((tx) => addMessage(tx, { msg_id: 200n, ...home })),
        /check/i,
      )
    await database.write((tx) => addMessage(tx, { msg_id: 200n, dm_id }))
    await database.write(({ db }) => db.deleteFrom('dms').where('dm_id', '=', dm_id).execute())
    const left = database.read.selectFrom('messages').select('msg_id').where('msg_id', '=', 200n)
    assert.deepEqual(await left.execute(), [])
  })

  it('keeps log rows of spaces that are gone', async () => {
    const feed_id = await database.write((tx) => addFeed(tx))
    await database.write(({ db }) =>
      db.insertInto('event_log').values({ event_id: 5n, type: 'feed_update', payload: '{}', feed_id }).execute(),
    )
    await database.write(({ db }) => db.deleteFrom('feeds').execute())
    const rows = await database.read.selectFrom('event_log').select(['event_id', 'feed_id']).execute()
    assert.deepEqual(rows, [{ event_id: 5n, feed_id }])
  })
})
