import assert from 'node:assert/strict'
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { DatabaseSync } from 'node:sqlite'
import { text } from 'node:stream/consumers'
import { after, describe, it } from 'node:test'
import { fileURLToPath } from 'node:url'

const MAIN = fileURLToPath(new URL('../../src/main.ts', import.meta.url))

const folder = mkdtempSync(join(tmpdir(), 'vox-main-'))
after(() => rmSync(folder, { recursive: true }))

/** Starts the program as a shell would, in an empty folder. */
function start(args: string[], env: Record<string, string> = {}) {
  const variables = Object.entries(process.env).filter(([name]) => !/^(vox|node)_/i.test(name))
  return spawn(process.execPath, [MAIN, ...args], {
    cwd: folder,
    env: { ...Object.fromEntries(variables), ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
    detached: true, // a process group of its own, which can be ended whole
  })
}

async function finish(args: string[], env?: Record<string, string>) {
  const child = start(args, env)
  const [out, err, [status]] = await Promise.all([text(child.stdout), text(child.stderr), once(child, 'close')])
  return { status, out, err }
}

/** Starts a server on a free port; resolves when it is ready, with the records it logs. */
async function serve(args: string[] = [], env: Record<string, string> = {}) {
  const child = start(['--port', '0', ...args], env)
  after(() => endGroup(child))
  const records: Record<string, unknown>[] = []
  for await (const line of createInterface(child.stderr)) {
    const record = JSON.parse(line)
    records.push(record)
    if (record.message === 'ready') return { child, records, url: String(record.url) }
  }
  return assert.fail(`it ended: ${JSON.stringify(records)}`)
}

/** Ends a process with those it started: one that outlives a failed test keeps the test file from ending. */
function endGroup({ pid }: ChildProcess): void {
  try {
    if (pid) process.kill(-pid, 'SIGKILL')
  } catch {
    // They have all ended by themselves.
  }
}

async function stop(child: ChildProcess, signal: NodeJS.Signals) {
  child.kill(signal)
  const [status] = await once(child, 'exit')
  return status
}

const IN_MEMORY = ['--database-url', 'sqlite+aiosqlite://']

describe('the program', { concurrency: 2 }, () => {
  it('explains itself with status 0', async () => {
    const { status, out, err } = await finish(['--help'])
    assert.deepEqual([status, err], [0, ''])
    assert.match(out, /Usage: vox/)
  })

  it('ends with status 2 for an unknown flag and for a bad value', async () => {
    for (const args of [['--colour'], ['--port', 'http']]) {
      const { status, out, err } = await finish(args)
      assert.deepEqual([status, out], [2, ''])
      assert.match(err, /^vox: .*(colour|--port is "http")/)
    }
  })

  it('ends with status 1 for a bad variable, naming it without a stack', async () => {
    const { status, err } = await finish([], { VOX_DB_POOL_SIZE: 'many' })
    assert.equal(status, 1)
    assert.equal(err, 'vox: VOX_DB_POOL_SIZE is "many". It must be a whole number from 1 to 10000.\n')
  })

  it('serves until SIGTERM, then ends with status 0', async () => {
    const { child, url } = await serve(IN_MEMORY)
    assert.equal((await fetch(`${url}/health`)).status, 200)
    assert.equal(await stop(child, 'SIGTERM'), 0)
  })

  it('takes two signals at once, as npm sends them, for one', async () => {
    const { child } = await serve(IN_MEMORY)
    child.kill('SIGINT')
    assert.equal(await stop(child, 'SIGINT'), 0)
  })

  it('serves under a watcher with --reload, and both end together', async () => {
    const { child, url } = await serve(['--reload', ...IN_MEMORY])
    assert.equal((await fetch(`${url}/health`)).status, 200)
    assert.equal(await stop(child, 'SIGTERM'), 0)
    await assert.rejects(fetch(`${url}/health`))
  })

  it('greets people who read plain text, and only them', async () => {
    const child = start(['--port', '0', ...IN_MEMORY], { VOX_LOG_FORMAT: 'text', VOX_SERVER_NAME: 'Our place' })
    const welcome = []
    for await (const line of createInterface(child.stdout)) if (welcome.push(line) > 12) break
    assert.match(welcome.join('\n'), /Our place is running: Vox .* at http:\/\/127\.0\.0\.1:\d+\n/)
    assert.match(welcome.join('\n'), /in memory.*\/docs\n.*\/api\/v1\/auth\/register/s)
    assert.equal(await stop(child, 'SIGTERM'), 0)
  })

  it('refuses a port that is taken, a database in use and one of another program in a sentence each', async () => {
    const url = `sqlite+aiosqlite:///${join(folder, 'used.db')}`
    const server = await serve(['--database-url', url])
    const { port } = new URL(server.url)
    const foreign = join(folder, 'foreign.db')
    using database = new DatabaseSync(foreign)
    database.exec('create table wp_posts (id integer)')
    for (const [args, expected] of [
      [['--port', port, ...IN_MEMORY], new RegExp(`^vox: Port ${port} at 127.0.0.1 is taken [^\\n]*\\n$`)],
      [['--port', '0', '--database-url', url], /^vox: Another [^\n]*\n$/],
      [['--port', '0', '--database-url', `sqlite:///${foreign}`], /^vox: [^\n]*wp_posts[^\n]*\n$/],
    ] as const) {
      const { status, err } = await finish([...args])
      assert.equal(status, 1)
      assert.match(err.replace(/^\{.*\}\n/gm, ''), expected)
    }
    assert.equal(await stop(server.child, 'SIGTERM'), 0)
  })
})

describe('vox migrate', () => {
  it('applies what is pending, once', async () => {
    const args = ['migrate', '--database-url', `sqlite+aiosqlite:///${join(folder, 'migrated.db')}`]
    assert.match((await finish([...args, '--dry-run'])).out, /^(would apply .+\n)+$/)
    const { status, out } = await finish(args)
    assert.equal(status, 0)
    assert.match(out, /^(applied .+\n)+$/)
    assert.equal((await finish(args)).out, 'The database is up to date.\n')
    assert.equal((await finish([...args, '--dry-run'])).out, 'The database is up to date.\n')
  })
})
