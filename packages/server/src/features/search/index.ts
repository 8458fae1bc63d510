import { ApiError, Permission } from '@vox/protocol'
import { searchMessages } from '@vox/protocol/endpoints'
import { demandPermission, type Mount } from '../../http/pipeline.ts'
import type { Services } from '../../services.ts'
import { takesPart } from '../dms/participants.ts'
import { showMessage } from '../messages/show.ts'
import { existingFeed } from '../spaces/sight.ts'
import { findMatching, type Scope } from './matching.ts'
import { IndexTidying } from './tidying.ts'
import { USUAL_PAGE } from './ways.ts'

/** What shows a message to somebody who was not there when it came. */
const READABLE = Permission.VIEW_SPACE | Permission.READ_HISTORY

interface Place {
  dm_id: number | undefined
  feed_id: number | undefined
}

/** Finding messages by their words, as far as the searcher may read them (spec 04, section 6). */
export function search(services: Services, on: Mount): void {
  const { db, config, cleanup } = services
  const tidying = new IndexTidying(services)
  cleanup.add('deleted texts from the search index', () => tidying.run())
  on(searchMessages, async ({ query: { dm_id, feed_id, limit = USUAL_PAGE, ...wanted }, caller }) => {
    const within = await searchable(services, caller.userId, { dm_id, feed_id })
    const page = { ...wanted, within, limit: Math.min(limit, config.limits.page_limit_search) }
    return { results: (await findMatching(db, page)).map(showMessage) }
  })
}

/** Where to search: in the conversation or the feed that is asked for, or in all feeds that the user may read. */
async function searchable(services: Services, userId: number, { dm_id, feed_id }: Place): Promise<Scope> {
  const { db, community } = services
  if (dm_id !== undefined) {
    if (await takesPart(db.read, userId, dm_id)) return { dm_id }
    throw new ApiError('NOT_DM_PARTICIPANT')
  }
  const held = (id: number) => community.permissionsIn(userId, { type: 'feed', id })
  const { feeds } = community.layout
  if (feed_id === undefined) return { feeds: [...feeds.keys()].filter((id) => (held(id) & READABLE) === READABLE) }
  demandPermission(held(feed_id), READABLE)
  return { feed_id: existingFeed(community, feed_id).id }
}
