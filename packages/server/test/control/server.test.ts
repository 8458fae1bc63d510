import assert from 'node:assert/strict'
import { once } from 'node:events'
import { chmodSync, existsSync, mkdirSync, renameSync, statSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { describe, it } from 'node:test'
import { ask, canConnect } from '../../src/control/client.ts'
import { type Answerer, ControlServer } from '../../src/control/server.ts'
import { Refusal } from '../../src/refusal.ts'
import { freshPath } from '../support/folder.ts'
import { keepingLog } from '../support/log.ts'

const echo: Answerer = async (_name, input) => input

const listen = (path: string, answer = echo) => ControlServer.listen(path, answer, keepingLog().log)

describe('the control socket', () => {
  it('answers with what an operation gives, digit for digit', async () => {
    const path = freshPath()
    await using _ = await listen(path)
    const value = { id: 9223372036854775807n, name: 'ä', nothing: null }
    assert.deepEqual(await ask(path, 'echo', value), value)
  })

  it('is for its user alone', async () => {
    const path = freshPath()
    await using _ = await listen(path)
    assert.equal(statSync(path).mode & 0o777, 0o600)
  })

  it('is gone when the server is', async () => {
    const path = freshPath()
    {
      await using _ = await listen(path)
      assert.ok(await canConnect(path))
    }
    assert.ok(!existsSync(path))
    assert.equal(await canConnect(path), false)
    await assert.rejects(ask(path, 'echo', {}), /The server has stopped/)
  })

  it('replaces one that a crash left behind', async () => {
    const path = freshPath()
    const crashed = createServer().listen(path)
    await once(crashed, 'listening')
    const left = freshPath()
    renameSync(path, left) // closing would remove it
    crashed.close()
    await once(crashed, 'close')
    assert.equal(await canConnect(left), false)
    await using _ = await listen(left)
    assert.deepEqual(await ask(left, 'echo', {}), {})
  })

  it('takes the place of nothing else', async () => {
    const path = freshPath()
    writeFileSync(path, 'notes')
    await assert.rejects(listen(path), /is not a socket/)
    const used = freshPath()
    await using _ = await listen(used)
    await assert.rejects(listen(used), /Another server listens/)
    assert.deepEqual(await ask(used, 'echo', {}), {})
  })

  it('passes a refusal on in its own words, and a defect as no more than that', async () => {
    const path = freshPath()
    const { records, log } = keepingLog()
    const failures: Record<string, Error> = { refuse: new Refusal('Not today.'), break: new Error('details') }
    await using _ = await ControlServer.listen(path, (name) => failures[name] && Promise.reject(failures[name]), log)
    await assert.rejects(ask(path, 'refuse', {}), new Refusal('Not today.'))
    await assert.rejects(ask(path, 'break', {}), new Refusal('The server failed at this; its log says why.'))
    assert.deepEqual(
      records.map(({ operation }) => operation),
      ['break'],
    )
  })

  it('says what a server of another version does not know', async () => {
    const path = freshPath()
    await using _ = await ControlServer.listen(path, () => undefined, keepingLog().log)
    await assert.rejects(ask(path, 'new', {}), /does not know "new"/)
  })

  it('tells another user to be the right one', {
    skip: process.getuid?.() === 0 && 'root may open everything',
  }, async () => {
    const folder = freshPath()
    mkdirSync(folder)
    await using _ = await listen(`${folder}/socket`)
    chmodSync(folder, 0)
    await assert.rejects(canConnect(`${folder}/socket`), /belongs to another user/)
    chmodSync(folder, 0o700)
  })
})
