import { ApiError, Permission } from '@vox/protocol'
import type { OverrideObject } from '@vox/protocol/endpoints'
import type { Community } from '../../community/community.ts'
import type { Work } from '../../events/work.ts'
import { demandPermission } from '../../http/pipeline.ts'
import { demandCategory, endOf } from './order.ts'
import { checkInitial } from './overrides.ts'

/** Feeds and rooms a server may have together (spec 03, section 20). */
const MAX_SPACES = 2000

/** Whoever lost the permission while waiting for their turn has it no longer. */
export function demandSpaceManager(community: Community, callerId: number): void {
  demandPermission(community.permissions(callerId), Permission.MANAGE_SPACES)
}

/** What a creation request says of any space. */
interface NewSpace {
  category_id?: number
  permission_overrides?: readonly OverrideObject[]
}

/** Checks the creation of a feed or room; says where it goes, and with which overrides. */
export async function checkCreation(job: Work, community: Community, callerId: number, wanted: NewSpace) {
  const { layout } = community
  demandSpaceManager(community, callerId)
  const category_id = wanted.category_id ?? null
  demandCategory(layout, category_id)
  const overrides = await checkInitial(job, community, callerId, wanted.permission_overrides ?? [])
  if (layout.feeds.size + layout.rooms.size >= MAX_SPACES)
    throw new ApiError('INVALID_OPERATION', { message: `A server has at most ${MAX_SPACES} feeds and rooms.` })
  return { place: { category_id, position: endOf(layout, category_id) }, overrides }
}
