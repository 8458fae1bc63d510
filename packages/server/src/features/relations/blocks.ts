import { ApiError, blockAdd, blockRemove } from '@vox/protocol'
import type { Services } from '../../services.ts'
import { demandAccount } from '../users/accounts.ts'
import type { Friends } from './friends.ts'

/** Blocks one user may set (spec 03, section 20). */
const MAX_BLOCKS = 5000

/** Setting and lifting blocks (spec 03, section 6); what they mean is asked of the picture. */
export class Blocking {
  readonly #services: Services
  readonly #friends: Friends

  constructor(services: Services, friends: Friends) {
    this.#services = services
    this.#friends = friends
  }

  block(ownerId: number, targetId: number): Promise<void> {
    const { work, community, gateway } = this.#services
    if (targetId === ownerId) throw new ApiError('INVALID_TARGET')
    return work.run(async (job) => {
      const { blocks } = community
      await demandAccount(job.db, targetId)
      if (blocks.hasBlocked(ownerId, targetId)) return
      if (blocks.blockedBy(ownerId).size >= MAX_BLOCKS)
        throw new ApiError('INVALID_OPERATION', {
          message: `You have blocked ${MAX_BLOCKS} users. Unblock some first.`,
        })
      await job.db.insertInto('blocks').values({ user_id: ownerId, blocked_id: targetId }).execute()
      job.emit(blockAdd, { user_id: ownerId, target_id: targetId }, { to: 'users', users: [ownerId, targetId] })
      await this.#friends.end(job, ownerId, targetId)
      const wereApart = blocks.areApart(ownerId, targetId)
      job.change((picture) => picture.blocks.add(ownerId, targetId))
      if (!wereApart) job.afterCommit(() => gateway.sightChanged(ownerId, targetId))
    })
  }

  unblock(ownerId: number, targetId: number): Promise<void> {
    const { work, community, gateway } = this.#services
    return work.run(async (job) => {
      const { blocks } = community
      if (!blocks.hasBlocked(ownerId, targetId)) return
      await job.db.deleteFrom('blocks').where('user_id', '=', ownerId).where('blocked_id', '=', targetId).execute()
      job.emit(blockRemove, { user_id: ownerId, target_id: targetId }, { to: 'users', users: [ownerId, targetId] })
      job.change((picture) => picture.blocks.delete(ownerId, targetId))
      if (!blocks.hasBlocked(targetId, ownerId)) job.afterCommit(() => gateway.sightChanged(ownerId, targetId))
    })
  }
}
