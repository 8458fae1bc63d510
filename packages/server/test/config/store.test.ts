import assert from 'node:assert/strict'
import { it } from 'node:test'
import { systemClock } from '../../src/clock.ts'
import { Community } from '../../src/community/community.ts'
import { Config, InvalidSetting, type SettingChanges } from '../../src/config/config.ts'
import type { Env } from '../../src/config/environment.ts'
import { loadSettings, saveSettings } from '../../src/config/store.ts'
import { LocalBus } from '../../src/events/bus.ts'
import { UnitOfWork } from '../../src/events/work.ts'
import { SnowflakeSource } from '../../src/ids.ts'
import { openTestDatabase } from '../support/database.ts'
import { type Engine, forEachEngine } from '../support/engines.ts'
import { keepingLog } from '../support/log.ts'

/** A config over an empty database, and a way to change it. */
async function open(engine: Engine, env: Env = {}) {
  const database = await openTestDatabase(await engine.freshUrl())
  const ids = new SnowflakeSource(systemClock, 0)
  const units = new UnitOfWork(database, { ids, bus: new LocalBus(), community: new Community() })
  const config = new Config(env, keepingLog().log)
  return {
    config,
    units,
    save: (changes: SettingChanges) => units.run((work) => saveSettings(work, config, changes)),
    rows: async () => Object.fromEntries((await loadSettings(database.read)).map(({ key, value }) => [key, value])),
    [Symbol.asyncDispose]: () => database.close(),
  }
}

forEachEngine('the stored settings', (engine) => {
  it('are written, overwritten and deleted, and the config follows', async () => {
    await using store = await open(engine)
    const changed = await store.save(
      new Map([
        ['server.name', 'A'],
        ['limits.bio_max', '9'],
      ]),
    )
    assert.deepEqual([...changed], ['server.name', 'limits.bio_max'])
    assert.deepEqual(await store.rows(), { server_name: 'A', limit_bio_max: '9' })
    assert.deepEqual([store.config.get('server.name'), store.config.limits.bio_max], ['A', 9])
    await store.save(
      new Map([
        ['server.name', 'B'],
        ['limits.bio_max', null],
      ]),
    )
    assert.deepEqual(await store.rows(), { server_name: 'B' })
    assert.deepEqual([store.config.get('server.name'), store.config.limits.bio_max], ['B', 256])
  })

  it('come back after a restart', async () => {
    await using store = await open(engine)
    await store.save(new Map([['server.icon', '']]))
    const again = new Config({}, keepingLog().log)
    again.load(Object.entries(await store.rows()).map(([key, value]) => ({ key, value })))
    assert.equal(again.get('server.icon'), '')
  })

  it('stay as they are if one of several is refused', async () => {
    await using store = await open(engine)
    await assert.rejects(
      store.save(
        new Map([
          ['server.name', 'A'],
          ['limits.message_body_max', '0'],
        ]),
      ),
      InvalidSetting,
    )
    assert.deepEqual(await store.rows(), {})
    assert.equal(store.config.get('server.name'), 'Vox Server')
  })

  it('stay as they are if the unit of work fails', async () => {
    await using store = await open(engine)
    const failing = store.units.run(async (work) => {
      await saveSettings(work, store.config, new Map([['server.name', 'A']]))
      throw new Error('later step')
    })
    await assert.rejects(failing, /later step/)
    assert.deepEqual(await store.rows(), {})
    assert.equal(store.config.get('server.name'), 'Vox Server')
  })

  it('are kept without effect where the environment fixes the value', async () => {
    await using store = await open(engine, { VOX_SERVER_NAME: 'Fixed' })
    assert.equal((await store.save(new Map([['server.name', 'A']]))).size, 0)
    assert.deepEqual(await store.rows(), { server_name: 'A' })
    assert.equal(store.config.get('server.name'), 'Fixed')
  })

  it('are checked one change after another', async () => {
    await using store = await open(engine)
    const results = await Promise.allSettled([
      store.save(new Map([['limits.username_min', '20']])),
      store.save(new Map([['limits.username_max', '10']])),
    ])
    assert.deepEqual(
      results.map(({ status }) => status),
      ['fulfilled', 'rejected'],
    )
    assert.deepEqual(await store.rows(), { limit_username_min: '20' })
  })
})
