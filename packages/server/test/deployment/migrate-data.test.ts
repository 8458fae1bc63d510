import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { sql } from 'kysely'
import { migrateDatabase } from '../../src/db/open.ts'
import type { Schema } from '../../src/db/schema.ts'
import type { Step } from '../../src/transfer/copy.ts'
import { transfer } from '../../src/transfer/transfer.ts'
import { registerAll } from '../support/community.ts'
import { openTestDatabase } from '../support/database.ts'
import { type Engine, engines, forEachEngine, sqlite } from '../support/engines.ts'
import { fillTables } from '../support/fill-tables.ts'
import { startTestServer } from '../support/server.ts'
import { runSql } from '../support/sql.ts'
import { vox } from '../support/vox.ts'

/** How many messages a community has, and how many are enough to be interrupted at. */
const MANY = 100_000
const SOME = 10_000

const unwatched = () => {}

/** A current SQLite database with rows in every table, and gaps behind the last ids. */
async function filledDatabase(): Promise<{ url: string; tables: string[] }> {
  const url = await sqlite.freshUrl()
  await migrateDatabase(url)
  const tables = fillTables(url)
  await runSql(url, 'update sqlite_sequence set seq = seq + 5')
  return { url, tables }
}

/** Everything in these tables, in an order that both engines share. */
async function contents(url: string, tables: readonly string[]): Promise<Record<string, unknown[]>> {
  await using database = await openTestDatabase(url)
  const all: Record<string, unknown[]> = {}
  for (const table of tables) {
    const rows = await database.read
      .selectFrom(table as keyof Schema)
      .selectAll()
      .execute()
    all[table] = rows.map((row) => Object.entries(row).sort()).sort(by(String))
  }
  return all
}

const by =
  <T>(key: (value: T) => string) =>
  (one: T, other: T) =>
    key(one) < key(other) ? -1 : 1

async function tablesOf(url: string): Promise<string[]> {
  await using database = await openTestDatabase(url)
  const names =
    database.engine === 'sqlite'
      ? sql<{ name: string }>`select name from pragma_table_list
          where schema = 'main' and type = 'table' and substr(name, 1, 7) <> 'sqlite_' and name <> 'message_texts'`
      : sql<{ name: string }>`select tablename as name from pg_tables where schemaname = current_schema()`
  return (await names.execute(database.read)).rows.map(({ name }) => name).sort()
}

async function nextCategory(url: string): Promise<number> {
  await using database = await openTestDatabase(url)
  return database.write(async ({ db }) => {
    const category = { name: 'next', position: 0 }
    return (await db.insertInto('categories').values(category).returning('category_id').executeTakeFirstOrThrow())
      .category_id
  })
}

forEachEngine('a database copied from SQLite', (engine) => {
  it('has every row of every table, and issues no id twice', async () => {
    const { url, tables } = await filledDatabase()
    const target = await engine.freshUrl()
    const copied = await transfer(url, target, unwatched)
    assert.deepEqual(await tablesOf(target), [...tables, 'vox_migrations'].sort())
    assert.deepEqual(copied.map(({ table }) => table).sort(), tables.sort())
    assert.ok(copied.every(({ rows }) => rows === 3))
    assert.deepEqual(await contents(target, tables), await contents(url, tables))
    assert.equal(await nextCategory(target), await nextCategory(url))
  })

  it('comes back to SQLite as it was', async () => {
    const { url, tables } = await filledDatabase()
    const [target, back] = [await engine.freshUrl(), await sqlite.freshUrl()]
    await transfer(url, target, unwatched)
    await transfer(target, back, unwatched)
    assert.deepEqual(await contents(back, tables), await contents(url, tables))
    assert.equal(await nextCategory(back), await nextCategory(url))
  })

  it('serves the same people and messages', async () => {
    const [source, target] = [await sqlite.freshUrl(), await engine.freshUrl()]
    const tokens = await populatedServer(source)
    await runSql(source, messages(MANY))
    await transfer(source, target, unwatched)

    const before = await answers(sqlite, source, tokens)
    const after = await answers(engine, target, tokens)
    assert.deepEqual(after, before)
  })

  it('goes on where it was interrupted, and is no database for a server before it is complete', async () => {
    const [source, target] = [await sqlite.freshUrl(), await engine.freshUrl()]
    await populatedServer(source)
    await runSql(source, messages(SOME))
    const interrupted = transfer(source, target, ({ table, done }) => {
      if (table === 'messages' && done > SOME / 2) throw new Error('interrupted')
    })
    await assert.rejects(interrupted, /interrupted/)
    await assert.rejects(startTestServer(engine, { env: { VOX_DATABASE_URL: target } }), /not complete: .*migrate-data/)

    const steps: Step[] = []
    await transfer(source, target, (step) => steps.push(step))
    const first = steps.find(({ work }) => work === 'copying')
    assert.ok(first?.table === 'messages' && first.done > SOME / 2)
    assert.deepEqual(await contents(target, ['messages']), await contents(source, ['messages']))
    await (await startTestServer(engine, { env: { VOX_DATABASE_URL: target } })).close()
  })

  it('goes into an empty database only', async () => {
    const { url } = await filledDatabase()
    const migrated = await engine.freshUrl()
    await migrateDatabase(migrated)
    await transfer(url, migrated, unwatched)
    await assert.rejects(transfer(url, migrated, unwatched), /holds data already/)
    const foreign = await engine.freshUrl()
    await runSql(foreign, 'create table wp_posts (id integer)')
    await assert.rejects(transfer(url, foreign, unwatched), /tables of another program \(wp_posts\)/)
  })

  it('is not mixed with another one', async () => {
    const [one, other] = [await filledDatabase(), await filledDatabase()]
    const target = await engine.freshUrl()
    await assert.rejects(
      transfer(one.url, target, () => {
        throw new Error('interrupted')
      }),
      /interrupted/,
    )
    await assert.rejects(transfer(other.url, target, unwatched), /part of another database/)
  })

  it('does not pass for complete when the source has changed meanwhile', async () => {
    const { url } = await filledDatabase()
    const target = await engine.freshUrl()
    const interrupted = transfer(url, target, ({ work }) => {
      if (work === 'comparing') throw new Error('interrupted')
    })
    await assert.rejects(interrupted, /interrupted/)
    await runSql(url, `update users set bio = 'new' where user_id = 1001`)
    await assert.rejects(transfer(url, target, unwatched), /table users is not the same .*3 and 3 rows/)
    await runSql(url, 'delete from audit_log', `update users set bio = null where user_id = 1001`)
    await assert.rejects(transfer(url, target, unwatched), /The table \w+ is not the same/)
  })

  it('is left alone while a server runs on either side', async () => {
    const { url } = await filledDatabase()
    const target = await engine.freshUrl()
    {
      await using _ = await openTestDatabase(url)
      await assert.rejects(transfer(url, target, unwatched), /another Vox process is using this database/)
    }
    await using _ = await openTestDatabase(target)
    await assert.rejects(transfer(url, target, unwatched), /another Vox process is using this database/)
  })
})

describe('vox migrate-data', () => {
  it('says what it did, table by table', async () => {
    const [source, target] = [(await filledDatabase()).url, await (engines.at(-1) ?? sqlite).freshUrl()]
    const { status, out, err } = await vox(['migrate-data', '--from', source, '--to', target])
    assert.deepEqual([status, err], [0, ''])
    assert.match(out, /^TABLE +ROWS +SHA-256\n/)
    assert.match(out, /^users +3 +[0-9a-f]{64}$/m)
    assert.match(out, /\nEvery row is the same on both sides\. .*\n$/)
  })

  it('refuses what it cannot copy in a sentence', async () => {
    const { url } = await filledDatabase()
    const fresh = await sqlite.freshUrl()
    const outdated = await sqlite.freshUrl()
    await migrateDatabase(outdated)
    await runSql(outdated, 'delete from vox_migrations where version > 1')
    for (const [args, expected] of [
      [[], /^vox: --from is missing\. .*\n$/],
      [['--from', url], /^vox: --to is missing\. .*\n$/],
      [['--from', 'mysql://root:secret@localhost/vox', '--to', fresh], /^vox: --from is "mysql:\/\/root:\*\*\*@.*\n$/],
      [['--from', fresh, '--to', url], /^vox: There is no Vox database at .*\n$/],
      [['--from', url, '--to', 'sqlite://'], /^vox: A database in memory .*\n$/],
      [['--from', outdated, '--to', fresh], /^vox: The database at .* is of an older version: .*vox migrate.*\n$/],
    ] as const) {
      const { status, out, err } = await vox(['migrate-data', ...args])
      assert.ok(status === 1 || status === 2)
      assert.equal(out, '')
      assert.match(err, expected)
    }
  })
})

/** A statement that adds so many messages to the first feed. */
const messages = (count: number): string => `
  with recursive counter(n) as (select 1 union all select n + 1 from counter where n < ${count})
  insert into messages (msg_id, feed_id, author_id, body)
  select (1700000000000 << 22) + n, 1, 1, 'message ' || n from counter`

/** Leaves a database with two people, a feed, and a role; gives the people's tokens. */
async function populatedServer(url: string): Promise<string[]> {
  await using server = await startTestServer(sqlite, { env: { VOX_DATABASE_URL: url } })
  const [ada, bob] = await registerAll(server, 'ada', 'bob')
  await ada.post('/feeds', { name: 'general', type: 'text' })
  await bob.post('/feeds/1/messages', { body: 'the last one' })
  return [ada, bob].map(({ token = '' }) => token)
}

/** What a server on this database tells these people. */
async function answers(engine: Engine, url: string, tokens: readonly string[]) {
  await using server = await startTestServer(engine, { env: { VOX_DATABASE_URL: url } })
  const { visitor } = server
  const ask = async (token: string, path: string) => {
    const { status, body } = await visitor.get(path, { authorization: `Bearer ${token}` })
    assert.equal(status, 200, path)
    return body
  }
  const told: unknown[] = []
  for (const token of tokens)
    for (const path of ['/users/@me', '/server/layout', '/roles', '/feeds/1/messages?limit=100'])
      told.push(await ask(token, path))
  return told
}
