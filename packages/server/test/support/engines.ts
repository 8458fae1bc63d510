import { randomBytes } from 'node:crypto'
import { copyFile } from 'node:fs/promises'
import { after, describe } from 'node:test'
import { openTestDatabase } from './database.ts'
import { freshPath } from './folder.ts'
import { runSql } from './sql.ts'

/** A kind of database to test on. What it gives nobody else uses, and is removed after the tests of the file. */
export interface Engine {
  name: 'sqlite' | 'postgres'
  /** URL of an empty database. */
  freshUrl(): Promise<string>
  /** URL of a database with all tables and no rows: a copy, which takes a tenth of the time to create them. */
  migratedUrl(): Promise<string>
}

/** The engine that needs nothing else. */
export const sqlite: Engine = sqliteEngine()

/** SQLite always; PostgreSQL if `VOX_TEST_POSTGRES_URL` names a server. */
export const engines: readonly Engine[] = [
  sqlite,
  ...(process.env.VOX_TEST_POSTGRES_URL ? [postgres(process.env.VOX_TEST_POSTGRES_URL)] : []),
]

/** A suite that runs once on each engine. */
export function forEachEngine(title: string, suite: (engine: Engine) => void): void {
  for (const engine of engines) describe(`${title} (${engine.name})`, () => suite(engine))
}

function sqliteEngine(): Engine {
  const urlOf = (file: string) => `sqlite+aiosqlite:///${file}`
  const template = once(async () => {
    const file = freshPath('.db')
    await migrate(urlOf(file))
    return file
  })
  return {
    name: 'sqlite',
    freshUrl: async () => urlOf(freshPath('.db')),
    async migratedUrl() {
      const file = freshPath('.db')
      await copyFile(await template(), file)
      return urlOf(file)
    },
  }
}

/** An empty database is a schema of its own on the given server, as only a whole database can be copied. */
function postgres(serverUrl: string): Engine {
  const made: string[] = []
  after(async () => {
    if (made.length > 0) await runSql(serverUrl, ...made.map((what) => `drop ${what}`))
  })
  const create = async (kind: 'schema' | 'database', from = '') => {
    const name = `vox_test_${randomBytes(8).toString('hex')}`
    await runSql(serverUrl, `create ${kind} ${name}${from}`)
    made.push(kind === 'schema' ? `schema ${name} cascade` : `database ${name} (force)`)
    return name
  }
  const urlOf = (database: string) => Object.assign(new URL(serverUrl), { pathname: database }).href
  const template = once(async () => {
    const name = await create('database')
    await migrate(urlOf(name))
    return name
  })
  return {
    name: 'postgres',
    async freshUrl() {
      const schema = await create('schema')
      return `${serverUrl}${serverUrl.includes('?') ? '&' : '?'}options=-csearch_path%3D${schema}`
    },
    async migratedUrl() {
      return urlOf(await create('database', ` template ${await template()}`))
    },
  }
}

async function migrate(url: string): Promise<void> {
  await using _ = await openTestDatabase(url)
}

/** The first call does it; all get what came of it. */
function once<T>(make: () => Promise<T>): () => Promise<T> {
  let made: Promise<T> | undefined
  return () => {
    made ??= make()
    return made
  }
}
