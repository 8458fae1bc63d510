import {
  ApiError,
  friendAdd,
  friendReject,
  friendRemove,
  friendRequest,
  type GatewayEvent,
  type Static,
} from '@vox/protocol'
import type { FriendObject, FriendStatus, listFriends } from '@vox/protocol/endpoints'
import type { ExpressionBuilder } from 'kysely'
import { seconds } from '../../clock.ts'
import type { Schema } from '../../db/schema.ts'
import type { Work } from '../../events/work.ts'
import { pageSize } from '../../pages.ts'
import type { Services } from '../../services.ts'

/** Friends and own requests one user may have, and requests that may wait for one user (spec 03, section 20). */
const MAX_FRIENDS = 2000

/**
 * Friendships and the requests for them (spec 03, section 5).
 *
 * Between two users there is nothing, or a pair of rows: one for how each sees the other. A block ends all there was, so
 * the one thing that can exist beside it is a request by the blocked user, which the blocker must never notice: for the
 * blocker it does not exist.
 */
export class Friends {
  readonly #services: Services

  constructor(services: Services) {
    this.#services = services
  }

  async list(ownerId: number, query: Static<typeof listFriends.query>): Promise<FriendObject[]> {
    const { db, config } = this.#services
    let entries = db.read
      .selectFrom('friends')
      .innerJoin('users', 'users.user_id', 'friends.friend_id')
      .select(['users.user_id', 'username', 'display_name', 'avatar', 'status', 'since'])
      .where('friends.user_id', '=', ownerId)
      .where('friends.friend_id', '>', query.after ?? 0)
      .where(({ not, exists, selectFrom }) =>
        not(
          exists(
            selectFrom('blocks')
              .select('blocked_id')
              .where('blocks.user_id', '=', ownerId)
              .whereRef('blocked_id', '=', 'friends.friend_id'),
          ),
        ),
      )
    if (query.status) entries = entries.where('status', '=', query.status)
    const size = pageSize(query, config.limits.page_limit_friends)
    const rows = await entries.orderBy('friends.friend_id').limit(size).execute()
    return rows.map((row) => ({ ...row, since: seconds(row.since) }))
  }

  ask(ownerId: number, targetId: number): Promise<void> {
    const { work, community, clock } = this.#services
    if (targetId === ownerId) throw new ApiError('INVALID_TARGET')
    return work.run(async (job) => {
      if (!community.isReachable(targetId)) throw new ApiError('USER_NOT_FOUND')
      if (community.blocks.hasBlocked(ownerId, targetId))
        throw new ApiError('USER_BLOCKED', { message: 'You have blocked this user. Unblock them first.' })
      const status = await this.#status(job, ownerId, targetId)
      if (status === 'incoming') return this.#befriend(job, ownerId, targetId)
      if (status !== undefined) return
      await demandRoom(job, ownerId, ['pending', 'accepted'])
      await demandRoom(job, targetId, ['incoming'])
      const since = clock.now()
      const own = { user_id: ownerId, friend_id: targetId, status: 'pending' as const, since }
      const other = { user_id: targetId, friend_id: ownerId, status: 'incoming' as const, since }
      await job.db.insertInto('friends').values([own, other]).execute()
      this.#tell(job, friendRequest, ownerId, targetId)
    })
  }

  accept(ownerId: number, targetId: number): Promise<void> {
    return this.#services.work.run(async (job) => {
      await this.#demandRequest(job, ownerId, targetId)
      await this.#befriend(job, ownerId, targetId)
    })
  }

  reject(ownerId: number, targetId: number): Promise<void> {
    return this.#services.work.run(async (job) => {
      await this.#demandRequest(job, ownerId, targetId)
      await deletePair(job, ownerId, targetId)
      this.#tell(job, friendReject, ownerId, targetId)
    })
  }

  remove(ownerId: number, targetId: number): Promise<void> {
    return this.#services.work.run((job) => this.end(job, ownerId, targetId))
  }

  /** Ends whatever there is between the two, as far as the owner may know of it. */
  async end(job: Work, ownerId: number, targetId: number): Promise<void> {
    if ((await this.#status(job, ownerId, targetId)) === undefined) return
    await deletePair(job, ownerId, targetId)
    this.#tell(job, friendRemove, ownerId, targetId)
  }

  async #befriend(job: Work, ownerId: number, targetId: number): Promise<void> {
    await demandRoom(job, ownerId, ['pending', 'accepted'])
    await job.db
      .updateTable('friends')
      .set({ status: 'accepted', since: this.#services.clock.now() })
      .where(isPair(ownerId, targetId))
      .execute()
    this.#tell(job, friendAdd, ownerId, targetId)
  }

  async #demandRequest(job: Work, ownerId: number, targetId: number): Promise<void> {
    if ((await this.#status(job, ownerId, targetId)) !== 'incoming') throw new ApiError('REQUEST_NOT_FOUND')
  }

  /** How the owner sees the target. */
  async #status(job: Work, ownerId: number, targetId: number): Promise<FriendStatus | undefined> {
    if (this.#services.community.blocks.hasBlocked(ownerId, targetId)) return undefined
    const row = await job.db
      .selectFrom('friends')
      .select('status')
      .where('user_id', '=', ownerId)
      .where('friend_id', '=', targetId)
      .executeTakeFirst()
    return row?.status
  }

  /** Tells both, unless the target must not notice. */
  #tell(job: Work, event: GatewayEvent<typeof friendAdd.data>, ownerId: number, targetId: number): void {
    const unnoticed = this.#services.community.blocks.hasBlocked(targetId, ownerId)
    const users = unnoticed ? [ownerId] : [ownerId, targetId]
    job.emit(event, { user_id: ownerId, target_id: targetId }, { to: 'users', users })
  }
}

async function demandRoom(job: Work, userId: number, counted: readonly FriendStatus[]): Promise<void> {
  const { count } = await job.db
    .selectFrom('friends')
    .select(({ fn }) => fn.countAll<number>().as('count'))
    .where('user_id', '=', userId)
    .where('status', 'in', counted)
    .executeTakeFirstOrThrow()
  if (count >= MAX_FRIENDS)
    throw new ApiError('INVALID_OPERATION', { message: `There can be at most ${MAX_FRIENDS} of these.` })
}

const deletePair = (job: Work, userId: number, otherId: number) =>
  job.db.deleteFrom('friends').where(isPair(userId, otherId)).execute()

const isPair = (a: number, b: number) => {
  return ({ and, or }: ExpressionBuilder<Schema, 'friends'>) =>
    or([and({ user_id: a, friend_id: b }), and({ user_id: b, friend_id: a })])
}
