import { randomBytes } from 'node:crypto'
import { after, describe } from 'node:test'
import { freshPath } from './folder.ts'
import { runSql } from './sql.ts'

/** A kind of database to test on. */
export interface Engine {
  name: 'sqlite' | 'postgres'
  /** URL of an empty database that nobody else uses. It is removed after the tests of the file. */
  freshUrl(): Promise<string>
}

/** The engine that needs nothing else. */
export const sqlite: Engine = {
  name: 'sqlite',
  freshUrl: async () => `sqlite+aiosqlite:///${freshPath('.db')}`,
}

/** SQLite always; PostgreSQL if `VOX_TEST_POSTGRES_URL` names a server. */
export const engines: readonly Engine[] = [
  sqlite,
  ...(process.env.VOX_TEST_POSTGRES_URL ? [postgres(process.env.VOX_TEST_POSTGRES_URL)] : []),
]

/** A suite that runs once on each engine. */
export function forEachEngine(title: string, suite: (engine: Engine) => void): void {
  for (const engine of engines) describe(`${title} (${engine.name})`, () => suite(engine))
}

/** Every database is a schema of its own on the given server. */
function postgres(serverUrl: string): Engine {
  const schemas: string[] = []
  after(async () => {
    if (schemas.length > 0)
      await runSql(serverUrl, ...schemas.map((schema) => `drop schema if exists ${schema} cascade`))
  })
  return {
    name: 'postgres',
    async freshUrl() {
      const schema = `vox_test_${randomBytes(8).toString('hex')}`
      schemas.push(schema)
      await runSql(serverUrl, `create schema ${schema}`)
      return `${serverUrl}${serverUrl.includes('?') ? '&' : '?'}options=-csearch_path%3D${schema}`
    },
  }
}
