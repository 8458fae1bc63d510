import assert from 'node:assert/strict'
import { statSync, symlinkSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { describe, it } from 'node:test'
import { Config } from '../../src/config/config.ts'
import type { Env } from '../../src/config/environment.ts'
import { controlSocketPath } from '../../src/control/socket-path.ts'
import { freshPath } from '../support/folder.ts'
import { keepingLog } from '../support/log.ts'

const pathFor = (env: Env) => controlSocketPath(new Config(env, keepingLog().log))
const forDatabase = (VOX_DATABASE_URL: string) => pathFor({ VOX_DATABASE_URL })

describe('the place of the control socket', () => {
  it('is beside the database file, by whatever link that is opened', () => {
    const file = freshPath('.db')
    writeFileSync(file, '')
    symlinkSync(file, `${file}.link`)
    assert.equal(forDatabase(`sqlite:///${file}`), `${file}.sock`)
    assert.equal(forDatabase(`sqlite:///${file}.link`), `${file}.sock`)
  })

  it('is short enough for the system, however long the path of the file', () => {
    const socket = forDatabase(`sqlite:////tmp/${'x'.repeat(120)}.db`) ?? ''
    assert.ok(Buffer.byteLength(socket) <= 100)
    assert.notEqual(socket, forDatabase(`sqlite:////tmp/${'x'.repeat(121)}.db`))
  })

  it('is in a folder of this user alone for PostgreSQL, one for each database', () => {
    const socket = forDatabase('postgresql://vox:secret@db:5432/chat') ?? ''
    assert.equal(statSync(path.dirname(socket)).mode & 0o777, 0o700)
    assert.equal(socket, forDatabase('postgres://vox:changed@db:5432/chat'))
    assert.notEqual(socket, forDatabase('postgresql://vox:secret@db:5432/other'))
    assert.notEqual(socket, forDatabase('postgresql://vox:secret@db2:5432/chat'))
    assert.ok(!socket.includes('secret'))
  })

  it('is nowhere for a database in memory', () => {
    assert.equal(forDatabase('sqlite://'), null)
  })

  it('can be chosen', () => {
    assert.equal(
      pathFor({ VOX_DATABASE_URL: 'sqlite://', VOX_CONTROL_SOCKET: '/run/vox/control.sock' }),
      '/run/vox/control.sock',
    )
  })
})
