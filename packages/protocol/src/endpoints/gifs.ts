import { endpoint } from '../endpoint.ts'
import { Dictionary, Fields, Integer, List, Maybe, Nullable, type Static, Text } from '../schema.ts'

const GifFormat = Fields({ url: Text(), width: Integer(0), height: Integer(0) })

/** A GIF in the sizes and formats that the provider has: `tinygif`, `smallgif`, `gif`, `hdgif`, and `_mp4` of each. */
export const Gif = Fields({ id: Text(), title: Text(), media_formats: Dictionary(GifFormat) })
/** A GIF. */
export type Gif = Static<typeof Gif>

/** A page of GIFs in the provider's order; `next` is the `page` to ask for next, null on the last one. */
export const GifPage = Fields({ results: List(Gif), next: Nullable(Text()) })
/** A page of GIFs. */
export type GifPage = Static<typeof GifPage>

const paging = { limit: Maybe(Integer(1, 50)), page: Maybe(Integer(1, 2 ** 31 - 1)) }

/** Finds GIFs by words (spec 04, section 9). */
export const searchGifs = endpoint({
  method: 'GET',
  path: '/gifs/search',
  summary: 'Search GIFs',
  auth: 'session',
  query: Fields({ q: Text({ min: 1, max: 512 }), ...paging }),
  reply: { 200: GifPage },
  errors: ['GIF_PROVIDER_UNAVAILABLE', 'GIF_UPSTREAM_ERROR'],
})

/** GIFs that are popular now (spec 04, section 9). */
export const listTrendingGifs = endpoint({
  method: 'GET',
  path: '/gifs/trending',
  summary: 'Popular GIFs',
  auth: 'session',
  query: Fields(paging),
  reply: { 200: GifPage },
  errors: ['GIF_PROVIDER_UNAVAILABLE', 'GIF_UPSTREAM_ERROR'],
})
