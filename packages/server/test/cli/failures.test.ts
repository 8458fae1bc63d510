import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createServer } from 'node:net'
import { describe, it } from 'node:test'
import { describeFailure } from '../../src/cli/failures.ts'
import { ConfigError } from '../../src/config/config.ts'
import { DatabaseInUse } from '../../src/db/lock.ts'
import { SchemaRefused } from '../../src/db/migrate.ts'

/** The error of listening at an address where that is not possible. */
async function listenError(options: { host: string; port: number }): Promise<unknown> {
  const server = createServer().listen(options)
  const [error] = await once(server, 'error')
  return error
}

const coded = (message: string, properties: object) => Object.assign(new Error(message), properties)

describe('the failure of a command', () => {
  it('is told in the words of the configuration', () => {
    assert.equal(
      describeFailure(new ConfigError(['VOX_PORT is "x".', 'VOX_HOST is "y".'])),
      'VOX_PORT is "x".\nVOX_HOST is "y".',
    )
  })

  it('names a port that is taken', async () => {
    const taken = createServer().listen({ host: '127.0.0.1', port: 0 })
    await once(taken, 'listening')
    const address = taken.address()
    const port = typeof address === 'object' ? (address?.port ?? 0) : 0
    const told = describeFailure(await listenError({ host: '127.0.0.1', port }))
    assert.match(told, new RegExp(`^Port ${port} at 127.0.0.1 is taken .* --port or VOX_PORT\\.$`))
    taken.close()
  })

  it('names an address that is not there', async () => {
    const told = describeFailure(await listenError({ host: '192.0.2.1', port: 0 }))
    assert.match(told, /^This machine has no address 192\.0\.2\.1\. .* VOX_HOST\.$/)
  })

  for (const [what, error, expected] of [
    [
      'a privileged port',
      coded('x', { code: 'EACCES', syscall: 'listen', port: 80 }),
      /^Port 80 is reserved .*VOX_PORT\.$/,
    ],
    [
      'an unknown host name',
      coded('x', { code: 'ENOTFOUND', syscall: 'getaddrinfo', hostname: 'nowhere' }),
      /nowhere.*VOX_HOST/,
    ],
    [
      'another system error',
      coded("EACCES: permission denied, mkdir 'up'", { code: 'EACCES', syscall: 'mkdir' }),
      /mkdir 'up'\.$/,
    ],
    [
      'a file that is not there',
      coded('x', { code: 'ENOENT', syscall: 'open', path: '/no.tar' }),
      /^There is no file \/no\.tar\.$/,
    ],
    [
      'a broken database file',
      coded('file is not a database', { code: 'ERR_SQLITE_ERROR' }),
      /\(file is not a database\)/,
    ],
    ['a database in use', new DatabaseInUse(new Error('locked')), /^Another .*\.$/],
    [
      'a database of another program',
      new SchemaRefused('the database holds tables'),
      /^The database .* VOX_DATABASE_URL\.$/,
    ],
    ['an explained failure', new Error('cannot connect', { cause: new Error('refused') }), /^Cannot connect\.$/],
  ] as const)
    it(`is one sentence without a stack for ${what}`, () => {
      const told = describeFailure(error)
      assert.match(told, expected)
      assert.ok(!told.includes('\n'), told)
    })

  it('comes with its stack if it is a defect', () => {
    assert.match(describeFailure(new TypeError('x is undefined')), /^TypeError: x is undefined\n {4}at /)
    assert.match(describeFailure(coded('odd', { code: 'ERR_ODD' })), /^Error: odd\n {4}at /)
    assert.equal(describeFailure('thrown text'), 'thrown text')
  })
})
