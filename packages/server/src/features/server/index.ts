import { PROTOCOL_VERSION } from '@vox/protocol'
import {
  getConfig,
  getGateway,
  getGifSettings,
  getLimits,
  getServer,
  putConfig,
  updateGifSettings,
  updateLimits,
  updateServer,
} from '@vox/protocol/endpoints'
import { gatewayUrl } from '../../config/config.ts'
import type { Mount } from '../../http/pipeline.ts'
import type { Services } from '../../services.ts'
import { updateSetting } from './configuration.ts'
import { gifSettings, updateGifs } from './gifs.ts'
import { changeLimits } from './limits.ts'
import { serverObject, updateProfile } from './profile.ts'

/** What the server says of itself, where its gateway is, and the settings that change while it runs. */
export function server(services: Services, on: Mount): void {
  const { config, port } = services

  on(getServer, () => serverObject(services))
  on(updateServer, async ({ body, caller }) => {
    await updateProfile(services, caller.userId, body)
    return serverObject(services)
  })

  on(getLimits, () => config.limits)
  on(updateLimits, async ({ body, caller }) => {
    await changeLimits(services, caller.userId, body.limits)
    return config.limits
  })

  on(getGifSettings, () => gifSettings(config))
  on(updateGifSettings, async ({ body, caller }) => {
    await updateGifs(services, caller.userId, body)
    return gifSettings(config)
  })

  on(getConfig, () => config.listing())
  on(putConfig, async ({ body, caller }) => {
    await updateSetting(services, caller.userId, body.key, body.value)
    return config.listing()
  })

  on(getGateway, () => ({
    url: gatewayUrl(config, port()),
    media_url: config.get('media.url') ?? `quic://127.0.0.1:${config.get('media.bind').port}`,
    protocol_version: PROTOCOL_VERSION,
    min_version: PROTOCOL_VERSION,
    max_version: PROTOCOL_VERSION,
  }))
}
