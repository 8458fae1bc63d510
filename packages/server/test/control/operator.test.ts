import assert from 'node:assert/strict'
import { writeFileSync } from 'node:fs'
import { describe, it } from 'node:test'
import { openTestDatabase } from '../support/database.ts'
import { sqlite } from '../support/engines.ts'
import { freshPath } from '../support/folder.ts'
import { keepingLog } from '../support/log.ts'
import { startTestServer } from '../support/server.ts'
import { vox } from '../support/vox.ts'

describe('an operator', () => {
  it('waits for a server that is just starting', async () => {
    const databaseUrl = await sqlite.freshUrl()
    const starting = await openTestDatabase(databaseUrl)
    const listed = vox('admin list', { VOX_DATABASE_URL: databaseUrl })
    setImmediate(() => starting.close())
    assert.deepEqual(await listed, { status: 0, out: '', err: '' })
  })

  it('reaches a server at the socket that was chosen for it', async () => {
    const env = { VOX_CONTROL_SOCKET: freshPath(), VOX_DATABASE_URL: 'sqlite://' }
    await using server = await startTestServer(sqlite, { env })
    await server.register('ada')
    assert.deepEqual(await vox('admin list', env), { status: 0, out: '1  ada\n', err: '' })
  })

  it('is told by the log when there can be no socket, and the server runs all the same', async () => {
    const { records, log } = keepingLog()
    const taken = freshPath()
    writeFileSync(taken, 'notes')
    await using server = await startTestServer(sqlite, { env: { VOX_CONTROL_SOCKET: taken }, log })
    assert.equal((await server.visitor.raw('GET', '/health')).status, 200)
    const [warning] = records.filter(({ logger }) => logger === 'control')
    assert.match(String(warning?.message), /no control socket/)
    assert.match(String(warning?.exception), /is not a socket/)
  })
})
