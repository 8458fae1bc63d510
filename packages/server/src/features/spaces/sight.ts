import { ApiError } from '@vox/protocol'
import type { Community } from '../../community/community.ts'
import type { SpaceRef } from '../../events/audience.ts'

/** Throws `SPACE_NOT_FOUND` unless the space exists and the user sees it; nothing tells the two apart. */
export function demandSight(community: Community, userId: number, space: SpaceRef): void {
  if (!community.space(space) || !community.sees(userId, space)) throw new ApiError('SPACE_NOT_FOUND')
}
