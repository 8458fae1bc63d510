import assert from 'node:assert/strict'
import { execFileSync, spawnSync } from 'node:child_process'
import { mkdirSync, readdirSync, readFileSync, statSync, truncateSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { describe, it } from 'node:test'
import { ArchiveWriter } from '../../src/backup/archive.ts'
import { MANIFEST } from '../../src/backup/manifest.ts'
import { type Engine, forEachEngine, sqlite } from '../support/engines.ts'
import { freshPath } from '../support/folder.ts'
import { Program } from '../support/program.ts'
import { Client, startTestServer, type TestServer } from '../support/server.ts'
import { runSql } from '../support/sql.ts'
import { vox } from '../support/vox.ts'

const program = new Program({ VOX_LOG_FORMAT: 'json' })

/** Where a server keeps its data. */
type Place = Pick<TestServer, 'databaseUrl' | 'storagePath'>

const variables = ({ databaseUrl, storagePath }: Place) => ({
  VOX_DATABASE_URL: databaseUrl,
  VOX_STORAGE_PATH: storagePath,
  VOX_LOG_FORMAT: 'json',
})

const backup = (file: string, place: Place, env = {}) => vox(['backup', file], { ...variables(place), ...env })

const restore = (file: string, place: Place, { flags = [] as string[], env = {} } = {}) =>
  vox(['restore', ...flags, file], { ...variables(place), ...env })

/** An empty place for the data of another one. A backup of PostgreSQL goes into a schema of the same name. */
async function emptyPlace(engine: Engine, { databaseUrl }: Place): Promise<Place> {
  if (engine.name === 'sqlite') return { databaseUrl: await engine.freshUrl(), storagePath: freshPath() }
  const schema = /search_path%3D(\w+)/.exec(databaseUrl)?.[1]
  await runSql(databaseUrl, `drop schema ${schema} cascade`, `create schema ${schema}`)
  return { databaseUrl, storagePath: freshPath() }
}

/** On PostgreSQL in a schema of its own. */
const startEmpty = async (engine: Engine) =>
  startTestServer(engine, { env: { VOX_DATABASE_URL: await engine.freshUrl() } })

const startAt = (engine: Engine, place: Place) => startTestServer(engine, { env: variables(place) })

/** An administrator with a feed to post in. */
async function founderOf(server: TestServer) {
  const ada = await server.register('ada')
  const { body } = await ada.post('/feeds', { name: 'general', type: 'text' })
  return { ada, messages: `/feeds/${body.feed_id}/messages`, files: `/feeds/${body.feed_id}/files` }
}

async function upload(client: Client, feedFiles: string, content: string): Promise<string> {
  const form = new FormData()
  form.append('file', new Blob([content], { type: 'text/plain' }), 'notes.txt')
  const response = await fetch(`${client.url}/api/v1${feedFiles}`, {
    method: 'POST',
    headers: { authorization: `Bearer ${client.token}` },
    body: form,
  })
  assert.equal(response.status, 201)
  return ((await response.json()) as { url: string }).url
}

/** Ids of all messages, oldest first. */
async function allMessages(client: Client, messages: string): Promise<bigint[]> {
  const ids: bigint[] = []
  for (let before = ''; ; ) {
    const { body } = await client.get(`${messages}?limit=100${before}`)
    const page: bigint[] = (body.messages ?? body.items).map(({ msg_id }: { msg_id: bigint }) => msg_id)
    const oldest = page.reduce<bigint | undefined>(
      (least, id) => (least === undefined || id < least ? id : least),
      undefined,
    )
    if (oldest === undefined) return ids.sort((a, b) => (a < b ? -1 : 1))
    ids.push(...page)
    before = `&before=${oldest}`
  }
}

const done = /^\S+ is complete: database, (\d+) uploaded files?, [^\n]+\.\n$/

forEachEngine('a backup', (engine) => {
  it('of a busy server holds all that was acknowledged before it began, and nothing halfway', async () => {
    const server = await startEmpty(engine)
    const { ada, messages, files } = await founderOf(server)
    const url = await upload(ada, files, 'remember this')
    const acknowledged: bigint[] = []
    let posting = true
    const post = async () => {
      while (posting)
        acknowledged.push((await ada.post(messages, { body: `message ${acknowledged.length}` })).body.msg_id)
    }
    const posters = [post(), post(), post()]
    while (acknowledged.length < 50) await new Promise(setImmediate)
    const before = [...acknowledged]
    const file = freshPath('.tar')
    const { status, out, err } = await program.run(['backup', file], { variables: variables(server) })
    assert.deepEqual([status, err], [0, 'Collecting uploaded files.\nCopying the database.\n'])
    assert.equal(done.exec(out)?.[1], '1')
    posting = false
    await Promise.all(posters)
    assert.ok(acknowledged.length > before.length, 'messages were posted meanwhile')
    await server.close()

    const elsewhere = await emptyPlace(engine, server)
    const answer = await restore(file, elsewhere)
    assert.equal(answer.status, 0, answer.err)
    assert.match(answer.out, /^The server is as it was at \d{4}-.*Z\. Start it\.\n$/)
    await using restored = await startAt(engine, elsewhere)
    const client = new Client(restored.url, ada.token)
    const kept = await allMessages(client, messages)
    for (const id of before) assert.ok(kept.includes(id))
    const latest = kept.at(-1) ?? 0n
    assert.deepEqual(
      kept,
      acknowledged.filter((id) => id <= latest).sort((a, b) => (a < b ? -1 : 1)),
    )
    assert.equal((await client.raw('GET', url)).body, 'remember this')
    const next = (await client.post(messages, { body: 'we are back' })).body.msg_id
    assert.ok(next > latest)
  })

  it('goes back to an earlier state by force, and only by force', async () => {
    const server = await startEmpty(engine)
    const { ada, files } = await founderOf(server)
    const early = await upload(ada, files, 'early')
    const file = freshPath('.tar')
    assert.equal((await backup(file, server)).status, 0)
    await server.register('bob')
    const late = await upload(ada, files, 'late')

    const running = await restore(file, server, { flags: ['--force'] })
    assert.equal(running.status, 1)
    assert.match(running.err, /^vox: Another Vox process is using this database/)
    await server.close()
    const refused = await restore(file, server)
    assert.equal(refused.status, 1)
    assert.match(refused.err, /^vox: There is already a database, and there are uploaded files in [^\n]*--force\.\n$/)
    {
      await using same = await startAt(engine, server)
      assert.equal((await new Client(same.url, ada.token).get('/users/2')).status, 200)
    }

    assert.equal((await restore(file, server, { flags: ['--force'] })).status, 0)
    await using restored = await startAt(engine, server)
    const client = new Client(restored.url, ada.token)
    assert.equal((await client.get('/users/2')).status, 404)
    assert.equal((await client.raw('GET', early)).body, 'early')
    assert.equal((await client.raw('GET', late)).status, 404)
    assert.equal(readdirSync(server.storagePath).filter((name) => name.startsWith('restore-')).length, 0)
  })

  it('is refused where there is no database, and leaves nothing behind', async () => {
    const folder = freshPath()
    mkdirSync(folder)
    const place = { databaseUrl: await engine.freshUrl(), storagePath: freshPath() }
    const { status, err } = await backup(path.join(folder, 'a.tar'), place)
    assert.equal(status, 1)
    assert.match(err, /^vox: There is no Vox database at [^\n]+\.\n$/)
    assert.deepEqual(readdirSync(folder), [])
  })

  it('of another kind of database is refused', async () => {
    const file = await archive(async (writer) => {
      await writer.addText(engine.name === 'sqlite' ? 'database.pgdump' : 'database.sqlite', 'x')
    })
    const { status, err } = await restore(file, { databaseUrl: await engine.freshUrl(), storagePath: freshPath() })
    assert.equal(status, 1)
    assert.match(err, /vox: The backup is of another kind of database/)
  })

  it('whose database cannot be read changes nothing', async () => {
    const server = await startEmpty(engine)
    const { ada } = await founderOf(server)
    await server.close()
    const name = engine.name === 'sqlite' ? 'database.sqlite' : 'database.pgdump'
    const file = await archive(async (writer) => {
      await writer.addText(name, 'not a database')
      await addManifest(writer, {
        engine: engine.name,
        ...(engine.name === 'postgres' && {
          postgres: { schema: /search_path%3D(\w+)/.exec(server.databaseUrl)?.[1], pg_dump: 1 },
        }),
      })
    })
    const { status, err } = await restore(file, server, { flags: ['--force'] })
    assert.equal(status, 1)
    assert.match(err, /^vox: ([^\n]*not a database|pg_restore failed: )/m)
    await using same = await startAt(engine, server)
    assert.equal((await new Client(same.url, ada.token).get('/users/@me')).status, 200)
  })
})

/** A tar file with whatever is put into it. */
async function archive(fill: (writer: ArchiveWriter) => Promise<void>): Promise<string> {
  const file = freshPath('.tar')
  const writer = new ArchiveWriter(file)
  await fill(writer)
  await writer.finish()
  return file
}

async function addManifest(writer: ArchiveWriter, values: object): Promise<void> {
  const manifest = {
    format: 1,
    vox: '0.0.0',
    created_at: '2026-01-01T00:00:00.000Z',
    engine: 'sqlite',
    uploads: 'local',
    entries: Object.fromEntries(writer.entries),
    ...values,
  }
  await writer.addText(MANIFEST, JSON.stringify(manifest))
}

/** A stopped server with an account and an uploaded file, and a backup of it. */
async function backedUp() {
  const server = await startTestServer(sqlite)
  const { ada, files } = await founderOf(server)
  const url = await upload(ada, files, 'remember this')
  await server.close()
  const file = freshPath('.tar')
  assert.equal((await backup(file, server)).status, 0)
  return { file, server, ada, url }
}

const emptySqlite = async (): Promise<Place> => ({ databaseUrl: await sqlite.freshUrl(), storagePath: freshPath() })

describe('the file of a backup', () => {
  it('is a tar file that only its owner may read', async () => {
    const { file, url } = await backedUp()
    assert.equal(statSync(file).mode & 0o777, 0o600)
    if (spawnSync('tar', ['--version']).status !== 0) return
    assert.deepEqual(execFileSync('tar', ['-tf', file], { encoding: 'utf8' }).trim().split('\n').sort(), [
      'database.sqlite',
      'manifest.json',
      `uploads/${path.basename(url)}`,
    ])
  })

  it('holds nothing of what has been deleted', async () => {
    const server = await startTestServer(sqlite)
    const { ada, messages } = await founderOf(server)
    const { body } = await ada.post(messages, { body: 'burn after reading' })
    assert.equal((await ada.delete(`${messages}/${body.msg_id}`)).status, 204)
    await server.close()
    await runSql(server.databaseUrl, 'delete from event_log')
    const file = freshPath('.tar')
    await backup(file, server)
    assert.ok(!readFileSync(file).includes('burn after reading'))
  })

  it('holds nothing of it in its search index either', async () => {
    const server = await startTestServer(sqlite)
    const { ada, messages } = await founderOf(server)
    const { body } = await ada.post(messages, { body: '☃☃☃☃☃☃' })
    await server.close()
    const index = 'insert into message_search (rowid, folded) select msg_id, folded from message_texts'
    await runSql(server.databaseUrl, index, `delete from messages where msg_id = ${body.msg_id}`)
    await runSql(server.databaseUrl, 'delete from event_log')
    const file = freshPath('.tar')
    assert.equal((await backup(file, server)).status, 0)
    assert.ok(!readFileSync(file).includes('☃'))
  })

  it('is never written over another one', async () => {
    const { file, server } = await backedUp()
    const { status, err } = await backup(file, server)
    assert.equal(status, 1)
    assert.match(err, /^vox: \S+ exists already\. Choose another name\.\n$/)
  })

  it('needs a folder to be in', async () => {
    const { server } = await backedUp()
    const { status, err } = await backup(path.join(freshPath(), 'a.tar'), server)
    assert.equal(status, 1)
    assert.match(err, /vox: ENOENT[^\n]+\n$/)
  })

  it('says that files in S3 are not in it', async () => {
    const { server } = await backedUp()
    const file = freshPath('.tar')
    const s3 = { VOX_STORAGE_BACKEND: 's3', VOX_S3_BUCKET: 'our-files' }
    const { status, err } = await backup(file, server, s3)
    assert.equal(status, 0)
    assert.match(err, /Uploaded files are in the S3 bucket our-files and NOT in this backup\./)
    const refused = await restore(file, await emptySqlite())
    assert.match(refused.err, /vox: The backup is of a server with VOX_STORAGE_BACKEND=s3\. Set the same here\.\n$/)
    const { status: restored, err: reminder } = await restore(file, await emptySqlite(), { env: s3 })
    assert.equal(restored, 0)
    assert.match(reminder, /not part of this backup/)
  })

  it('cannot be made of a database in memory, or restored to one', async () => {
    const memory = { databaseUrl: 'sqlite://', storagePath: freshPath() }
    assert.match((await backup(freshPath(), memory)).err, /^vox: A database in memory cannot be backed up/)
    assert.match((await restore(freshPath(), memory)).err, /^vox: A backup cannot be restored into memory/)
  })
})

describe('a damaged backup', () => {
  it('is refused before anything is touched', async () => {
    const { file, server, ada } = await backedUp()
    const whole = readFileSync(file)
    const damage: Record<string, (bytes: Buffer) => Buffer> = {
      'an altered file': (bytes) => {
        bytes.write('forget', bytes.indexOf('remember this'))
        return bytes
      },
      'no end': (bytes) => bytes.subarray(0, bytes.length - 4096),
      'half of it': (bytes) => bytes.subarray(0, bytes.length / 2),
      nothing: () => Buffer.alloc(0),
      'another format': () => Buffer.from('PK\x03\x04'.repeat(1000)),
    }
    for (const [what, change] of Object.entries(damage)) {
      const damaged = freshPath('.tar')
      writeFileSync(damaged, change(Buffer.from(whole)))
      for (const place of [await emptySqlite(), server]) {
        const { status, err } = await restore(damaged, place, { flags: ['--force'] })
        assert.equal(status, 1, what)
        assert.match(err, /^Checking the backup\.\nvox: \S+ is damaged[^\n]*\n$/, what)
      }
    }
    await using same = await startAt(sqlite, server)
    assert.equal((await new Client(same.url, ada.token).get('/users/@me')).status, 200)
  })

  it('is refused when its database has holes', async () => {
    const { server } = await backedUp()
    const broken = freshPath('.db')
    writeFileSync(broken, readFileSync(server.databaseUrl.replace(/^.*:\/\/\//, '')))
    truncateSync(broken, statSync(broken).size - 8192)
    const file = await archive(async (writer) => {
      await writer.addFile('database.sqlite', broken)
      await addManifest(writer, {})
    })
    const { status, err } = await restore(file, await emptySqlite())
    assert.equal(status, 1)
    assert.match(err, /vox: .*(damaged|malformed)/)
  })

  it('is refused when it comes from a newer version', async () => {
    const { server } = await backedUp()
    const newer = freshPath('.db')
    writeFileSync(newer, readFileSync(server.databaseUrl.replace(/^.*:\/\/\//, '')))
    using database = new DatabaseSync(newer)
    database.exec(`insert into vox_migrations (version, name, applied_at) values (999, 'later', 0)`)
    database.exec('pragma journal_mode = delete')
    const file = await archive(async (writer) => {
      await writer.addFile('database.sqlite', newer)
      await addManifest(writer, {})
    })
    const { status, err } = await restore(file, await emptySqlite())
    assert.equal(status, 1)
    assert.match(err, /newer Vox/)
  })

  it('is refused when it has entries that no backup has', async () => {
    for (const name of ['../evil', 'uploads/../evil', 'uploads/x/y', 'notes.txt', '/etc/passwd']) {
      const file = await archive((writer) => writer.addText(name, 'x'))
      const { status, err } = await restore(file, await emptySqlite())
      assert.equal(status, 1)
      assert.match(err, /vox: This is no backup of Vox: it has an entry /)
    }
  })
})

describe('vox backup and vox restore', () => {
  it('need a file', async () => {
    for (const command of ['backup', 'restore']) {
      const { status, err } = await vox(command)
      assert.equal(status, 2)
      assert.match(err, /FILE is missing/)
    }
  })
})
