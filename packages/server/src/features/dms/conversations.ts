import { ApiError, dmRecipientRemove, dmUpdate, type Static } from '@vox/protocol'
import type { DmObject, listDms, openDm, updateDm } from '@vox/protocol/endpoints'
import type { Work } from '../../events/work.ts'
import { pageSize } from '../../pages.ts'
import { isEmpty } from '../../patches.ts'
import type { Services } from '../../services.ts'
import type { Erasure } from '../messages/erasure.ts'
import { eraseAbandonedGroups } from './abandoned-groups.ts'
import {
  announce,
  type Conversation,
  demandExisting,
  demandGroup,
  demandOwn,
  demandUnblocked,
  everyoneIn,
  own,
  reveal,
  showConversation,
  showConversations,
} from './conversation.ts'
import { part } from './parting.ts'
import { findPair, insertConversation, NO_PAIR, openConversations, pairOf } from './store.ts'
import { demandReachable, demandWelcome } from './welcome.ts'

/** Opening, listing, changing and closing conversations (spec 05, section 2). */
export class Conversations {
  readonly #services: Services
  readonly #erasure: Erasure

  constructor(services: Services) {
    this.#services = services
    this.#erasure = eraseAbandonedGroups(services)
  }

  async open(callerId: number, wanted: Static<NonNullable<typeof openDm.body>>): Promise<DmObject> {
    const { recipient_id, recipient_ids, name = null } = wanted
    if (recipient_id !== undefined) return this.#openPair(callerId, recipient_id)
    if (recipient_ids !== undefined) return this.#createGroup(callerId, recipient_ids, name)
    throw new ApiError('PROTOCOL_VERSION_MISMATCH')
  }

  async list(userId: number, query: Static<typeof listDms.query>): Promise<DmObject[]> {
    const { db, config } = this.#services
    const limit = pageSize(query, config.limits.page_limit_dms)
    return showConversations(db.read, await openConversations(db.read, userId, { after: query.after ?? 0, limit }))
  }

  /** Closes a conversation of two for the caller, or makes the caller leave a group. */
  close(callerId: number, dmId: number): Promise<void> {
    return this.#services.work.run(async (job) => {
      const conversation = await demandOwn(job, dmId, callerId)
      if (conversation.is_group) await this.#leave(job, conversation, callerId)
      else await hide(job, conversation, callerId)
    })
  }

  async #leave(job: Work, group: Conversation, userId: number): Promise<void> {
    await part(job, group, userId)
    if (group.participants.length === 1) await this.#erasure.erase(job, group.dm_id)
  }

  update(callerId: number, dmId: number, patch: Static<NonNullable<typeof updateDm.body>>): Promise<DmObject> {
    return this.#services.work.run(async (job) => {
      const before = await demandOwn(job, dmId, callerId)
      demandGroup(before)
      if (isEmpty(patch)) return showConversation(job.db, before)
      await job.db.updateTable('dms').set(patch).where('dm_id', '=', dmId).execute()
      job.emit(dmUpdate, { dm_id: dmId, ...patch }, everyoneIn(before))
      return showConversation(job.db, { ...before, ...patch })
    })
  }

  /** Makes a group of a conversation of two; the pair may then begin another one. */
  convert(callerId: number, dmId: number): Promise<DmObject> {
    const { work, community } = this.#services
    return work.run(async (job) => {
      const before = await demandExisting(job, dmId, callerId)
      if (before.is_group) return showConversation(job.db, before)
      demandUnblocked(community, before, callerId)
      await job.db.updateTable('dms').set(NO_PAIR).where('dm_id', '=', dmId).execute()
      const group = { ...before, is_group: true }
      await reveal(job, group)
      job.emit(dmUpdate, { dm_id: dmId, is_group: true }, everyoneIn(group))
      return showConversation(job.db, group)
    })
  }

  #openPair(callerId: number, recipientId: number): Promise<DmObject> {
    const { work, community } = this.#services
    if (recipientId === callerId) throw new ApiError('INVALID_TARGET')
    return work.run(async (job) => {
      const existing = await findPair(job.db, callerId, recipientId)
      if (existing) {
        await reveal(job, existing, [callerId])
        return showConversation(job.db, existing)
      }
      demandReachable(community, [recipientId])
      await demandWelcome(job, community, callerId, [recipientId])
      return this.#begin(job, [callerId, recipientId], { is_group: false, name: null })
    })
  }

  #createGroup(callerId: number, wanted: readonly number[], name: string | null): Promise<DmObject> {
    const { work, community, config } = this.#services
    const userIds = [...new Set([callerId, ...wanted])]
    if (userIds.length > config.limits.group_dm_recipients_max) throw new ApiError('TOO_MANY_RECIPIENTS')
    const others = userIds.slice(1)
    return work.run(async (job) => {
      demandReachable(community, others)
      await demandWelcome(job, community, callerId, others)
      return this.#begin(job, userIds, { is_group: true, name })
    })
  }

  async #begin(
    job: Work,
    userIds: readonly number[],
    { is_group, name }: { is_group: boolean; name: string | null },
  ): Promise<DmObject> {
    const created_at = this.#services.clock.now()
    const [one = 0, other = 0] = userIds
    const pair = is_group ? NO_PAIR : pairOf(one, other)
    const dm_id = await insertConversation(job.db, { ...pair, name, created_at }, userIds)
    const participants = userIds.map((user_id) => ({ user_id, hidden: false }))
    const conversation = { dm_id, is_group, name, icon: null, created_at, participants }
    announce(job, conversation, userIds)
    return showConversation(job.db, conversation)
  }
}

async function hide(job: Work, { dm_id, participants }: Conversation, user_id: number): Promise<void> {
  if (participants.some((participant) => participant.user_id === user_id && participant.hidden)) return
  await job.db
    .updateTable('dm_participants')
    .set({ hidden: true })
    .where('dm_id', '=', dm_id)
    .where('user_id', '=', user_id)
    .execute()
  job.emit(dmRecipientRemove, { dm_id, user_id }, own(user_id))
}
