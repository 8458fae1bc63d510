import { ApiError, messageReactionAdd, messageReactionRemove } from '@vox/protocol'
import type { ReactionGroup } from '@vox/protocol/endpoints'
import type { Kysely } from 'kysely'
import type { Community } from '../../community/community.ts'
import type { Schema } from '../../db/schema.ts'
import type { Work } from '../../events/work.ts'
import { audienceOf, type Home, keyOf } from './home.ts'
import type { MessageRow } from './messages.ts'
import { notifyOfReaction } from './notifications.ts'

/*
 * Reactions to messages, wherever they are (spec 04, section 4; spec 05, section 4.1). That the message is there, and
 * may be reacted to, has been checked.
 */

/** Different emoji on one message (spec 04, section 1.9). */
const MAX_EMOJI = 100

/** Who reacts, and how. */
interface Reaction {
  user_id: number
  emoji: string
}

/** The reactions to a message, emoji by emoji in the order of first use. */
export async function reactionsTo(db: Kysely<Schema>, { msg_id }: MessageRow): Promise<ReactionGroup[]> {
  const rows = await db
    .selectFrom('message_reactions')
    .select(['emoji', 'user_id'])
    .where('msg_id', '=', msg_id)
    .orderBy('reaction_id')
    .execute()
  const groups = Map.groupBy(rows, ({ emoji }) => emoji)
  return [...groups].map(([emoji, users]) => ({ emoji, user_ids: users.map(({ user_id }) => user_id) }))
}

/** Adds a reaction and tells of it; one that is there already stays as it is. */
export async function react(
  job: Work,
  community: Community,
  home: Home,
  message: MessageRow,
  { user_id, emoji }: Reaction,
): Promise<void> {
  const { msg_id } = message
  await demandRoom(job, msg_id, emoji)
  const added = await job.db
    .insertInto('message_reactions')
    .values({ msg_id, user_id, emoji })
    .onConflict((present) => present.doNothing())
    .returning('reaction_id')
    .executeTakeFirst()
  if (!added) return
  job.emit(messageReactionAdd, { msg_id, user_id, emoji, ...keyOf(home) }, audienceOf(home))
  notifyOfReaction(job, community, home, message, { actor_id: user_id, emoji })
}

/** Takes a reaction back, if there is one, and tells of it. */
export async function unreact(job: Work, home: Home, { msg_id }: MessageRow, { user_id, emoji }: Reaction) {
  const removed = await job.db
    .deleteFrom('message_reactions')
    .where('msg_id', '=', msg_id)
    .where('user_id', '=', user_id)
    .where('emoji', '=', emoji)
    .returning('reaction_id')
    .executeTakeFirst()
  if (removed) job.emit(messageReactionRemove, { msg_id, user_id, emoji, ...keyOf(home) }, audienceOf(home))
}

async function demandRoom(job: Work, msgId: bigint, emoji: string): Promise<void> {
  const present = await job.db
    .selectFrom('message_reactions')
    .select('emoji')
    .distinct()
    .where('msg_id', '=', msgId)
    .execute()
  if (present.length >= MAX_EMOJI && !present.some((reaction) => reaction.emoji === emoji))
    throw new ApiError('INVALID_OPERATION', { message: `A message takes ${MAX_EMOJI} different emoji.` })
}
