import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { describe, it } from 'node:test'
import { envExample, withReference } from '../../src/config/reference.ts'
import { ALL_SETTINGS, SECTIONS } from '../../src/config/settings.ts'

const read = (path: string) => readFileSync(new URL(`../../../../${path}`, import.meta.url), 'utf8')

describe('the files that are generated from the settings', () => {
  const stale = 'stale: run "npm run generate"'

  it('.env.example is up to date', () => assert.ok(read('.env.example') === envExample(), stale))

  it('docs/configuration.md is up to date', () => {
    const page = read('docs/configuration.md')
    assert.ok(page === withReference(page), stale)
  })

  it('show every setting', () => {
    for (const [name, { env }] of ALL_SETTINGS) {
      assert.ok((name.split('.')[0] ?? '') in SECTIONS, `${name} belongs to no section`)
      assert.ok(envExample().includes(`\n#${env}=`), env)
    }
  })

  it('keep what is written by hand, and need its markers', () => {
    const page = read('docs/configuration.md')
    assert.ok(withReference(page).startsWith('# Configuration\n'))
    assert.throws(() => withReference('# Configuration\n'), /markers/)
  })
})
