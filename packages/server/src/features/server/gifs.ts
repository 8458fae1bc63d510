import type { Static } from '@vox/protocol'
import type { GifSettings, updateGifSettings } from '@vox/protocol/endpoints'
import type { Config } from '../../config/config.ts'
import type { StoredName } from '../../config/settings.ts'
import { saveSettings } from '../../config/store.ts'
import { cleared, isEmpty } from '../../patches.ts'
import type { Services } from '../../services.ts'

type Patch = Static<NonNullable<typeof updateGifSettings.body>>

/** How GIFs are searched, without the key. */
export function gifSettings(config: Config): GifSettings {
  return {
    provider: config.get('gifs.provider'),
    api_key_set: Boolean(config.get('gifs.api_key')),
    content_filter: config.get('gifs.content_filter'),
    locale: config.get('gifs.locale'),
  }
}

/** Changes how GIFs are searched; the audit log learns which settings, not their values (spec 03, section 1). */
export async function updateGifs({ config, work }: Services, callerId: number, patch: Patch): Promise<void> {
  if (isEmpty(patch)) return
  const given = Object.entries(cleared(patch, 'api_key', 'locale'))
  const changes = new Map(given.map(([name, value]) => [`gifs.${name}` as StoredName, value]))
  await work.run(async (job) => {
    for (const key of await saveSettings(job, config, changes))
      job.audit({ type: 'config.update', actor: callerId, metadata: { key } })
  })
}
