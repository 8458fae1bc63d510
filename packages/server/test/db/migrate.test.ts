import assert from 'node:assert/strict'
import { existsSync, readFileSync } from 'node:fs'
import { describe, it } from 'node:test'
import { SchemaRefused } from '../../src/db/migrate.ts'
import { foundation } from '../../src/db/migrations/001-foundation.ts'
import { directMessages } from '../../src/db/migrations/009-direct-messages.ts'
import { relayBacklogs } from '../../src/db/migrations/013-relay-backlogs.ts'
import { shownFiles } from '../../src/db/migrations/016-shown-files.ts'
import { MIGRATIONS } from '../../src/db/migrations/index.ts'
import type { Migration } from '../../src/db/migrations/migration.ts'
import { migrateDatabase, pendingMigrations } from '../../src/db/open.ts'
import { parseDatabaseUrl } from '../../src/db/url.ts'
import { addUser, openTestDatabase } from '../support/database.ts'
import { forEachEngine, sqlite } from '../support/engines.ts'
import { keepingLog } from '../support/log.ts'
import { startTestServer } from '../support/server.ts'
import { runSql } from '../support/sql.ts'

const ALL = MIGRATIONS.map(({ name }) => name)

/** Adds a table of its own name. */
const adding = (name: string): Migration => ({
  name,
  up: (ddl) => ddl.createTable(name).addColumn('n', ddl.integer).execute(),
})

const failing: Migration = {
  name: 'failing',
  async up(ddl) {
    await adding('half').up(ddl)
    throw new Error('broken')
  },
}

forEachEngine('migrations', (engine) => {
  it('give an empty database the whole schema', async () => {
    const url = await engine.freshUrl()
    assert.deepEqual(await pendingMigrations(url), ALL)
    assert.deepEqual(await migrateDatabase(url), ALL)
    assert.deepEqual(await pendingMigrations(url), [])
  })

  it('run by themselves when the database is opened, and leave it untouched the second time', async () => {
    const url = await engine.freshUrl()
    {
      await using database = await openTestDatabase(url)
      await database.write((tx) => addUser(tx, 'ada'))
    }
    assert.deepEqual(await migrateDatabase(url), [])
    await using database = await openTestDatabase(url)
    const users = await database.read.selectFrom('users').select('username').execute()
    assert.deepEqual(users, [{ username: 'ada' }])
  })

  it('bring an older database up to date, in order', async () => {
    const url = await engine.freshUrl()
    await migrateDatabase(url, [foundation])
    const newer = [foundation, adding('second'), adding('third')]
    assert.deepEqual(await pendingMigrations(url, newer), ['second', 'third'])
    const announced: string[] = []
    assert.deepEqual(await migrateDatabase(url, newer, (name) => announced.push(name)), ['second', 'third'])
    assert.deepEqual(announced, ['second', 'third'])
    assert.deepEqual(await pendingMigrations(url, newer), [])
    await runSql(url, 'insert into second values (1)', 'insert into third values (1)')
  })

  it('are named in the log of a server that starts with them, unless there is nothing to convert yet', async () => {
    const url = await engine.freshUrl()
    await migrateDatabase(url, MIGRATIONS.slice(0, -2))
    const converted = async (env: Record<string, string>) => {
      const { records, log } = keepingLog()
      await (await startTestServer(engine, { env, log })).close()
      return records.flatMap(({ migration }) => migration ?? [])
    }
    assert.deepEqual(await converted({ VOX_DATABASE_URL: url }), ALL.slice(-2))
    assert.deepEqual(await converted({ VOX_DATABASE_URL: await engine.freshUrl() }), [])
  })

  it('take over the messages of feeds when conversations come', async () => {
    const url = await engine.freshUrl()
    await migrateDatabase(url, MIGRATIONS.slice(0, MIGRATIONS.indexOf(directMessages)))
    await runSql(
      url,
      "insert into feeds (name, type, position) values ('general', 'text', 0)",
      "insert into messages (msg_id, feed_id, body) values (7, 1, 'old')",
    )
    await migrateDatabase(url)
    await using database = await openTestDatabase(url)
    const messages = database.read.selectFrom('messages').select(['msg_id', 'feed_id', 'dm_id', 'body'])
    assert.deepEqual(await messages.execute(), [{ msg_id: 7n, feed_id: 1, dm_id: null, body: 'old' }])
  })

  it('still know whom relays wait for when only the first of them is remembered', async () => {
    const url = await engine.freshUrl()
    await migrateDatabase(url, MIGRATIONS.slice(0, MIGRATIONS.indexOf(relayBacklogs)))
    await runSql(
      url,
      "insert into users (user_id, username, username_key, created_at) values (1, 'a', 'a', 0), (2, 'b', 'b', 0)",
      ...[5, 6, 7].map(
        (id) => `insert into relays (relay_id, mls_type, sender_id, data) values (${id}, 'commit', 1, '')`,
      ),
      `insert into relay_recipients (user_id, relay_id, sender_id, waiting)
        values (1, 5, 1, FALSE), (2, 5, 1, FALSE), (2, 6, 1, TRUE), (2, 7, 1, TRUE)`,
    )
    await migrateDatabase(url)
    await using database = await openTestDatabase(url)
    const backlogs = await database.read.selectFrom('relay_backlogs').selectAll().execute()
    assert.deepEqual(backlogs, [{ user_id: 2, first_missed: 6n }])
  })

  it('put what messages show of their files into the messages', async () => {
    const url = await engine.freshUrl()
    await migrateDatabase(url, MIGRATIONS.slice(0, MIGRATIONS.indexOf(shownFiles)))
    const file = (id: string, width: number | null) =>
      `insert into files (file_id, name, size, mime, url, uploader_id, created_at, width)
        values ('${id}', 'a "tea".png', 3, 'image/png', '/f/${id}', 1, 5999, ${width})`
    await runSql(
      url,
      "insert into users (user_id, username, username_key, created_at) values (1, 'a', 'a', 0)",
      "insert into feeds (name, type, position) values ('general', 'text', 0)",
      "insert into messages (msg_id, feed_id, body) values (7, 1, 'two'), (8, 1, 'none')",
      file('x', null),
      file('y', 640),
      "insert into message_attachments (msg_id, file_id, position) values (7, 'x', 1), (7, 'y', 0)",
    )
    await migrateDatabase(url)
    await using database = await openTestDatabase(url)
    const rows = await database.read.selectFrom('messages').select('files').orderBy('msg_id').execute()
    const shown = { name: 'a "tea".png', size: 3, mime: 'image/png', uploader_id: 1, height: null, created_at: 5 }
    assert.deepEqual(
      rows.map(({ files }) => JSON.parse(files ?? 'null')),
      [
        [
          { ...shown, file_id: 'y', url: '/f/y', width: 640 },
          { ...shown, file_id: 'x', url: '/f/x', width: null },
        ],
        null,
      ],
    )
  })

  it('that fail leave nothing behind, and what came before them stays', async () => {
    const url = await engine.freshUrl()
    await migrateDatabase(url, [foundation])
    const steps = [foundation, adding('second'), failing, adding('fourth')]
    await assert.rejects(migrateDatabase(url, steps), /broken/)
    assert.deepEqual(await pendingMigrations(url, steps), ['failing', 'fourth'])
    await assert.rejects(runSql(url, 'select * from half'))
    await runSql(url, 'select * from second')
  })

  it('that fail on an empty database leave it empty', async () => {
    const url = await engine.freshUrl()
    await assert.rejects(migrateDatabase(url, [foundation, failing]), /broken/)
    assert.deepEqual(await migrateDatabase(url, [foundation]), ['001-foundation'])
  })

  it('refuse a database of a newer version', async () => {
    const url = await engine.freshUrl()
    await migrateDatabase(url, [...MIGRATIONS, adding('future')])
    const refused = (error: unknown) => error instanceof SchemaRefused && /newer Vox/.test(error.message)
    await assert.rejects(openTestDatabase(url), refused)
    await assert.rejects(migrateDatabase(url), refused)
    await assert.rejects(pendingMigrations(url), refused)
  })

  it('refuse a database of another program and do not change it', async () => {
    const url = await engine.freshUrl()
    await runSql(url, 'create table invoices (n integer)')
    const refused = (error: unknown) => error instanceof SchemaRefused && error.message.includes('(invoices)')
    await assert.rejects(openTestDatabase(url), refused)
    await assert.rejects(migrateDatabase(url), refused)
    await assert.rejects(pendingMigrations(url), refused)
    await assert.rejects(runSql(url, 'select * from vox_migrations'))
  })
})

describe('migrations of a database file', () => {
  it('that are only asked for create no file', async () => {
    const url = await sqlite.freshUrl()
    assert.deepEqual(await pendingMigrations(url), ALL)
    assert.equal(existsSync(fileOf(url)), false)
    assert.deepEqual(await pendingMigrations('sqlite+aiosqlite://'), ALL)
  })

  it('leave the file of another program as it is, to the last byte', async () => {
    const url = await sqlite.freshUrl()
    await runSql(url, 'create table invoices (n integer)')
    const before = readFileSync(fileOf(url))
    await assert.rejects(openTestDatabase(url), SchemaRefused)
    assert.deepEqual(readFileSync(fileOf(url)), before)
  })

  it('say which file cannot be opened', async () => {
    const url = `sqlite+aiosqlite:///${fileOf(await sqlite.freshUrl())}/no/such/folder.db`
    await assert.rejects(migrateDatabase(url), /cannot open the database file .*\/no\/such\/folder\.db/)
  })
})

function fileOf(url: string): string {
  const target = parseDatabaseUrl(url)
  assert.ok(target.engine === 'sqlite' && target.path !== null)
  return target.path
}
