import assert from 'node:assert/strict'
import { mkdirSync, truncateSync, utimesSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { describe, it } from 'node:test'
import { migrateDatabase } from '../../src/db/open.ts'
import {
  backupsAreFresh,
  diskHasSpace,
  engineFits,
  migrationsAreApplied,
  storageWorks,
} from '../../src/doctor/data-checks.ts'
import { thisMachine } from '../../src/doctor/machine.ts'
import { deploymentWith, machineWith } from '../support/deployment.ts'
import { sqlite } from '../support/engines.ts'
import { freshPath } from '../support/folder.ts'
import { startS3 } from '../support/s3.ts'
import { runSql } from '../support/sql.ts'
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

  it('recommends PostgreSQL for two thousand accounts', async () => {
    const url = await sqlite.freshUrl()
    await migrateDatabase(url)
    const accounts = (from: number, to: number) => `
      with recursive n(id) as (select ${from} union all select id + 1 from n where id < ${to})
      insert into users (user_id, username, username_key, created_at) select id, 'u' || id, 'u' || id, 0 from n`
    const run = () => engineFits.run(deploymentWith({ VOX_DATABASE_URL: url }))
    await runSql(url, accounts(1, 1999))
    assert.equal((await run()).level, 'ok')
    await runSql(url, accounts(2000, 2000))
    const { level, text, cure } = await run()
    assert.equal(level, 'warning')
    assert.match(text, /, 2000 accounts\. .*PostgreSQL/)
    assert.match(cure ?? '', /migrate-data/)
  })

  it('tries the bucket, and says what to compare when it cannot be used', async () => {
    await using s3 = await startS3()
    const run = (env: Record<string, string> = {}) =>
      storageWorks.run(deploymentWith({ VOX_STORAGE_PATH: freshPath(), ...s3.env, ...env }))
    const fine = await run()
    assert.equal(fine.level, 'ok', fine.text)
    for (const env of [{ VOX_S3_BUCKET: 'another-bucket' }, { VOX_S3_ENDPOINT: 'http://127.0.0.1:1' }]) {
      const { level, text, cure } = await run(env)
      assert.equal(level, 'error', text)
      assert.match(text, /^the S3 bucket [a-z-]+: ./)
      assert.match(cure ?? '', /VOX_S3_/)
    }
  })

  it('measures the disks where the data is, and judges the fullest', async () => {
    const env = { VOX_STORAGE_PATH: '/uploads', VOX_DATABASE_URL: 'sqlite:////data/vox.db' }
    const run = (free: Record<string, number>) =>
      diskHasSpace.run(deploymentWith(env, { machine: machineWith({ free }) }))
    const [mib, gib] = [2 ** 20, 2 ** 30]
    for (const [free, level, text] of [
      [{}, 'skipped', /No folder/],
      [{ '/data': 2 * gib, '/uploads': 5 * gib }, 'ok', /2\.0 GiB are free in \/data/],
      [{ '/data': 5 * gib, '/uploads': 2 * gib - 1 }, 'warning', /are free in \/uploads/],
      [{ '/data': 256 * mib - 1, '/uploads': 5 * gib }, 'error', /are free in \/data/],
    ] as const) {
      const finding = await run(free)
      assert.equal(finding.level, level)
      assert.match(finding.text, text)
      assert.equal(finding.cure !== undefined, level === 'warning' || level === 'error')
    }
    assert.ok(((await thisMachine.freeBytes('/')) ?? 0) > 0)
    assert.equal(await thisMachine.freeBytes(freshPath()), undefined)
  })

  it('wants a backup of the last two days', async () => {
    const backups = freshPath()
    const run = () => backupsAreFresh.run(deploymentWith({}, { backups }))
    assert.equal((await run()).level, 'error')
    mkdirSync(backups)
    const file = path.join(backups, 'old.tar')
    writeFileSync(file, '')
    assert.match((await run()).text, /is empty/)
    writeFileSync(file, 'a backup')
    assert.equal((await run()).level, 'ok')
    const past = Date.now() / 1000 - 49 * HOUR_SECONDS
    utimesSync(file, past, past)
    const stale = await run()
    assert.equal(stale.level, 'warning')
    assert.match(stale.cure ?? '', /vox backup/)
    assert.equal((await backupsAreFresh.run(deploymentWith())).level, 'skipped')
  })
})
