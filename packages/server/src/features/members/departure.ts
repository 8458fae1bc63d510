import { ApiError, holds, type memberBan, memberLeave, Permission } from '@vox/protocol'
import { demandAbove, demandAdministratorRemains } from '../../community/hierarchy.ts'
import type { Work } from '../../events/work.ts'
import type { Services } from '../../services.ts'

/**
 * Ends a membership, whatever the reason (spec 03, section 2.1). Everybody is told by the event, the user included,
 * whose gateway sessions end right after it. Roles and nickname go; overrides that name the user stay, so that
 * leaving and coming back shakes off no restriction.
 */
export async function endMembership(
  { gateway }: Services,
  job: Work,
  userId: number,
  event: typeof memberLeave | typeof memberBan,
): Promise<void> {
  await job.db.deleteFrom('role_members').where('user_id', '=', userId).execute()
  await job.db
    .updateTable('users')
    .set({ active: false, joined_at: null, nickname: null })
    .where('user_id', '=', userId)
    .execute()
  job.emit(event, { user_id: userId }, { to: 'members', and: [userId] })
  job.change((community) => community.deleteMember(userId))
  job.afterCommit(() => gateway.endUser(userId))
}

/** Leaves; an administrator has to give that up first. */
export async function leave(services: Services, job: Work, userId: number): Promise<void> {
  const { community } = services
  if (holds(community.permissions(userId), Permission.ADMINISTRATOR))
    throw new ApiError('INVALID_TARGET', { message: 'An administrator cannot leave. Give up that role first.' })
  if (!community.isMember(userId)) return
  await endMembership(services, job, userId, memberLeave)
  job.audit({ type: 'member.leave', actor: userId, target: userId, metadata: { reason: 'Left' } })
}

/** Kicks an account; one that is no member any more is left in peace. */
export async function kick(
  services: Services,
  job: Work,
  callerId: number,
  userId: number,
  reason?: string,
): Promise<void> {
  const { community } = services
  demandAbove(community, callerId, userId)
  demandAdministratorRemains(community, { userId })
  if (!community.isMember(userId)) return
  await endMembership(services, job, userId, memberLeave)
  const metadata = reason === undefined ? {} : { reason }
  job.audit({ type: 'member.kick', actor: callerId, target: userId, metadata })
}
