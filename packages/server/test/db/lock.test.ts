import assert from 'node:assert/strict'
import { execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, symlinkSync } from 'node:fs'
import { dirname } from 'node:path'
import { describe, it } from 'node:test'
import { DatabaseInUse } from '../../src/db/lock.ts'
import { MemoryFile } from '../../src/db/memory.ts'
import { migrateDatabase, pendingMigrations } from '../../src/db/open.ts'
import { openTestDatabase } from '../support/database.ts'
import { forEachEngine, sqlite } from '../support/engines.ts'
import { eventually } from '../support/eventually.ts'

forEachEngine('the lock of a database', (engine) => {
  it('keeps a second process off, migrations included, until it is closed', async () => {
    const url = await engine.freshUrl()
    {
      await using first = await openTestDatabase(url)
      await assert.rejects(openTestDatabase(url), DatabaseInUse)
      await assert.rejects(migrateDatabase(url), DatabaseInUse)
      await first.ping()
    }
    await using second = await openTestDatabase(url)
    await second.ping()
  })

  it('does not keep anybody from asking for pending migrations', async () => {
    const url = await engine.freshUrl()
    await using _ = await openTestDatabase(url)
    assert.deepEqual(await pendingMigrations(url), [])
  })

  it('is not left behind by an open that failed', async () => {
    const url = await engine.freshUrl()
    const broken = { name: 'broken', up: () => Promise.reject(new Error('broken')) }
    await assert.rejects(migrateDatabase(url, [broken]), /broken/)
    await using database = await openTestDatabase(url)
    await database.ping()
  })

  it('ends with its process, however it ends', async () => {
    const url = await engine.freshUrl()
    const holder = spawn(process.execPath, [new URL('../support/hold-database.ts', import.meta.url).pathname, url], {
      stdio: ['ignore', 'pipe', 'inherit'],
    })
    await once(holder.stdout, 'data')
    await assert.rejects(openTestDatabase(url), DatabaseInUse)
    holder.kill('SIGKILL')
    await once(holder, 'exit')
    await using database = await eventually(() => openTestDatabase(url))
    await database.ping()
  })
})

describe('the lock of a database file', () => {
  it('is the same by whatever link the file is opened', async () => {
    const url = await sqlite.freshUrl()
    await using _ = await openTestDatabase(url)
    const link = url.replace('.db', '-link.db')
    symlinkSync(pathOf(url), pathOf(link))
    await assert.rejects(openTestDatabase(link), DatabaseInUse)
  })
})

describe('databases in memory', () => {
  it('have nothing to do with each other', async () => {
    await using first = await openTestDatabase('sqlite+aiosqlite://')
    await using second = await openTestDatabase('sqlite+aiosqlite:///:memory:')
    await first.write(({ db }) => db.insertInto('server_marks').values({ name: 'x' }).execute())
    assert.deepEqual(await second.read.selectFrom('server_marks').selectAll().execute(), [])
  })

  it('leave no file behind, closed or not', () => {
    const file = new MemoryFile()
    assert.ok(existsSync(dirname(file.path)))
    file[Symbol.dispose]()
    assert.ok(!existsSync(dirname(file.path)))

    const module = new URL('../../src/db/memory.ts', import.meta.url).href
    const program = `import { MemoryFile } from '${module}'; process.stdout.write(new MemoryFile().path)`
    const path = execFileSync(process.execPath, ['--input-type=module', '--eval', program], { encoding: 'utf8' })
    assert.match(path, /vox\.db$/)
    assert.ok(!existsSync(dirname(path)))
  })
})

const pathOf = (url: string): string => url.replace('sqlite+aiosqlite:///', '')
