import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { maskPassword, parseDatabaseUrl } from '../../src/db/url.ts'

const postgres = (url: string) => {
  const target = parseDatabaseUrl(url)
  assert.equal(target.engine, 'postgres')
  return target
}

describe('the database URL', () => {
  const files: Record<string, string | null> = {
    'sqlite+aiosqlite:///vox.db': 'vox.db',
    'sqlite+aiosqlite:///data/vox.db': 'data/vox.db',
    'sqlite+aiosqlite:////var/lib/vox/vox.db': '/var/lib/vox/vox.db',
    'sqlite+aiosqlite://': null,
    'sqlite+aiosqlite:///': null,
    'sqlite+aiosqlite:///:memory:': null,
    'sqlite:///vox.db': 'vox.db',
    'sqlite:////abs/vox.db': '/abs/vox.db',
    'sqlite://': null,
    'SQLite:///vox.db': 'vox.db',
    'sqlite:///vox.db?timeout=20': 'vox.db',
    'sqlite:///50%25.db': '50%25.db',
    'file:vox.db': 'vox.db',
    'file:data/my%20vox.db': 'data/my vox.db',
    'file:/var/lib/vox.db': '/var/lib/vox.db',
    'file:///var/lib/vox.db': '/var/lib/vox.db',
    'file://localhost/var/lib/vox.db?mode=rwc': '/var/lib/vox.db',
    'file::memory:': null,
  }
  for (const [url, path] of Object.entries(files))
    it(`${url} is ${path === null ? 'a database in memory' : `the file ${path}`}`, () => {
      assert.deepEqual(parseDatabaseUrl(url), { engine: 'sqlite', path })
    })

  for (const scheme of ['postgresql+asyncpg', 'postgresql', 'postgres'])
    it(`${scheme}:// is a PostgreSQL server`, () => {
      assert.deepEqual(postgres(`${scheme}://vox:secret@db.example:5433/chat`), {
        engine: 'postgres',
        sslMode: 'prefer',
        certificates: {},
        config: { user: 'vox', password: 'secret', host: 'db.example', port: 5433, database: 'chat' },
      })
    })

  it('leaves out what the URL does not say', () => {
    assert.deepEqual(postgres('postgresql://localhost').config, { host: 'localhost' })
  })

  it('understands an IPv6 address', () => {
    assert.equal(postgres('postgresql://[::1]:5432/vox').config.host, '::1')
  })

  it('understands a socket directory, in the query or in place of the host', () => {
    assert.equal(postgres('postgresql:///vox?host=/run/postgresql').config.host, '/run/postgresql')
    assert.equal(postgres('postgresql://%2Frun%2Fpostgresql/vox').config.host, '/run/postgresql')
  })

  it('decodes user and password, whatever they contain', () => {
    fc.assert(
      fc.property(
        fc.string({ unit: 'grapheme', minLength: 1 }),
        fc.string({ unit: 'grapheme', minLength: 1 }),
        (user, password) => {
          const url = `postgresql+asyncpg://${encodeURIComponent(user)}:${encodeURIComponent(password)}@h/vox`
          const { config } = postgres(url)
          assert.deepEqual({ user: config.user, password: config.password }, { user, password })
        },
      ),
    )
  })

  it('takes a percent sign that encodes nothing as it is', () => {
    assert.equal(postgres('postgresql://vox:100%zz%40@h/vox').config.password, '100%zz@')
    assert.equal(postgres('postgresql://vox:%ff@h/vox').config.password, '%ff')
  })

  for (const mode of ['disable', 'allow', 'prefer', 'require', 'verify-ca', 'verify-full'])
    it(`ssl=${mode} and sslmode=${mode} mean the same`, () => {
      assert.equal(postgres(`postgresql://h/vox?ssl=${mode}`).sslMode, mode)
      assert.equal(postgres(`postgresql://h/vox?sslmode=${mode}`).sslMode, mode)
    })

  it('refuses an unknown TLS mode', () => {
    assert.throws(() => parseDatabaseUrl('postgresql://h/vox?ssl=maybe'), /sslmode is one of disable, allow/)
  })

  it('names the files with certificates and keys', () => {
    assert.deepEqual(postgres('postgresql://h/vox?sslrootcert=/ca.pem&sslcert=c.pem&sslkey=k.pem').certificates, {
      ca: '/ca.pem',
      cert: 'c.pem',
      key: 'k.pem',
    })
  })

  it('passes other parameters on', () => {
    const { config } = postgres('postgresql://h/vox?options=-csearch_path%3Dx&application_name=chat')
    assert.deepEqual(config, { host: 'h', database: 'vox', options: '-csearch_path=x', application_name: 'chat' })
  })

  for (const url of [
    'mysql://root:s3cret@h/vox',
    'vox.db',
    '',
    'sqlite:vox.db',
    'sqlite://vox.db',
    'postgresql://vox:s3cret@h:port/vox',
    'postgresql://vox:s3cret/with-slash@h/vox',
    'oracle:root:s3cret@h/vox',
  ])
    it(`refuses ${JSON.stringify(url)} without showing the password`, () => {
      assert.throws(
        () => parseDatabaseUrl(url),
        ({ message }: Error) => message.includes('is not valid') && !message.includes('s3cret'),
      )
    })
})

describe('a masked URL', () => {
  it('shows everything but the password', () => {
    assert.equal(maskPassword('postgresql+asyncpg://vox:p%40ss@h:5432/vox'), 'postgresql+asyncpg://vox:***@h:5432/vox')
    assert.equal(maskPassword('postgresql://h/vox?user=u&password=x&a=b'), 'postgresql://h/vox?user=u&password=***&a=b')
    assert.equal(maskPassword('sqlite+aiosqlite:////data/a@b.db'), 'sqlite+aiosqlite:////data/a@b.db')
  })

  it('never contains the password, even one that should have been encoded', () => {
    fc.assert(
      fc.property(fc.string({ minLength: 1 }), (noise) => {
        const secret = `<${noise}>`
        assert.ok(!maskPassword(`postgresql://vox:${secret}@host/vox`).includes(secret))
      }),
    )
  })
})
