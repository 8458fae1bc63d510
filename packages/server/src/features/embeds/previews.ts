import { type EmbedObject, fullEmbed } from '@vox/protocol'
import { ExpiringCache } from '../../expiring-cache.ts'
import { OutboundFailure } from '../../outbound/outbound.ts'
import type { Services } from '../../services.ts'
import { previewOf } from './page.ts'
import { Turns } from './turns.ts'

const REQUEST = { headers: { accept: 'text/html, application/xhtml+xml' }, timeoutMs: 5_000, redirects: 5 }
const CACHE = { ttlMs: 300_000, max: 500 }
const AT_ONCE = 4

/** Looks at pages for those who want a preview of a link (spec 04, section 8.2). */
export class LinkPreviews {
  readonly #services: Services
  readonly #known: ExpiringCache<EmbedObject>
  readonly #turns = new Turns(AT_ONCE)

  constructor(services: Services) {
    this.#services = services
    this.#known = new ExpiringCache(services.clock, CACHE)
  }

  /** The preview; all null for a page that cannot be read. Throws `INVALID_URL`. */
  resolve(userId: number, url: string): Promise<EmbedObject> {
    return this.#known.get(url, () => this.#turns.take(userId, () => this.#look(url)))
  }

  async #look(url: string): Promise<EmbedObject> {
    try {
      return previewOf(await this.#services.outbound.fetch(url, REQUEST))
    } catch (error) {
      if (error instanceof OutboundFailure) return fullEmbed({})
      throw error
    }
  }
}
