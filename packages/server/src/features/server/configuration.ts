import { ApiError, decode, type Limits } from '@vox/protocol'
import { ServerPatch } from '@vox/protocol/endpoints'
import { InvalidSetting, storedSetting } from '../../config/config.ts'
import type { StoredName } from '../../config/settings.ts'
import type { Core } from '../../core.ts'
import { saveProfile } from './profile.ts'

/** Made by the server itself, and never over the network. */
const KEY_MATERIAL: ReadonlySet<StoredName> = new Set(['federation.private_key', 'federation.public_key'])

/** Sets one setting, or with null takes it back (spec 01, section 10.6). No actor is the operator. */
export async function updateSetting(
  core: Core,
  actor: number | null,
  nameOrKey: string,
  value: string | null,
): Promise<void> {
  const { config, work } = core
  const name = storedSetting(nameOrKey)
  if (!name || KEY_MATERIAL.has(name))
    throw new ApiError('INVALID_LIMIT', { message: `There is no setting ${nameOrKey} that could be changed here.` })
  checkLikeProfile(name, value, config.limits)
  await work.run(async (job) => {
    await saveProfile(core, job, new Map([[name, value]])).catch(asInvalid)
    job.audit({ type: 'config.update', actor, metadata: { key: name } })
  })
}

/** What `PATCH /server` refuses is refused here too. */
function checkLikeProfile(name: StoredName, value: string | null, limits: Limits): void {
  const [section, field = ''] = name.split('.')
  if (section === 'server') decode(ServerPatch, { [field]: value }, limits)
}

function asInvalid(error: unknown): never {
  throw error instanceof InvalidSetting ? new ApiError('VALIDATION_ERROR', { message: error.message }) : error
}
