import { ApiError } from '@vox/protocol'
import type { Community, Space } from '../../community/community.ts'
import type { Feed, Room } from '../../community/layout.ts'
import type { SpaceRef } from '../../events/audience.ts'

/*
 * A space that the user cannot see answers like one that does not exist; nothing tells the two apart.
 */

/** The space as far as permissions are concerned, if the user sees it. */
export function visibleSpace(community: Community, userId: number, ref: SpaceRef): Space {
  return demandSight(community, userId, ref, community.space(ref))
}

/** The feed, if the user sees it. */
export function visibleFeed(community: Community, userId: number, id: number): Feed {
  return demandSight(community, userId, { type: 'feed', id }, community.layout.feeds.get(id))
}

/** The room, if the user sees it. */
export function visibleRoom(community: Community, userId: number, id: number): Room {
  return demandSight(community, userId, { type: 'room', id }, community.layout.rooms.get(id))
}

function demandSight<T>(community: Community, userId: number, ref: SpaceRef, space: T | undefined): T {
  if (!space || !community.sees(userId, ref)) throw new ApiError('SPACE_NOT_FOUND')
  return space
}

/** The feed, for those whose right to it has been checked already. */
export function existingFeed(community: Community, id: number): Feed {
  const feed = community.layout.feeds.get(id)
  if (!feed) throw new ApiError('SPACE_NOT_FOUND')
  return feed
}
