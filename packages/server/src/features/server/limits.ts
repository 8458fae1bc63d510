import { ApiError, LIMITS, type LimitName } from '@vox/protocol'
import { InvalidSetting, type SettingChanges } from '../../config/config.ts'
import { saveSettings } from '../../config/store.ts'
import { isEmpty } from '../../patches.ts'
import type { Services } from '../../services.ts'

/** Changes limits, all of them or none (spec 03, section 1). */
export async function changeLimits(
  { config, work }: Services,
  callerId: number,
  wanted: Readonly<Record<string, number>>,
): Promise<void> {
  if (isEmpty(wanted)) return
  const limits = Object.entries(wanted).map(([name, value]) => [settingOf(name), value] as const)
  const changes: SettingChanges = new Map(limits.map(([name, value]) => [name, String(value)]))
  await work.run(async (job) => {
    const changed = await saveSettings(job, config, changes).catch(asInvalidLimit)
    for (const [key, value] of limits)
      if (changed.has(key)) job.audit({ type: 'config.update', actor: callerId, metadata: { key, value } })
  })
}

function settingOf(name: string): `limits.${LimitName}` {
  if (!Object.hasOwn(LIMITS, name)) throw new ApiError('INVALID_LIMIT', { message: `There is no limit ${name}.` })
  return `limits.${name as LimitName}`
}

function asInvalidLimit(error: unknown): never {
  throw error instanceof InvalidSetting ? new ApiError('INVALID_LIMIT', { message: error.message }) : error
}
