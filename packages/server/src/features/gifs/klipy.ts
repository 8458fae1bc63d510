import { ApiError, parseJson } from '@vox/protocol'
import type { Gif, GifPage } from '@vox/protocol/endpoints'

/** Where the provider really is. */
export const KLIPY_ORIGIN = 'https://api.klipy.com'

/** Which GIFs; without words those that are popular now. */
export interface Wanted {
  q?: string
  limit: number
  page: number
}

export interface KlipySettings {
  origin: string
  apiKey: string
  contentFilter: string
  locale: string | null
}

/** The request for a page of GIFs. It holds the key, so it is never to be logged (spec 04, section 9.2). */
export function klipyUrl({ origin, apiKey, contentFilter, locale }: KlipySettings, { q, limit, page }: Wanted): string {
  const list = q === undefined ? 'trending' : 'search'
  const url = new URL(`/api/v1/${encodeURIComponent(apiKey)}/gifs/${list}`, origin)
  const query = { q, per_page: limit, content_filter: contentFilter, locale, page: page > 1 ? page : undefined }
  for (const [name, value] of Object.entries(query)) if (value) url.searchParams.set(name, String(value))
  return url.href
}

/** Our name of each of the provider's sizes. */
const SIZES = { xs: 'tinygif', sm: 'smallgif', md: 'gif', hd: 'hdgif' }

/** The provider's answer in our form; throws `GIF_UPSTREAM_ERROR` if it is something else. */
export function klipyPage(json: string, page: number): GifPage {
  const { data } = objectIn(parsed(json))
  const { data: items, has_next, current_page } = objectIn(data)
  if (!Array.isArray(items)) throw new ApiError('GIF_UPSTREAM_ERROR')
  const current = Number.isSafeInteger(current_page) ? Number(current_page) : page
  return { results: items.map(gifOf), next: has_next === true ? String(current + 1) : null }
}

function gifOf(item: unknown): Gif {
  const { id = '', title = '', file } = objectIn(item)
  const formats = Object.entries(SIZES).flatMap(([size, name]) => {
    const { gif, mp4 } = objectIn(objectIn(file)[size])
    return [...formatOf(name, gif), ...formatOf(`${name}_mp4`, mp4)]
  })
  return { id: String(id ?? ''), title: String(title ?? ''), media_formats: Object.fromEntries(formats) }
}

function formatOf(name: string, format: unknown): [string, Gif['media_formats'][string]][] {
  const { url, width, height } = objectIn(format)
  return typeof url === 'string' ? [[name, { url, width: sizeOf(width), height: sizeOf(height) }]] : []
}

const sizeOf = (pixels: unknown): number => (Number.isSafeInteger(pixels) && Number(pixels) > 0 ? Number(pixels) : 0)

function parsed(json: string): unknown {
  try {
    return parseJson(json)
  } catch {
    return undefined
  }
}

/** The keys of an object; of anything else none. */
const objectIn = (value: unknown): Record<string, unknown> =>
  typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : {}
