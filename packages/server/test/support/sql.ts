import pg from 'pg'
import { reachable } from '../../src/db/postgres.ts'
import { openFile } from '../../src/db/sqlite.ts'
import { type PostgresTarget, parseDatabaseUrl } from '../../src/db/url.ts'

/** Runs statements on a connection of their own, past the server. */
export async function runSql(url: string, ...statements: string[]): Promise<void> {
  const target = parseDatabaseUrl(url)
  if (target.engine === 'sqlite') {
    using file = openFile(target.path ?? ':memory:')
    for (const statement of statements) file.exec(statement)
    return
  }
  await withClient(target, async (client) => {
    for (const statement of statements) await client.query(statement)
  })
}

/** How many rows each of these queries finds, past the server. */
export async function countRows(url: string, ...queries: string[]): Promise<number[]> {
  const target = parseDatabaseUrl(url)
  const counts = queries.map((query) => `select count(*) as found from (${query}) as rows`)
  if (target.engine === 'sqlite') {
    using file = openFile(target.path ?? ':memory:')
    return counts.map((count) => Number(file.prepare(count).get()?.found))
  }
  return withClient(target, async (client) => {
    const found: number[] = []
    for (const count of counts) found.push(Number((await client.query(count)).rows[0]?.found))
    return found
  })
}

/** The rows that a query finds, past the server. */
export async function readRows(url: string, query: string): Promise<Record<string, unknown>[]> {
  const target = parseDatabaseUrl(url)
  if (target.engine === 'sqlite') {
    using file = openFile(target.path ?? ':memory:')
    return file.prepare(query).all()
  }
  return withClient(target, async (client) => (await client.query(query)).rows)
}

async function withClient<T>(target: PostgresTarget, use: (client: pg.Client) => Promise<T>): Promise<T> {
  const client = new pg.Client(await reachable(target))
  await client.connect()
  try {
    return await use(client)
  } finally {
    await client.end()
  }
}
