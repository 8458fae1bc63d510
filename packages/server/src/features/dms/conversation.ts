import { ApiError, dmCreate } from '@vox/protocol'
import type { DmObject } from '@vox/protocol/endpoints'
import type { Kysely } from 'kysely'
import { seconds } from '../../clock.ts'
import type { Community } from '../../community/community.ts'
import type { Schema } from '../../db/schema.ts'
import type { Audience } from '../../events/audience.ts'
import type { Work } from '../../events/work.ts'
import { findConversation, newestMessages } from './store.ts'

export interface Participant {
  user_id: number
  /** Has closed the conversation, so that it is not in sight. */
  hidden: boolean
}

/** A conversation: fixed, of two users, or a group that is open to more. */
export interface Conversation {
  dm_id: number
  is_group: boolean
  name: string | null
  icon: string | null
  created_at: number
  /** In the order of joining. */
  participants: readonly Participant[]
}

export const idsOf = ({ participants }: Conversation): number[] => participants.map(({ user_id }) => user_id)

/** Everybody who takes part. */
export const everyoneIn = (conversation: Conversation): Audience => ({ to: 'users', users: idsOf(conversation) })

/** The sessions of one user. */
export const own = (userId: number): Audience => ({ to: 'users', users: [userId] })

/**
 * The conversation, for those who take part in it.
 *
 * @throws ApiError `NOT_DM_PARTICIPANT`, also if there is none.
 */
export async function demandOwn(job: Work, dmId: number, userId: number): Promise<Conversation> {
  const conversation = await findConversation(job.db, dmId)
  if (!conversation || !idsOf(conversation).includes(userId)) throw new ApiError('NOT_DM_PARTICIPANT')
  return conversation
}

/**
 * The conversation, where whether it exists is answered before who takes part in it.
 *
 * @throws ApiError `SPACE_NOT_FOUND` or `NOT_DM_PARTICIPANT`
 */
export async function demandExisting(job: Work, dmId: number, userId: number): Promise<Conversation> {
  const conversation = await findConversation(job.db, dmId)
  if (!conversation) throw new ApiError('SPACE_NOT_FOUND')
  if (!idsOf(conversation).includes(userId)) throw new ApiError('NOT_DM_PARTICIPANT')
  return conversation
}

/**
 * Refuses to let somebody write to a single other one on the other side of a block, whoever set it. In a group blocks
 * keep nobody from writing (spec 05, section 5.4).
 *
 * @throws ApiError `USER_BLOCKED`
 */
export function demandUnblocked({ blocks }: Community, conversation: Conversation, userId: number): void {
  if (!conversation.is_group && idsOf(conversation).some((otherId) => blocks.areApart(userId, otherId)))
    throw new ApiError('USER_BLOCKED')
}

/** @throws ApiError `NOT_GROUP_DM` */
export function demandGroup({ is_group }: Conversation): void {
  if (!is_group) throw new ApiError('NOT_GROUP_DM')
}

/** Says that the conversation is there, to whom it was not. */
export function announce(job: Work, conversation: Conversation, users: readonly number[]): void {
  const { dm_id, is_group, name } = conversation
  const participant_ids = idsOf(conversation)
  job.emit(dmCreate, { dm_id, participant_ids, is_group, ...(name !== null && { name }) }, { to: 'users', users })
}

/** Brings a closed conversation back into the sight of these users, by default of all. */
export async function reveal(job: Work, conversation: Conversation, users = idsOf(conversation)): Promise<void> {
  const { dm_id, participants } = conversation
  const blind = participants.filter(({ user_id, hidden }) => hidden && users.includes(user_id))
  if (blind.length === 0) return
  const userIds = blind.map(({ user_id }) => user_id)
  await job.db
    .updateTable('dm_participants')
    .set({ hidden: false })
    .where('dm_id', '=', dm_id)
    .where('user_id', 'in', userIds)
    .execute()
  announce(job, conversation, userIds)
}

/** Conversations in their wire form (spec 05, section 1.1). */
export async function showConversations(
  db: Kysely<Schema>,
  conversations: readonly Conversation[],
): Promise<DmObject[]> {
  const newest = await newestMessages(
    db,
    conversations.map(({ dm_id }) => dm_id),
  )
  return conversations.map((conversation) => dmObject(conversation, newest.get(conversation.dm_id)))
}

/** One conversation in its wire form. */
export async function showConversation(db: Kysely<Schema>, conversation: Conversation): Promise<DmObject> {
  const newest = await newestMessages(db, [conversation.dm_id])
  return dmObject(conversation, newest.get(conversation.dm_id))
}

function dmObject(conversation: Conversation, last_message_id: bigint | null = null): DmObject {
  const { dm_id, is_group, name, icon, created_at } = conversation
  const participant_ids = idsOf(conversation)
  return { dm_id, participant_ids, is_group, name, icon, created_at: seconds(created_at), last_message_id }
}
