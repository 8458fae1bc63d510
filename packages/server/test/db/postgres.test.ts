import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { type AddressInfo, createServer } from 'node:net'
import { describe, it } from 'node:test'
import { sql } from 'kysely'
import { type Database, DatabaseUnavailable, type Tx } from '../../src/db/database.ts'
import { queriesOver } from '../../src/db/dialect.ts'
import { migrateDatabase } from '../../src/db/open.ts'
import { PostgresReader, reachable } from '../../src/db/postgres.ts'
import { parseDatabaseUrl } from '../../src/db/url.ts'
import { openTestDatabase } from '../support/database.ts'
import { type Engine, engines } from '../support/engines.ts'
import { eventually } from '../support/eventually.ts'
import { proxied } from '../support/proxied-database.ts'
import { runSql } from '../support/sql.ts'
import type { TcpProxy } from '../support/tcp-proxy.ts'

const mark = (name: string) => async (tx: Tx) => {
  await tx.db.insertInto('server_marks').values({ name }).execute()
}

const marks = async ({ read }: Database) => {
  const rows = await read.selectFrom('server_marks').select('name').orderBy('name').execute()
  return rows.map(({ name }) => name)
}

/** A fresh database whose connections can be told from all others. */
async function killable(engine: Engine) {
  const directUrl = await engine.freshUrl()
  const name = `vox_${randomBytes(8).toString('hex')}`
  const end = `select pg_terminate_backend(pid) from pg_stat_activity where application_name = '${name}'`
  return { name, url: `${directUrl}&application_name=${name}`, endConnections: () => runSql(directUrl, end) }
}

describe('TLS to a PostgreSQL server that has none', () => {
  for (const mode of ['require', 'verify-ca', 'verify-full'])
    it(`is insisted on by sslmode=${mode}`, async () => {
      await using server = await refusingTls()
      await assert.rejects(
        migrateDatabase(`postgresql://127.0.0.1:${server.port}/vox?sslmode=${mode}`),
        /cannot connect to the PostgreSQL server: .*does not support SSL/,
      )
      assert.deepEqual(server.greetings, ['TLS'])
    })

  const attempts = { disable: ['plain'], allow: ['plain', 'TLS'], prefer: ['TLS', 'plain'] }
  for (const [mode, greetings] of Object.entries(attempts))
    it(`is asked for by sslmode=${mode} ${greetings.includes('TLS') ? 'but not insisted on' : 'never'}`, async () => {
      await using server = await refusingTls()
      await assert.rejects(migrateDatabase(`postgresql://127.0.0.1:${server.port}/vox?sslmode=${mode}`))
      assert.deepEqual(server.greetings, greetings)
    })
})

/** Answers a request for TLS as a PostgreSQL server does that has none, and hangs up on everybody. */
async function refusingTls() {
  const TLS_REQUEST = Buffer.from('0000000804d2162f', 'hex')
  const greetings: string[] = []
  const server = createServer((socket) =>
    socket
      .on('error', () => {})
      .once('data', (greeting) => {
        greetings.push(greeting.equals(TLS_REQUEST) ? 'TLS' : 'plain')
        socket.end(greeting.equals(TLS_REQUEST) ? 'N' : '')
      }),
  ).listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  return { port, greetings, [Symbol.asyncDispose]: async () => void server.close() }
}

for (const engine of engines.filter(({ name }) => name === 'postgres')) {
  describe('a PostgreSQL server that ends connections', () => {
    it('is not noticed between queries', async () => {
      const { url, endConnections } = await killable(engine)
      await using database = await openTestDatabase(url)
      await database.write(mark('before'))
      assert.deepEqual(await marks(database), ['before'])
      await endConnections()
      assert.deepEqual(await marks(database), ['before'])
      await database.write(mark('after'))
      await database.ping()
      assert.deepEqual(await marks(database), ['after', 'before'])
    })

    it('fails the running batch as a whole, and no later job', async () => {
      const { url, endConnections } = await killable(engine)
      await using database = await openTestDatabase(url)
      const effects: string[] = []
      const [first, second, third] = await Promise.allSettled([
        database.write(async (tx) => {
          await mark('first')(tx)
          tx.afterCommit(() => effects.push('first'))
        }),
        database.write(async (tx) => {
          tx.seal()
          await endConnections()
          await mark('second')(tx)
        }),
        database.write(mark('third')),
      ])
      assert.ok(first.status === 'rejected' && first.reason instanceof DatabaseUnavailable)
      assert.ok(second.status === 'rejected' && second.reason instanceof DatabaseUnavailable)
      assert.equal(third.status, 'fulfilled')
      assert.deepEqual(effects, [])
      assert.deepEqual(await marks(database), ['third'])
    })
  })

  describe('a PostgreSQL server out of reach', () => {
    it('makes reads, writes and pings fail until it is back', async () => {
      const { url, proxy } = await proxied(engine)
      await using _ = proxy
      await using database = await openTestDatabase(url)
      await database.write(mark('before'))
      await proxy.disconnect()
      await assert.rejects(marks(database), DatabaseUnavailable)
      await assert.rejects(database.ping(), DatabaseUnavailable)
      const writes = await Promise.allSettled([database.write(mark('a')), database.write(mark('b'))])
      for (const write of writes) assert.ok(write.status === 'rejected' && write.reason instanceof DatabaseUnavailable)
      await proxy.connect()
      await database.write(mark('after'))
      assert.deepEqual(await marks(database), ['after', 'before'])
    })

    it('stops the start with a reason', async () => {
      const { url, proxy } = await proxied(engine)
      await proxy.disconnect()
      await assert.rejects(openTestDatabase(url), /cannot connect to the PostgreSQL server: .*ECONNREFUSED/)
    })

    it('may be taken over by another process, after which this one writes no more', async () => {
      const { url, directUrl, proxy } = await proxied(engine)
      await using _ = proxy
      let lost = 0
      await using database = await openTestDatabase(url, { onLockLost: () => lost++ })
      await database.write(mark('mine'))
      await proxy.disconnect()
      {
        await using other = await eventually(() => openTestDatabase(directUrl))
        await other.write(mark('theirs'))
        await proxy.connect()
        await assert.rejects(database.write(mark('mine again')), DatabaseUnavailable)
      }
      await assert.rejects(database.write(mark('and again')), DatabaseUnavailable)
      assert.equal(lost, 1)
      assert.deepEqual(await marks(database), ['mine', 'theirs'])
    })
  })

  describe('a commit whose answer is lost', () => {
    /** Writes a mark through a proxy that the commit does not pass unharmed, then another one. */
    async function commitThrough(cut: (proxy: TcpProxy) => void) {
      const { url, proxy } = await proxied(engine)
      await using _ = proxy
      await using database = await openTestDatabase(url)
      const effects: string[] = []
      const job = (name: string) => async (tx: Tx) => {
        await mark(name)(tx)
        if (name === 'doubtful') cut(proxy)
        tx.afterCommit(() => effects.push(name))
      }
      await assert.rejects(database.write(job('doubtful')), DatabaseUnavailable)
      assert.deepEqual(effects, [])
      proxy.fromClient = () => true
      proxy.fromServer = () => true
      await database.write(job('next'))
      return { effects, marks: await marks(database) }
    }

    it('has its effects, if late, when it happened', async () => {
      const outcome = await commitThrough((proxy) => {
        proxy.fromServer = (chunk) => !chunk.includes('COMMIT')
      })
      assert.deepEqual(outcome, { effects: ['doubtful', 'next'], marks: ['doubtful', 'next'] })
    })

    it('has none when it did not, even though the server still holds the lock for the lost connection', async () => {
      const outcome = await commitThrough((proxy) => {
        proxy.fromClient = (chunk) => !chunk.includes('commit')
      })
      assert.deepEqual(outcome, { effects: ['next'], marks: ['next'] })
    })
  })

  describe('PostgreSQL connections', () => {
    it('limit how long a statement may take', async () => {
      await using database = await openTestDatabase(await engine.freshUrl())
      const { rows } = await sql<{ timeout: string }>`select current_setting('statement_timeout') as timeout`.execute(
        database.read,
      )
      assert.deepEqual(rows, [{ timeout: '30s' }])
    })

    it('are given up when the server is silent', async () => {
      const target = parseDatabaseUrl(await engine.freshUrl())
      assert.equal(target.engine, 'postgres')
      const limits = { statement_timeout: 2_000, query_timeout: 100 }
      const pool = { poolSize: 1, maxOverflow: 0, poolRecycleSeconds: 0 }
      await using reader = new PostgresReader({ ...(await reachable(target)), ...limits }, pool)
      const read = queriesOver('postgres', reader.execute)
      await assert.rejects(sql`select pg_sleep(10)`.execute(read), DatabaseUnavailable)
      assert.equal(reader.stats.connections, 0)
    })

    it('are no more than the pool may hold', async () => {
      const { url, name } = await killable(engine)
      await using database = await openTestDatabase(url, { poolSize: 1, maxOverflow: 1 })
      await Promise.all(Array.from({ length: 8 }, () => sql`select pg_sleep(0.01)`.execute(database.read)))
      const connections = sql`select count(*) as count from pg_stat_activity where application_name = ${name}`
      assert.deepEqual((await connections.execute(database.read)).rows, [{ count: 1 + 2 }]) // one writes
    })
  })
}
