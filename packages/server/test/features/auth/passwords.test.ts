import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { Passwords } from '../../../src/features/auth/passwords.ts'

const CHEAP = { memory: 8, passes: 1, parallelism: 1 }
/** From the reference implementation's own tests. */
const REFERENCE = '$argon2id$v=19$m=65536,t=2,p=1$c29tZXNhbHQ$CTFhFdXPJO1aFaMaO6Mm5c8y7cJHAph8ArZWb2GRPPc'

describe('password hashes', () => {
  it('are PHC strings with the cost they were made at, and a salt of their own', async () => {
    const passwords = new Passwords(CHEAP)
    const [one, two] = await Promise.all([passwords.hash('secret'), passwords.hash('secret')])
    assert.match(one, /^\$argon2id\$v=19\$m=8,t=1,p=1\$[A-Za-z0-9+/]{22}\$[A-Za-z0-9+/]{43}$/)
    assert.notEqual(one, two)
  })

  it('match their password and no other', async () => {
    const passwords = new Passwords(CHEAP)
    const stored = await passwords.hash('ﬁsh 🐟')
    assert.equal(await passwords.matches('ﬁsh 🐟', stored), true)
    for (const other of ['fish 🐟', 'ﬁsh 🐟 ', '', 'ﬁsh']) assert.equal(await passwords.matches(other, stored), false)
  })

  it('verify whatever their cost, and tell when it is not the present one', async () => {
    const passwords = new Passwords(CHEAP)
    assert.equal(await passwords.matches('password', REFERENCE), true)
    assert.equal(await passwords.matches('Password', REFERENCE), false)
    assert.equal(passwords.isOutdated(REFERENCE), true)
    assert.equal(passwords.isOutdated(await passwords.hash('password')), false)
    assert.equal(passwords.isOutdated(await new Passwords({ ...CHEAP, passes: 2 }).hash('password')), true)
  })

  it('that cannot be read match nothing', async () => {
    const passwords = new Passwords(CHEAP)
    const [salt, hash] = ['c29tZXNhbHQ', 'CTFhFdXPJO1aFaMaO6Mm5c8y7cJHAph8ArZWb2GRPPc']
    for (const stored of [
      '',
      'plain',
      '$2b$12$KIXQ',
      `$argon2i$v=19$m=64,t=1,p=1$${salt}$${hash}`,
      `$argon2id$v=19$m=64,t=1,p=1$${salt}$AAA`,
      `$argon2id$v=19$m=64,t=1,p=1$AAAA$${hash}`,
      `$argon2id$v=19$m=1,t=1,p=1$${salt}$${hash}`,
      `$argon2id$v=19$m=64,t=0,p=1$${salt}$${hash}`,
      `$argon2id$v=19$m=99999999999999,t=1,p=1$${salt}$${hash}`,
      null,
      undefined,
    ])
      assert.equal(await passwords.matches('password', stored), false, String(stored))
  })

  it('take as long to look for in vain as to find wrong', async () => {
    const passwords = new Passwords({ memory: 16_384, passes: 1, parallelism: 1 })
    const stored = await passwords.hash('secret')
    const fastest = { known: Number.POSITIVE_INFINITY, unknown: Number.POSITIVE_INFINITY }
    await passwords.matches('wrong', null)
    for (let i = 0; i < 8; i++)
      for (const kind of ['known', 'unknown'] as const) {
        const start = performance.now()
        await passwords.matches('wrong', kind === 'known' ? stored : null)
        fastest[kind] = Math.min(fastest[kind], performance.now() - start)
      }
    const ratio = fastest.unknown / fastest.known
    assert.ok(ratio > 0.5 && ratio < 2, `${fastest.unknown} ms and ${fastest.known} ms`)
  })

  it('are refused when too many wait, and made again when they do not', async () => {
    const passwords = new Passwords({ memory: 4096, passes: 1, parallelism: 1 })
    const results = await Promise.allSettled(Array.from({ length: 100 }, () => passwords.hash('secret')))
    const refused = results.filter(({ status }) => status === 'rejected')
    assert.ok(refused.length > 0 && refused.length <= 36)
    for (const result of refused) {
      assert.equal(result.status === 'rejected' && result.reason.code, 'AUTH_RATE_LIMITED')
      assert.equal(result.status === 'rejected' && result.reason.envelope.error.retry_after_ms, 1000)
    }
    assert.equal(await passwords.matches('secret', await passwords.hash('secret')), true)
  })

  it('of random secrets cost less memory, and never less than the algorithm takes', async () => {
    assert.match(await new Passwords({ ...CHEAP, memory: 64 }).hashRandom('x'), /\$m=16,t=1,p=1\$/)
    assert.match(await new Passwords({ memory: 32, passes: 1, parallelism: 4 }).hashRandom('x'), /\$m=32,t=1,p=4\$/)
  })
})
