import { randomBytes } from 'node:crypto'
import { ApiError, type GatewayEvent, holds, inviteCreate, inviteDelete, Permission, type Static } from '@vox/protocol'
import { createInvite, deleteInvite, type InviteObject, listInvites, previewInvite } from '@vox/protocol/endpoints'
import { seconds } from '../../clock.ts'
import type { Community } from '../../community/community.ts'
import type { SpaceRef } from '../../events/audience.ts'
import type { Work } from '../../events/work.ts'
import { demandPermission, type Mount } from '../../http/pipeline.ts'
import { pageOf, pageSize } from '../../pages.ts'
import type { Services } from '../../services.ts'
import { serverObject } from '../server/profile.ts'
import { findInvite, hasExpired, type InviteRow, isUsedUp } from './redemption.ts'

const CODE_BYTES = 8

/** Unexpired invites one creator may have (spec 03, section 20). */
const MAX_PER_CREATOR = 200

/** Codes by which people come. */
export function invites(services: Services, on: Mount): void {
  const { db, clock, community, config, work } = services

  on(createInvite, ({ caller, body }) => create(services, caller.userId, body))

  on(listInvites, async ({ query, caller }) => {
    const rows = await db.read
      .selectFrom('invites')
      .selectAll()
      .where('code', '>', query.after ?? '')
      .orderBy('code')
      .limit(pageSize(query, config.limits.page_limit_invites))
      .execute()
    const items = rows.map((row) => inviteObject(row, community, caller.userId))
    return pageOf(items, ({ code }) => code)
  })

  on(previewInvite, async ({ params: { code } }) => {
    const invite = await findInvite(db.read, code)
    if (!invite) throw new ApiError('INVITE_INVALID')
    if (hasExpired(invite, clock.now())) throw new ApiError('INVITE_EXPIRED')
    if (isUsedUp(invite)) throw new ApiError('INVITE_INVALID')
    const { name, icon, member_count } = serverObject(services)
    return { code, server_name: name, server_icon: icon, member_count }
  })

  on(deleteInvite, ({ params: { code }, caller }) =>
    work.run(async (job) => {
      const invite = await findInvite(job.db, code)
      if (!invite) throw new ApiError('INVITE_INVALID')
      if (invite.creator_id !== caller.userId)
        demandPermission(community.permissions(caller.userId), Permission.MANAGE_SERVER)
      await job.db.deleteFrom('invites').where('code', '=', code).execute()
      const { CREATE_INVITES } = Permission
      job.emit(inviteDelete, { code }, { to: 'holders', permission: CREATE_INVITES, and: [invite.creator_id] })
      job.audit({ type: 'invite.delete', actor: caller.userId, metadata: { code } })
    }),
  )
}

type Wanted = Static<NonNullable<typeof createInvite.body>>

function create({ work, clock, community }: Services, creatorId: number, wanted: Wanted): Promise<InviteObject> {
  const { feed_id = null, max_uses = null, max_age } = wanted
  const now = clock.now()
  return work.run(async (job) => {
    if (feed_id !== null && !community.finds(creatorId, { type: 'feed', id: feed_id }))
      throw new ApiError('SPACE_NOT_FOUND')
    await demandRoom(job, creatorId, now)
    const invite: InviteRow = {
      code: randomBytes(CODE_BYTES).toString('base64url'),
      creator_id: creatorId,
      feed_id,
      max_uses,
      uses: 0,
      expires_at: max_age ? now + max_age * 1000 : null,
      created_at: now,
    }
    await job.db.insertInto('invites').values(invite).execute()
    announce(job, community, invite)
    job.audit({ type: 'invite.create', actor: creatorId, metadata: { code: invite.code } })
    return inviteObject(invite, community, creatorId)
  })
}

async function demandRoom(job: Work, creatorId: number, now: number): Promise<void> {
  const { count } = await job.db
    .selectFrom('invites')
    .select(({ fn }) => fn.countAll<number>().as('count'))
    .where('creator_id', '=', creatorId)
    .where(({ or, eb }) => or([eb('expires_at', 'is', null), eb('expires_at', '>', now)]))
    .executeTakeFirstOrThrow()
  if (count >= MAX_PER_CREATOR)
    throw new ApiError('INVALID_OPERATION', { message: `You have ${MAX_PER_CREATOR} invites. Delete some first.` })
}

/** The same event for those who alone may know the feed; sync keeps the one that names none. */
const inviteCreateWithFeed: GatewayEvent<typeof inviteCreate.data> = { ...inviteCreate, sync: [] }

/** Tells those who may list invites; the feed is named to those who see it only. */
function announce(job: Work, community: Community, { code, creator_id, feed_id }: InviteRow): void {
  const { CREATE_INVITES } = Permission
  const event = { code, creator_id }
  const told = feed_id === null ? [] : holdersWhoSee(community, CREATE_INVITES, { type: 'feed', id: feed_id })
  job.emit(inviteCreate, event, { to: 'holders', permission: CREATE_INVITES, and: [creator_id], except: told })
  if (feed_id !== null) job.emit(inviteCreateWithFeed, { ...event, feed_id }, { to: 'users', users: told })
}

function holdersWhoSee(community: Community, permission: bigint, space: SpaceRef): number[] {
  const isOne = (userId: number) => holds(community.permissions(userId), permission) && community.sees(userId, space)
  return [...community.memberIds()].filter(isOne)
}

/** An invite in its wire form, as this reader may see it. */
function inviteObject(invite: InviteRow, community: Community, readerId: number): InviteObject {
  const { feed_id, expires_at, created_at } = invite
  return {
    ...invite,
    feed_id: feed_id !== null && community.finds(readerId, { type: 'feed', id: feed_id }) ? feed_id : null,
    expires_at: expires_at === null ? null : seconds(expires_at),
    created_at: seconds(created_at),
  }
}
