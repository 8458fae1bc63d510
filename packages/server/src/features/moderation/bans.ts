import { ApiError, memberBan, memberUnban, type Static } from '@vox/protocol'
import type { BanObject, ban, listBans } from '@vox/protocol/endpoints'
import type { Kysely } from 'kysely'
import { seconds } from '../../clock.ts'
import { demandAbove, demandAdministratorRemains } from '../../community/hierarchy.ts'
import type { Schema } from '../../db/schema.ts'
import type { Work } from '../../events/work.ts'
import { pageSize } from '../../pages.ts'
import type { Services } from '../../services.ts'
import { endMembership } from '../members/departure.ts'
import { deleteMessagesSince } from '../messages/purge.ts'
import { demandAccount } from '../users/accounts.ts'

const DAY_MS = 86_400_000

type BanWishes = Static<NonNullable<typeof ban.body>>

/** Who may not come back (spec 03, section 3). */
export class Bans {
  readonly #services: Services

  constructor(services: Services) {
    this.#services = services
  }

  list(query: Static<typeof listBans.query>): Promise<BanObject[]> {
    const { db, config } = this.#services
    return bansIn(db.read, (bans) =>
      bans
        .where('bans.user_id', '>', query.after ?? 0)
        .orderBy('bans.user_id')
        .limit(pageSize(query, config.limits.page_limit_bans)),
    )
  }

  /** Bans an account, or what is asked for beside that if it is banned already. */
  async ban(job: Work, callerId: number, userId: number, wishes: BanWishes): Promise<BanObject> {
    const { community, clock } = this.#services
    const { reason, delete_msg_days: days = 0 } = wishes
    if (userId === callerId) throw new ApiError('INVALID_TARGET', { message: 'You cannot ban yourself.' })
    await demandAccount(job.db, userId)
    demandAbove(community, callerId, userId)
    demandAdministratorRemains(community, { userId })
    if (!community.accounts.banned.has(userId)) await this.#enter(job, callerId, userId, reason)
    else if (reason !== undefined)
      await job.db.updateTable('bans').set({ reason }).where('user_id', '=', userId).execute()
    const deleted = days > 0 ? await deleteMessagesSince(job, userId, clock.now() - days * DAY_MS) : 0
    job.audit({
      type: 'member.ban',
      actor: callerId,
      target: userId,
      metadata: { reason: reason ?? null, ...(deleted > 0 && { deleted_messages: deleted }) },
    })
    const [entered] = await bansIn(job.db, (bans) => bans.where('bans.user_id', '=', userId))
    if (!entered) throw new Error(`user ${userId} has just been banned`)
    return entered
  }

  /** Lifts a ban. A local account is a member again at once; one of another server only may come again. */
  async lift(job: Work, callerId: number, userId: number): Promise<void> {
    const { community, clock } = this.#services
    const ban = await job.db.deleteFrom('bans').where('user_id', '=', userId).returning('user_id').executeTakeFirst()
    if (!ban) throw new ApiError('BAN_NOT_FOUND')
    const isLocal = !community.accounts.remote.has(userId)
    await job.db
      .updateTable('users')
      .set({ active: true, joined_at: isLocal ? clock.now() : null })
      .where('user_id', '=', userId)
      .execute()
    job.change((picture) => {
      picture.accounts.banned.delete(userId)
      if (isLocal) picture.setMember(userId, [])
    })
    job.emit(memberUnban, { user_id: userId }, { to: 'members' })
    job.audit({ type: 'member.unban', actor: callerId, target: userId })
  }

  async #enter(job: Work, callerId: number, userId: number, reason: string | undefined): Promise<void> {
    const row = { user_id: userId, reason: reason ?? null, banned_by: callerId, created_at: this.#services.clock.now() }
    await job.db.insertInto('bans').values(row).execute()
    job.change(({ accounts }) => accounts.banned.add(userId))
    await endMembership(this.#services, job, userId, memberBan)
  }
}

type BanQuery = ReturnType<typeof allBans>

const allBans = (db: Kysely<Schema>) =>
  db
    .selectFrom('bans')
    .innerJoin('users', 'users.user_id', 'bans.user_id')
    .select(['bans.user_id', 'username', 'display_name', 'reason', 'bans.created_at', 'banned_by'])

async function bansIn(db: Kysely<Schema>, narrow: (bans: BanQuery) => BanQuery): Promise<BanObject[]> {
  const rows = await narrow(allBans(db)).execute()
  return rows.map((row) => ({ ...row, created_at: seconds(row.created_at) }))
}
