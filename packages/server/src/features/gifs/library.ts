import { ApiError } from '@vox/protocol'
import type { GifPage } from '@vox/protocol/endpoints'
import { ExpiringCache } from '../../expiring-cache.ts'
import type { OutboundAnswer } from '../../outbound/outbound.ts'
import type { Services } from '../../services.ts'
import { klipyPage, klipyUrl, type Wanted } from './klipy.ts'

const TIMEOUT_MS = 10_000
const CACHE = { ttlMs: 60_000, max: 200 }

/** Asks the provider for GIFs, so that its key stays on the server (spec 04, section 9). */
export class GifLibrary {
  readonly #services: Services
  readonly #known: ExpiringCache<GifPage>

  constructor(services: Services) {
    this.#services = services
    this.#known = new ExpiringCache(services.clock, CACHE)
  }

  async find(wanted: Wanted): Promise<GifPage> {
    const { config, gifOrigin } = this.#services
    const apiKey = config.get('gifs.api_key')
    if (!apiKey || config.get('gifs.provider') !== 'klipy') throw new ApiError('GIF_PROVIDER_UNAVAILABLE')
    const settings = {
      origin: gifOrigin,
      apiKey,
      contentFilter: config.get('gifs.content_filter'),
      locale: config.get('gifs.locale'),
    }
    return this.#known.get(klipyUrl(settings, wanted), async () => {
      const { body } = await this.#ask(klipyUrl(settings, wanted))
      return klipyPage(body.toString(), wanted.page)
    })
  }

  async #ask(url: string): Promise<OutboundAnswer> {
    const { outbound, log } = this.#services
    const answer = await outbound.fetch(url, { timeoutMs: TIMEOUT_MS }).catch((error: Error) => error)
    if (!(answer instanceof Error) && answer.status >= 200 && answer.status <= 299) return answer
    log.warn({ reason: reasonOf(answer) }, 'the GIF provider failed')
    throw new ApiError('GIF_UPSTREAM_ERROR')
  }
}

function reasonOf(answer: OutboundAnswer | Error): string {
  if (!(answer instanceof Error)) return `status ${answer.status}`
  return answer instanceof ApiError ? 'its host is not found' : answer.message
}
