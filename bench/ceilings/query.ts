/**
 * The least a server does to read: a prepared query, and the JSON text of its rows.
 *
 *   query.ts <database url> <SQL>…
 *
 * `/2?p=7&p=x` answers what the third query finds with these parameters, of which numbers are numbers.
 */
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { DatabaseSync, type StatementSync } from 'node:sqlite'
import pg from 'pg'
import { parseDatabaseUrl } from '../../packages/server/src/db/url.ts'

const CONNECTIONS = 10

const [url = '', ...queries] = process.argv.slice(2)
const target = parseDatabaseUrl(url)
const ask = target.engine === 'sqlite' ? onSqlite(target.path ?? '') : onPostgres(target.config)

type Ask = (query: number, parameters: string[]) => unknown

function onSqlite(path: string): Ask {
  const db = new DatabaseSync(path, { readOnly: true })
  const statements = queries.map((sql): StatementSync => {
    const statement = db.prepare(sql)
    statement.setReadBigInts(true)
    return statement
  })
  return (query, parameters) =>
    statements[query]?.all(...parameters.map((text) => (/^\d+$/.test(text) ? BigInt(text) : text)))
}

function onPostgres(config: pg.ClientConfig): Ask {
  const pool = new pg.Pool({ ...config, max: CONNECTIONS })
  return async (query, values) => (await pool.query({ name: `q${query}`, text: queries[query] ?? '', values })).rows
}

const server = createServer(async ({ url: path = '' }, response) => {
  const { pathname, searchParams } = new URL(path, 'http://localhost')
  const rows = await ask(Number(pathname.slice(1)), searchParams.getAll('p'))
  const text = JSON.stringify({ rows }, (_key, value) =>
    typeof value === 'bigint' ? JSON.rawJSON(value.toString()) : value,
  )
  response.writeHead(200, { 'content-type': 'application/json', 'content-length': Buffer.byteLength(text) }).end(text)
})
server.listen(0, '127.0.0.1', () => console.log((server.address() as AddressInfo).port))
