import { listTrendingGifs, searchGifs } from '@vox/protocol/endpoints'
import type { Mount } from '../../http/pipeline.ts'
import type { Services } from '../../services.ts'
import { GifLibrary } from './library.ts'

const DEFAULT_PAGE = 20

/** GIFs of the provider that the operator has a key for. */
export function gifs(services: Services, on: Mount): void {
  const library = new GifLibrary(services)
  on(searchGifs, ({ query: { q, limit = DEFAULT_PAGE, page = 1 } }) => library.find({ q, limit, page }))
  on(listTrendingGifs, ({ query: { limit = DEFAULT_PAGE, page = 1 } }) => library.find({ limit, page }))
}
