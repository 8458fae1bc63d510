import assert from 'node:assert/strict'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { DatabaseSync } from 'node:sqlite'
import { describe, it } from 'node:test'
import { MIGRATIONS } from '../../src/db/migrations/index.ts'
import { migrateDatabase } from '../../src/db/open.ts'
import { Program, stop } from '../support/program.ts'

const program = new Program()

const IN_MEMORY = ['--database-url', 'sqlite+aiosqlite://']

describe('the program', { concurrency: 2 }, () => {
  it('explains itself with status 0', async () => {
    const { status, out, err } = await program.run(['--help'])
    assert.deepEqual([status, err], [0, ''])
    assert.match(out, /Usage: vox/)
  })

  it('ends with status 2 for an unknown flag and for a bad value', async () => {
    for (const args of [['--colour'], ['--port', 'http']]) {
      const { status, out, err } = await program.run(args)
      assert.deepEqual([status, out], [2, ''])
      assert.match(err, /^vox: .*(colour|--port is "http")/)
    }
  })

  it('ends with status 1 for a bad variable, naming it without a stack', async () => {
    const { status, err } = await program.run([], { variables: { VOX_DB_POOL_SIZE: 'many' } })
    assert.equal(status, 1)
    assert.equal(err, 'vox: VOX_DB_POOL_SIZE is "many". It must be a whole number from 1 to 10000.\n')
  })

  it('serves until SIGTERM, then ends with status 0', async () => {
    const { child, url } = await program.serve(IN_MEMORY)
    assert.equal((await fetch(`${url}/health`)).status, 200)
    assert.equal(await stop(child, 'SIGTERM'), 0)
  })

  it('warns at its start of what limits it: no passkeys, and no second process', async () => {
    const { child, records } = await program.serve(IN_MEMORY)
    const warnings = records.filter(({ level }) => level === 'warn').map(({ message }) => String(message))
    for (const warning of [/^passkeys are off/, /^only one process may run/])
      assert.equal(warnings.filter((message) => warning.test(message)).length, 1)
    assert.equal(await stop(child, 'SIGTERM'), 0)
  })

  it('takes two signals at once, as npm sends them, for one', async () => {
    const { child } = await program.serve(IN_MEMORY)
    child.kill('SIGINT')
    assert.equal(await stop(child, 'SIGINT'), 0)
  })

  it('serves under a watcher with --reload, and both end together', async () => {
    const { child, url } = await program.serve(['--reload', ...IN_MEMORY])
    assert.equal((await fetch(`${url}/health`)).status, 200)
    assert.equal(await stop(child, 'SIGTERM'), 0)
    await assert.rejects(fetch(`${url}/health`))
  })

  it('greets people who read plain text, and only them', async () => {
    const child = program.start(['--port', '0', ...IN_MEMORY], { VOX_LOG_FORMAT: 'text', VOX_SERVER_NAME: 'Our place' })
    const welcome = []
    for await (const line of createInterface(child.stdout)) if (welcome.push(line) > 12) break
    assert.match(welcome.join('\n'), /Our place is running: Vox .* at http:\/\/127\.0\.0\.1:\d+\n/)
    assert.match(welcome.join('\n'), /in memory.*\/docs\n.*\/api\/v1\/auth\/register/s)
    assert.equal(await stop(child, 'SIGTERM'), 0)
  })

  it('refuses a port that is taken, a database in use and one of another program in a sentence each', async () => {
    const url = `sqlite+aiosqlite:///${join(program.folder, 'used.db')}`
    const server = await program.serve(['--database-url', url])
    const { port } = new URL(server.url)
    const foreign = join(program.folder, 'foreign.db')
    using database = new DatabaseSync(foreign)
    database.exec('create table wp_posts (id integer)')
    for (const [args, expected] of [
      [['--port', port, ...IN_MEMORY], new RegExp(`^vox: Port ${port} at 127.0.0.1 is taken [^\\n]*\\n$`)],
      [['--port', '0', '--database-url', url], /^vox: Another [^\n]*\n$/],
      [['--port', '0', '--database-url', `sqlite:///${foreign}`], /^vox: [^\n]*wp_posts[^\n]*\n$/],
    ] as const) {
      const { status, err } = await program.run([...args])
      assert.equal(status, 1)
      assert.match(err.replace(/^\{.*\}\n/gm, ''), expected)
    }
    assert.equal(await stop(server.child, 'SIGTERM'), 0)
  })
})

describe('vox migrate', () => {
  it('applies what is pending, once', async () => {
    const args = ['migrate', '--database-url', `sqlite+aiosqlite:///${join(program.folder, 'migrated.db')}`]
    assert.match((await program.run([...args, '--dry-run'])).out, /^(would apply .+\n)+$/)
    const { status, out } = await program.run(args)
    assert.equal(status, 0)
    assert.match(out, /^(applied .+\n)+$/)
    assert.equal((await program.run(args)).out, 'The database is up to date.\n')
    assert.equal((await program.run([...args, '--dry-run'])).out, 'The database is up to date.\n')
  })

  it('says which conversion of an older database it is at', async () => {
    const url = `sqlite+aiosqlite:///${join(program.folder, 'older.db')}`
    await migrateDatabase(url, MIGRATIONS.slice(0, -1))
    const { out } = await program.run(['migrate', '--database-url', url])
    const name = MIGRATIONS.at(-1)?.name
    assert.equal(out, `applying ${name} …\napplied ${name}\n`)
  })
})
