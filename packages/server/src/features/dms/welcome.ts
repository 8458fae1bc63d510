import { ApiError } from '@vox/protocol'
import type { Community } from '../../community/community.ts'
import type { Work } from '../../events/work.ts'

/** Refuses users who are not there (spec 05, section 2.1). */
export function demandReachable(community: Community, userIds: readonly number[]): void {
  const missing = userIds.filter((userId) => !community.isReachable(userId))
  if (missing.length > 0) throw new ApiError('USER_NOT_FOUND', { message: `No such user: ${missing.join(', ')}.` })
}

/**
 * Refuses to bring somebody together with these users where a block is between them, or where one of them does not want
 * to be written to (spec 05, sections 5.1 and 5.4). It governs beginnings only: what there is already may be used on.
 */
export async function demandWelcome(
  job: Work,
  community: Community,
  callerId: number,
  userIds: readonly number[],
): Promise<void> {
  if (userIds.some((userId) => community.blocks.areApart(callerId, userId))) throw new ApiError('USER_BLOCKED')
  for (const { user_id, dm_permission } of await settingsOf(job, userIds)) {
    const allowed =
      dm_permission === 'everyone' ||
      (dm_permission === 'mutual_servers' && community.isMember(callerId)) ||
      (dm_permission === 'friends_only' && (await isFriend(job, user_id, callerId)))
    if (!allowed) throw new ApiError('DM_PERMISSION_DENIED')
  }
}

/** Settings of those who ever chose; everybody else accepts everyone. */
async function settingsOf(job: Work, userIds: readonly number[]) {
  if (userIds.length === 0) return []
  return job.db.selectFrom('dm_settings').selectAll().where('user_id', 'in', userIds).execute()
}

async function isFriend(job: Work, user_id: number, friend_id: number): Promise<boolean> {
  const friendship = await job.db
    .selectFrom('friends')
    .select('friend_id')
    .where('user_id', '=', user_id)
    .where('friend_id', '=', friend_id)
    .where('status', '=', 'accepted')
    .executeTakeFirst()
  return friendship !== undefined
}
