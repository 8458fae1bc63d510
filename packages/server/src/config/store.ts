import type { Kysely } from 'kysely'
import type { Schema } from '../db/schema.ts'
import type { Work } from '../events/work.ts'
import type { Config, SettingChanges, SettingRow } from './config.ts'
import { SETTINGS, type SettingName } from './settings.ts'

export function loadSettings(db: Kysely<Schema>): Promise<SettingRow[]> {
  return db.selectFrom('settings').select(['key', 'value']).execute()
}

/**
 * Writes rows as part of a unit of work; the config follows when the transaction has committed.
 *
 * @returns the settings whose effective value changes; those fixed by the environment do not.
 * @throws InvalidSetting as `Config.check` does.
 */
export async function saveSettings(
  work: Pick<Work, 'db' | 'change'>,
  config: Config,
  changes: SettingChanges,
): Promise<ReadonlySet<SettingName>> {
  const changed = config.check(changes)
  for (const [name, value] of changes) {
    const { key } = SETTINGS[name]
    if (value === null) await work.db.deleteFrom('settings').where('key', '=', key).execute()
    else
      await work.db
        .insertInto('settings')
        .values({ key, value })
        .onConflict((row) => row.column('key').doUpdateSet({ value }))
        .execute()
  }
  work.change(() => config.update(changes))
  return changed
}
