import { type SettingEntry, settingNamed, storedSetting } from '../config/config.ts'
import type { Core } from '../core.ts'
import { updateSetting } from '../features/server/configuration.ts'
import { Refusal } from '../refusal.ts'

/** Every setting with where its value comes from. */
export const listSettings = ({ config }: Core): SettingEntry[] => config.entries()

/** Sets a setting in the database, or with null takes it back; gives what holds from now on. */
export async function changeSetting(
  core: Core,
  { name, value }: { name: string; value: string | null },
): Promise<SettingEntry> {
  const entry = () => core.config.entries().find((candidate) => candidate.name === settingNamed(name))
  const before = entry()
  if (!before) throw new Refusal(`There is no setting ${name}.`)
  if (!storedSetting(before.name))
    throw new Refusal(`${before.name} comes from the environment only: set ${before.variable} and restart the server.`)
  await updateSetting(core, null, before.name, value)
  return entry() ?? before
}
