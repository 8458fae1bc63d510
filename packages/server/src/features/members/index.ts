import { ApiError, memberJoin, memberUpdate } from '@vox/protocol'
import {
  getMember,
  joinServer,
  joinServerAsMe,
  listMembers,
  type MemberObject,
  removeMember,
  updateMember,
} from '@vox/protocol/endpoints'
import { demandAbove } from '../../community/hierarchy.ts'
import type { Mount } from '../../http/pipeline.ts'
import { pageOf, pageSize } from '../../pages.ts'
import type { Services } from '../../services.ts'
import { redeemInvite } from '../invites/redemption.ts'
import { demandAccount } from '../users/accounts.ts'
import { kick, leave } from './departure.ts'
import { activeMembers, memberObject } from './members.ts'

/** Who belongs to the community: coming, going, nicknames. */
export function members(services: Services, on: Mount): void {
  const { db, community, config, work } = services

  on(listMembers, async ({ query }) => {
    const rows = await activeMembers(db.read)
      .where('user_id', '>', query.after ?? 0)
      .orderBy('user_id')
      .limit(pageSize(query, config.limits.page_limit_members))
      .execute()
    const items = rows.map((row) => memberObject(row, community))
    return pageOf(items, ({ user_id }) => user_id)
  })

  on(getMember, async ({ params }) => {
    const row = await activeMembers(db.read).where('user_id', '=', params.user_id).executeTakeFirst()
    if (!row) throw new ApiError('USER_NOT_FOUND')
    return memberObject(row, community)
  })

  for (const endpoint of [joinServer, joinServerAsMe])
    on(endpoint, ({ caller, body }) => join(services, caller.userId, body.invite_code))

  on(updateMember, ({ params, body, caller }) => rename(services, caller.userId, params.user_id, body.nickname))

  on(removeMember, ({ params: { user_id }, body, caller }) =>
    work.run(async (job) => {
      if (user_id === caller.userId) return leave(services, job, user_id)
      await demandAccount(job.db, user_id)
      await kick(services, job, caller.userId, user_id, body.reason)
    }),
  )
}

/** Redeems an invite; who was no member becomes one. Everybody is told in either case (spec 03, section 2). */
function join({ work, clock, community }: Services, userId: number, code: string): Promise<void> {
  const now = clock.now()
  return work.run(async (job) => {
    if (community.accounts.banned.has(userId)) throw new ApiError('BANNED')
    await redeemInvite(job, now, code, userId)
    if (!community.isMember(userId)) {
      await job.db.updateTable('users').set({ active: true, joined_at: now }).where('user_id', '=', userId).execute()
      job.change((picture) => picture.setMember(userId, []))
    }
    const { username, display_name } = await activeMembers(job.db)
      .where('user_id', '=', userId)
      .executeTakeFirstOrThrow()
    job.emit(
      memberJoin,
      { user_id: userId, username, ...(display_name !== null && { display_name }) },
      { to: 'members' },
    )
  })
}

/** Sets a nickname, clears it with null or empty text, or leaves it; always says so (spec 03, section 2). */
function rename(
  { work, community }: Services,
  callerId: number,
  userId: number,
  wanted: string | null | undefined,
): Promise<MemberObject> {
  return work.run(async (job) => {
    if (!community.isMember(userId)) throw new ApiError('USER_NOT_FOUND')
    if (userId !== callerId) demandAbove(community, callerId, userId)
    if (wanted !== undefined)
      await job.db
        .updateTable('users')
        .set({ nickname: wanted || null })
        .where('user_id', '=', userId)
        .execute()
    const row = await activeMembers(job.db).where('user_id', '=', userId).executeTakeFirstOrThrow()
    const { nickname } = row
    job.emit(memberUpdate, { user_id: userId, ...(nickname !== null && { nickname }) }, { to: 'members' })
    job.audit({ type: 'member.update', actor: callerId, target: userId, metadata: { nickname } })
    return memberObject(row, community)
  })
}
