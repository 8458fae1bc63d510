import { serverUpdate } from '@vox/protocol'
import type { ServerObject, ServerPatch } from '@vox/protocol/endpoints'
import type { SettingChanges } from '../../config/config.ts'
import { SETTINGS, type StoredName } from '../../config/settings.ts'
import { saveSettings } from '../../config/store.ts'
import type { Core } from '../../core.ts'
import type { Work } from '../../events/work.ts'
import { cleared, isEmpty } from '../../patches.ts'
import type { Services } from '../../services.ts'

const FIELDS = ['name', 'icon', 'description'] as const

/** What the server says of itself. */
export function serverObject({ config, community }: Services): ServerObject {
  return {
    name: config.get('server.name'),
    icon: config.get('server.icon') || null,
    description: config.get('server.description') || null,
    member_count: community.memberCount,
  }
}

/** Changes what the server says of itself (spec 03, section 1). */
export async function updateProfile(services: Services, callerId: number, patch: ServerPatch): Promise<void> {
  if (isEmpty(patch)) return
  const given = cleared(patch, 'icon', 'description')
  const changes = Object.entries(given).map(([field, value]) => [`server.${field}` as StoredName, value] as const)
  await services.work.run(async (job) => {
    await saveProfile(services, job, new Map(changes))
    job.audit({ type: 'server.update', actor: callerId, metadata: given })
  })
}

/**
 * Stores settings, and tells everybody about those of the profile among them. What the environment fixes has no effect
 * and is not told.
 */
export async function saveProfile({ config }: Core, job: Work, changes: SettingChanges): Promise<void> {
  await saveSettings(job, config, changes)
  const effective = FIELDS.map((field) => ({ field, name: `server.${field}` as const })).filter(
    ({ name }) => changes.has(name) && config.source(name) !== 'environment',
  )
  if (effective.length === 0) return
  const values = effective.map(({ field, name }) => [field, (changes.get(name) ?? SETTINGS[name].default) || null])
  job.emit(serverUpdate, Object.fromEntries(values), { to: 'members' })
}
