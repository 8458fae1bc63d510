import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { describe, it } from 'node:test'
import { Permission } from '@vox/protocol'
import { parseDatabaseUrl, type SqliteTarget } from '../../src/db/url.ts'
import { TestClock } from '../support/clock.ts'
import { type Engine, forEachEngine, sqlite } from '../support/engines.ts'
import { eventually } from '../support/eventually.ts'
import { uploadText } from '../support/forms.ts'
import { type Client, failure, startTestServer, type TestServer } from '../support/server.ts'
import { countRows, runSql } from '../support/sql.ts'

async function withFeed(server: TestServer) {
  const [ada, bob] = [await server.register('ada'), await server.register('bob')]
  const { feed_id } = (await ada.post('/feeds', { name: 'general', type: 'text' })).body
  return { ada, bob, feed_id: feed_id as number, feed: `/feeds/${feed_id}` }
}

async function send(client: Client, feed: string, body: string): Promise<bigint> {
  const { status, body: sent } = await client.post(`${feed}/messages`, { body })
  assert.equal(status, 201)
  return sent.msg_id
}

/** Texts of what a search finds. */
async function find(client: Client, query: string): Promise<string[]> {
  const { status, body } = await client.get(`/messages/search?${query}`)
  assert.equal(status, 200, JSON.stringify(body))
  return body.results.map((message: { body: string }) => message.body)
}

const saying = (text: string) => `query=${encodeURIComponent(text)}`

forEachEngine('a search', (engine: Engine) => {
  it('finds words, newest first, and pages with before', async () => {
    await using server = await startTestServer(engine)
    const { bob, feed } = await withFeed(server)
    for (const text of ['tea one', 'coffee', 'tea two', 'tea three']) await send(bob, feed, text)
    assert.deepEqual(await find(bob, saying('tea')), ['tea three', 'tea two', 'tea one'])
    const { results } = (await bob.get('/messages/search?q=tea&limit=2')).body
    assert.deepEqual(
      results.map(({ body }: { body: string }) => body),
      ['tea three', 'tea two'],
    )
    assert.deepEqual(await find(bob, `q=tea&before=${results[1].msg_id}`), ['tea one'])
    assert.deepEqual(await find(bob, `q=tea&after=${results[1].msg_id}`), ['tea three'])
    assert.deepEqual(await find(bob, 'query=coffee&q=tea'), ['coffee'])
  })

  it('finds common and rare words in a long history, page by page', async () => {
    await using server = await startTestServer(engine)
    const { bob, feed_id } = await withFeed(server)
    await runSql(
      server.databaseUrl,
      `with recursive numbers (n) as (select cast(1 as bigint) union all select n + 1 from numbers where n < 2500)
       insert into messages (msg_id, feed_id, author_id, body)
       select n, ${feed_id}, 1, case when n % 1200 = 7 then 'rare tea' else 'common tea' end from numbers`,
    )
    const ids = async (query: string) =>
      (await bob.get(`/messages/search?${query}`)).body.results.map(({ msg_id }: { msg_id: number }) => msg_id)
    assert.deepEqual(await ids('query=rare'), [2407, 1207, 7])
    assert.deepEqual(await ids('query=rare&limit=2'), [2407, 1207])
    assert.deepEqual(await ids('query=rare&before=1207'), [7])
    assert.deepEqual(await ids('query=rare&after=7'), [2407, 1207])
    assert.deepEqual(await ids(`query=rare&feed_id=${feed_id}&author_id=1`), [2407, 1207, 7])
    assert.deepEqual(await ids('query=tea&limit=3&before=502'), [501, 500, 499])
    assert.deepEqual(await ids('query=coffee'), [])
  })

  it('finds the few that meet all conditions where many meet each', async () => {
    await using server = await startTestServer(engine)
    const { ada, bob, feed_id } = await withFeed(server)
    const other = (await ada.post('/feeds', { name: 'other', type: 'text' })).body.feed_id
    const numbers = `with recursive numbers (n) as (select cast(1 as bigint) union all select n + 1 from numbers where n < 1200)`
    await runSql(
      server.databaseUrl,
      `${numbers} insert into messages (msg_id, feed_id, author_id, body, embeds)
       select n, case when n = 5 then ${other} else ${feed_id} end, ${ada.userId}, 'tea', case when n % 2 = 0 then '[]' end
       from numbers`,
      `${numbers} insert into messages (msg_id, feed_id, author_id, body)
       select 2000 + n, ${other}, ${bob.userId}, 'tea' from numbers`,
      "update messages set files = '[]' where msg_id <= 600 or msg_id > 2600",
    )
    const ids = async (query: string) =>
      (await bob.get(`/messages/search?q=&${query}`)).body.results.map(({ msg_id }: { msg_id: number }) => msg_id)
    const byAda = `author_id=${ada.userId}`
    assert.deepEqual(await ids(`${byAda}&feed_id=${other}`), [5])
    assert.deepEqual(await ids(`${byAda}&feed_id=${other}&has_file=true`), [5])
    assert.deepEqual(await ids(`${byAda}&feed_id=${other}&has_file=false`), [])
    assert.deepEqual(await ids(`${byAda}&feed_id=${other}&after=5`), [])
    assert.deepEqual(await ids(`${byAda}&feed_id=${other}&before=6&after=4`), [5])
    assert.deepEqual(await ids(`${byAda}&feed_id=${feed_id}&before=4`), [3, 2, 1])
    assert.deepEqual(await ids(`${byAda}&has_embed=true&limit=2`), [1200, 1198])
    assert.deepEqual(await ids(`${byAda}&has_file=true&limit=2`), [600, 599])
    assert.deepEqual(await ids(`has_embed=true&has_file=true&limit=2`), [600, 598])
    assert.deepEqual(await ids(`has_embed=true&has_file=true&before=4`), [2])
    assert.deepEqual(await ids(`has_embed=true&feed_id=${other}`), [])
    assert.deepEqual(await ids(`author_id=${bob.userId}&feed_id=${feed_id}`), [])
    assert.deepEqual(await ids(`has_file=true&before=2602`), [2601, ...Array.from({ length: 24 }, (_, i) => 600 - i)])
  })

  it('finds what is in the index, what is not yet, and what has been changed in either', async () => {
    const clock = new TestClock()
    await using server = await startTestServer(engine, { clock })
    const { bob, feed } = await withFeed(server)
    const ids: bigint[] = []
    for (const text of ['tea one', 'tea two', 'tea three']) ids.push(await send(bob, feed, text))
    const indexed = async () => {
      if (engine.name === 'postgres') return
      clock.advance(1000)
      await eventually(async () =>
        assert.deepEqual(
          await countRows(
            server.databaseUrl,
            'select 1 from message_texts where msg_id not in (select id from message_search_docsize)',
          ),
          [0],
        ),
      )
    }
    await indexed()
    await send(bob, feed, 'tea four')
    assert.deepEqual(await find(bob, 'q=tea'), ['tea four', 'tea three', 'tea two', 'tea one'])
    assert.deepEqual(await find(bob, 'q=tea&limit=2'), ['tea four', 'tea three'])
    assert.deepEqual(await find(bob, `q=tea&before=${ids[1]}`), ['tea one'])
    await bob.patch(`${feed}/messages/${ids[1]}`, { body: 'coffee two' })
    await bob.patch(`${feed}/messages/${ids[2]}`, { body: 'coffee three' })
    assert.deepEqual(await find(bob, 'q=tea'), ['tea four', 'tea one'])
    assert.deepEqual(await find(bob, 'q=coffee'), ['coffee three', 'coffee two'])
    await bob.delete(`${feed}/messages/${ids[0]}`)
    await indexed()
    assert.deepEqual(await find(bob, 'q=tea'), ['tea four'])
    assert.deepEqual(await find(bob, 'q=coffee'), ['coffee three', 'coffee two'])
  })

  it('follows edits and deletions', async () => {
    await using server = await startTestServer(engine)
    const { ada, bob, feed } = await withFeed(server)
    const [edited, deleted, erased] = [
      await send(bob, feed, 'apple pie'),
      await send(bob, feed, 'apple juice'),
      await send(bob, feed, 'apple tree'),
    ]
    await bob.patch(`${feed}/messages/${edited}`, { body: 'cherry pie' })
    await bob.delete(`${feed}/messages/${deleted}`)
    await ada.post(`${feed}/messages/bulk-delete`, { msg_ids: [erased] })
    assert.deepEqual(await find(bob, saying('apple')), [])
    assert.deepEqual(await find(bob, saying('cherry')), ['cherry pie'])
    await ada.delete(feed)
    assert.deepEqual(await find(bob, saying('cherry')), [])
  })

  it('narrows by author, thread, files, pins and feed, with or without a text', async () => {
    await using server = await startTestServer(engine)
    const { ada, bob, feed, feed_id } = await withFeed(server)
    const other = (await ada.post('/feeds', { name: 'other', type: 'text' })).body.feed_id
    const pinned = await send(ada, feed, 'tea by ada')
    await ada.put(`${feed}/pins/${pinned}`)
    const { thread_id } = (await ada.post(`${feed}/threads`, { name: 'more', parent_msg_id: pinned })).body
    await bob.post(`${feed}/threads/${thread_id}/messages`, { body: 'tea in a thread' })
    const files = []
    for (let i = 0; i < 3; i++) files.push(await uploadText(ada, feed_id))
    await ada.post(`${feed}/messages`, { body: 'tea with files', attachments: files })
    await send(bob, `/feeds/${other}`, 'tea elsewhere')
    assert.deepEqual(await find(bob, `q=tea&author_id=${ada.userId}`), ['tea with files', 'tea by ada'])
    assert.deepEqual(await find(bob, 'q=tea&author_id=4000'), [])
    assert.deepEqual(await find(bob, `q=tea&thread_id=${thread_id}`), ['tea in a thread'])
    assert.deepEqual(await find(bob, 'q=tea&has_file=true'), ['tea with files'])
    assert.deepEqual(await find(bob, 'q=&has_file=true'), ['tea with files'])
    assert.deepEqual(await find(bob, 'q=%20%C2%85%E3%80%80&has_file=true&limit=2'), ['tea with files'])
    assert.deepEqual(await find(bob, `q=&has_file=true&feed_id=${other}`), [])
    assert.deepEqual(await find(bob, `q=&has_file=true&pinned=true`), [])
    assert.deepEqual(await find(bob, 'q=&pinned=true'), ['tea by ada'])
    assert.deepEqual(await find(bob, `q=&pinned=true&feed_id=${other}`), [])
    assert.deepEqual(await find(bob, `q=&pinned=true&before=${pinned}`), [])
    assert.deepEqual(await find(bob, `q=coffee&pinned=true`), [])
    assert.deepEqual(await find(bob, `q=&author_id=${bob.userId}`), ['tea elsewhere', 'tea in a thread'])
    assert.deepEqual(await find(bob, 'q=tea&has_embed=false&limit=1'), ['tea elsewhere'])
    assert.deepEqual(await find(bob, `q=&has_file=no&feed_id=${feed_id}`), ['tea in a thread', 'tea by ada'])
    assert.deepEqual(await find(bob, 'q=tea&has_embed=true'), [])
    assert.deepEqual(await find(bob, 'q=tea&pinned=true'), ['tea by ada'])
    assert.equal((await find(bob, 'q=tea&pinned=false')).length, 4)
    assert.deepEqual(await find(bob, `q=tea&feed_id=${other}`), ['tea elsewhere'])
  })

  it('takes anything for a text', async () => {
    await using server = await startTestServer(engine)
    const { bob, feed } = await withFeed(server)
    await send(bob, feed, 'all of them')
    const texts = [
      '%',
      '"',
      '""',
      "'",
      '\\',
      '*',
      'a"b',
      'NEAR(',
      '(',
      ')',
      ':',
      '-',
      'OR',
      '!!',
      '🎉',
      '^a',
      'x'.repeat(512),
    ]
    for (const text of [...texts, ...texts.map((text) => `${text}${text}${text}`.slice(0, 512))])
      assert.deepEqual(await find(bob, saying(text)), [], text)
    assert.equal(failure(await bob.get(`/messages/search?q=${'x'.repeat(513)}`)), '422 VALIDATION_ERROR')
    assert.equal(failure(await bob.get('/messages/search')), '422 VALIDATION_ERROR')
    for (const limit of ['0', '1001']) assert.equal((await bob.get(`/messages/search?q=a&limit=${limit}`)).status, 422)
  })

  it('shows nothing of what the searcher may not read', async () => {
    await using server = await startTestServer(engine)
    const { ada, bob, feed, feed_id } = await withFeed(server)
    await send(ada, feed, 'secret tea')
    for (const bit of [Permission.VIEW_SPACE, Permission.READ_HISTORY]) {
      await ada.put(`${feed}/permissions/user/${bob.userId}`, { allow: 0, deny: Number(bit) })
      assert.deepEqual(await find(bob, 'q=tea'), [])
      assert.equal(failure(await bob.get(`/messages/search?q=tea&feed_id=${feed_id}`)), '403 MISSING_PERMISSIONS')
      assert.deepEqual(await find(ada, 'q=tea'), ['secret tea'])
    }
    assert.equal(failure(await bob.get('/messages/search?q=tea&feed_id=4000')), '404 SPACE_NOT_FOUND')
    assert.equal(failure(await bob.get('/messages/search?q=tea&dm_id=1')), '403 NOT_DM_PARTICIPANT')
  })

  it('goes by all that grants or denies: roles, overrides, administration', async () => {
    await using server = await startTestServer(engine)
    const { ada, bob, feed, feed_id } = await withFeed(server)
    const cleo = await server.register('cleo')
    const sees = Number(Permission.VIEW_SPACE)
    const { role_id } = (await ada.post('/roles', { name: 'readers' })).body
    await ada.put(`${feed}/permissions/role/1`, { allow: 0, deny: sees })
    await ada.put(`${feed}/permissions/role/${role_id}`, { allow: sees, deny: 0 })
    await ada.put(`/members/${bob.userId}/roles/${role_id}`)
    await send(ada, feed, 'secret tea')
    assert.deepEqual(await find(ada, 'q=tea'), ['secret tea'])
    assert.deepEqual(await find(bob, 'q=tea'), ['secret tea'])
    assert.deepEqual(await find(bob, `q=tea&feed_id=${feed_id}`), ['secret tea'])
    assert.deepEqual(await find(cleo, 'q=tea'), [])
    assert.deepEqual(await find(cleo, `q=&author_id=${ada.userId}`), [])
  })

  it('matches as its engine does', async () => {
    await using server = await startTestServer(engine)
    const { bob, feed } = await withFeed(server)
    const texts = [
      'so ein Ärger',
      '100% sure',
      'the quick brown fox',
      'running late',
      '東京タワー',
      'η οδοσήμανση',
      'die Straße',
      'a_b\\c',
    ]
    for (const text of texts) await send(bob, feed, text)
    const expected =
      engine.name === 'sqlite'
        ? {
            ÄRGER: [texts[0]],
            '0%': [texts[1]],
            'ICK BR': [texts[2]],
            q: [texts[2]],
            東京: [texts[4]],
            京タワ: [texts[4]],
            ΟΔΟΣ: [texts[5]],
            οδος: [texts[5]],
            STRASSE: [texts[6]],
            ﾀﾜｰ: [texts[4]],
            '100%': [texts[1]],
            '%': [texts[1]],
            _: [texts[7]],
            '\\': [texts[7]],
            r_n: [],
          }
        : {
            runs: [texts[3]],
            '"quick brown"': [texts[2]],
            '"brown quick"': [],
            'quick -fox': [],
            the: [],
            '"100%"': [texts[1]],
          }
    for (const [query, found] of Object.entries(expected))
      assert.deepEqual(await find(bob, saying(query)), found, query)
  })
})

describe('a deleted message (sqlite)', () => {
  it('leaves no text in the file of the database', async () => {
    const server = await startTestServer(sqlite)
    const { bob, feed } = await withFeed(server)
    await send(bob, feed, 'remember this')
    await bob.delete(`${feed}/messages/${await send(bob, feed, 'burn after reading')}`)
    await server.close()
    const file = readFileSync((parseDatabaseUrl(server.databaseUrl) as SqliteTarget).path ?? '')
    assert.ok(file.includes('remember this'))
    assert.ok(!file.includes('burn after reading'))
  })

  /** Parts of the search index in which the snowman stands. */
  const TRACES = `select 1 from message_search_data where instr(block, cast('☃' as blob)) > 0`

  it('leaves the search index within a day', async () => {
    const clock = new TestClock()
    await using server = await startTestServer(sqlite, { clock })
    const { bob, feed } = await withFeed(server)
    const traces = async () => (await countRows(server.databaseUrl, TRACES))[0] ?? 0
    const deleted = await send(bob, feed, 'a secret ☃☃☃☃')
    const edited = await send(bob, feed, 'another ☃☃☃☃')
    await send(bob, feed, 'something else')
    clock.advance(1000)
    await eventually(async () => assert.ok((await traces()) > 0))
    await bob.delete(`${feed}/messages/${deleted}`)
    await bob.patch(`${feed}/messages/${edited}`, { body: 'nothing to see' })
    clock.advance(25 * 3_600_000)
    await eventually(async () => assert.equal(await traces(), 0))
    assert.deepEqual(await find(bob, 'q=nothing'), ['nothing to see'])
    assert.deepEqual(await find(bob, 'q=something'), ['something else'])
  })
})
