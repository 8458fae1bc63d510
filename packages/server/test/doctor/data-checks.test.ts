import assert from 'node:assert/strict'
import { mkdirSync, truncateSync, utimesSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { describe, it } from 'node:test'
import {
  backupsAreFresh,
  diskHasSpace,
  engineFits,
  migrationsAreApplied,
  storageWorks,
} from '../../src/doctor/data-checks.ts'
import { deploymentWith } from '../support/deployment.ts'
import { freshPath } from '../support/folder.ts'
import { vox } from '../support/vox.ts'

const HOUR_SECONDS = 3600

describe('the doctor on data', () => {
  it('recommends PostgreSQL for a large database', async () => {
    const file = freshPath('.db')
    const env = { VOX_DATABASE_URL: `sqlite:///${file}` }
    assert.equal((await vox('migrate', env)).status, 0)
    const small = await engineFits.run(deploymentWith(env))
    assert.equal(small.level, 'ok')
    assert.match(small.text, /, 0 accounts\.$/)
    truncateSync(file, 4 * 2 ** 30)
    const large = await engineFits.run(deploymentWith(env))
    assert.equal(large.level, 'warning')
    assert.match(large.cure ?? '', /migrate-data/)
  })

  it('refuses a database in memory or out of reach', async () => {
    const memory = await engineFits.run(deploymentWith({ VOX_DATABASE_URL: 'sqlite://' }))
    assert.equal(memory.level, 'error')
    const gone = await engineFits.run(deploymentWith({}, { database: { state: 'unknown', failure: 'No answer.' } }))
    assert.deepEqual([gone.level, gone.text], ['error', 'No answer.'])
  })

  it('says which migrations are to be done', async () => {
    for (const [state, level] of [
      ['current', 'ok'],
      ['missing', 'warning'],
      ['outdated', 'error'],
    ] as const)
      assert.equal((await migrationsAreApplied.run(deploymentWith({}, { database: { state } }))).level, level)
  })

  it('tries the storage folder', async () => {
    const folder = freshPath()
    const run = () => storageWorks.run(deploymentWith({ VOX_STORAGE_PATH: folder }))
    assert.equal((await run()).level, 'skipped')
    mkdirSync(folder)
    assert.equal((await run()).level, 'ok')
  })

  it('says who has to own a storage folder that cannot be used', async () => {
    const file = freshPath()
    writeFileSync(file, 'no folder')
    const { level, cure } = await storageWorks.run(deploymentWith({ VOX_STORAGE_PATH: file }))
    assert.equal(level, 'error')
    assert.match(cure ?? '', /own the folder/)
  })

  it('measures the disk where the data is', async () => {
    const nowhere = path.join(freshPath(), 'deep')
    const env = { VOX_STORAGE_PATH: nowhere, VOX_DATABASE_URL: `sqlite:///${path.join(nowhere, 'vox.db')}` }
    assert.equal((await diskHasSpace.run(deploymentWith(env))).level, 'skipped')
    mkdirSync(nowhere, { recursive: true })
    assert.match((await diskHasSpace.run(deploymentWith(env))).text, /are free in /)
  })

  it('wants a backup of the last two days', async () => {
    const backups = freshPath()
    const run = () => backupsAreFresh.run(deploymentWith({}, { backups }))
    assert.equal((await run()).level, 'error')
    mkdirSync(backups)
    const file = path.join(backups, 'old.tar')
    writeFileSync(file, '')
    assert.equal((await run()).level, 'ok')
    const past = Date.now() / 1000 - 49 * HOUR_SECONDS
    utimesSync(file, past, past)
    const stale = await run()
    assert.equal(stale.level, 'warning')
    assert.match(stale.cure ?? '', /vox backup/)
    assert.equal((await backupsAreFresh.run(deploymentWith())).level, 'skipped')
  })
})
