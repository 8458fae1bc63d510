import { DatabaseSync } from 'node:sqlite'
import pg from 'pg'
import { reachable } from '../../src/db/postgres.ts'
import { parseDatabaseUrl } from '../../src/db/url.ts'

/** Runs statements on a connection of their own, past the server. */
export async function runSql(url: string, ...statements: string[]): Promise<void> {
  const target = parseDatabaseUrl(url)
  if (target.engine === 'sqlite') {
    using file = new DatabaseSync(target.path ?? ':memory:')
    for (const statement of statements) file.exec(statement)
    return
  }
  const client = new pg.Client(await reachable(target))
  await client.connect()
  try {
    for (const statement of statements) await client.query(statement)
  } finally {
    await client.end()
  }
}
