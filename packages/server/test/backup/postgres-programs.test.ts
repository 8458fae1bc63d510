import assert from 'node:assert/strict'
import { mkdirSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { describe, it } from 'node:test'
import { connectionEnvironment, findProgram } from '../../src/backup/postgres-programs.ts'
import { parseDatabaseUrl } from '../../src/db/url.ts'
import { freshPath } from '../support/folder.ts'

/** A folder with a pg_dump that says to be of this version. */
function folderWith(version: string): string {
  const folder = freshPath()
  mkdirSync(folder)
  writeFileSync(path.join(folder, 'pg_dump'), `#!/bin/sh\necho 'pg_dump (PostgreSQL) ${version}'\n`, { mode: 0o755 })
  return folder
}

const environment = (url: string) => {
  const target = parseDatabaseUrl(url)
  assert.ok(target.engine === 'postgres')
  return connectionEnvironment(target, { PATH: '/bin' })
}

describe('the programs of PostgreSQL', () => {
  const [old, fitting, newer, newest] = ['98.1', '201.3 (Debian 201.3-1)', '202beta1', '203.0'].map(folderWith)
  const PATH = [newest, old, newer, fitting, '/does/not/exist'].join(':')

  it('are the oldest that will do', async () => {
    assert.deepEqual(await findProgram('pg_dump', 200, '', { PATH }), { path: `${fitting}/pg_dump`, version: 201 })
    assert.deepEqual(await findProgram('pg_dump', 202, '', { PATH }), { path: `${newer}/pg_dump`, version: 202 })
  })

  it('are asked for by the version that is needed', async () => {
    await assert.rejects(findProgram('pg_dump', 204, 'The server is PostgreSQL 204', { PATH }), {
      message:
        'The server is PostgreSQL 204, but the newest pg_dump on this machine is of PostgreSQL 203 ' +
        `(${newest}/pg_dump). Install the package postgresql-client-204, or put pg_dump on the PATH.`,
    })
  })
})

describe('the environment of those programs', () => {
  it('says what the URL says', () => {
    assert.deepEqual(
      environment(
        'postgresql+asyncpg://vox:p%40ss@db:5433/chat?sslmode=verify-full&sslrootcert=/ca.pem&options=-cx%3Dy',
      ),
      {
        PATH: '/bin',
        PGHOST: 'db',
        PGPORT: '5433',
        PGUSER: 'vox',
        PGPASSWORD: 'p@ss',
        PGDATABASE: 'chat',
        PGOPTIONS: '-cx=y',
        PGSSLMODE: 'verify-full',
        PGSSLROOTCERT: '/ca.pem',
      },
    )
  })

  it('leaves the usual variables where the URL leaves something out', () => {
    assert.deepEqual(environment('postgresql:///chat?host=/run/postgresql'), {
      PATH: '/bin',
      PGHOST: '/run/postgresql',
      PGDATABASE: 'chat',
      PGSSLMODE: 'prefer',
    })
  })
})
