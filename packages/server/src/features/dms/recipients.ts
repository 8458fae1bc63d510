import { ApiError, dmRecipientAdd } from '@vox/protocol'
import type { Services } from '../../services.ts'
import { announce, demandExisting, demandGroup, demandOwn, everyoneIn, idsOf } from './conversation.ts'
import { part } from './parting.ts'
import { insertParticipant } from './store.ts'
import { demandReachable, demandWelcome } from './welcome.ts'

/** Who is in a group: every participant may add and remove others (spec 05, sections 2.5 and 2.6). */
export class Recipients {
  readonly #services: Services

  constructor(services: Services) {
    this.#services = services
  }

  add(callerId: number, dm_id: number, user_id: number): Promise<void> {
    const { work, community, config } = this.#services
    return work.run(async (job) => {
      const before = await demandExisting(job, dm_id, callerId)
      demandGroup(before)
      demandReachable(community, [user_id])
      if (idsOf(before).includes(user_id)) return
      if (before.participants.length >= config.limits.group_dm_recipients_max) throw new ApiError('TOO_MANY_RECIPIENTS')
      await demandWelcome(job, community, callerId, [user_id])
      await insertParticipant(job.db, { dm_id, user_id })
      const group = { ...before, participants: [...before.participants, { user_id, hidden: false }] }
      announce(job, group, [user_id])
      job.emit(dmRecipientAdd, { dm_id, user_id }, everyoneIn(group))
    })
  }

  remove(callerId: number, dmId: number, userId: number): Promise<void> {
    return this.#services.work.run(async (job) => {
      const group = await demandOwn(job, dmId, callerId)
      if (userId === callerId)
        throw new ApiError('INVALID_OPERATION', { message: 'To leave a group, delete the conversation.' })
      demandGroup(group)
      if (idsOf(group).includes(userId)) await part(job, group, userId)
    })
  }
}
