import { ApiError, messageReactionAdd, messageReactionRemove } from '@vox/protocol'
import type { ReactionGroup } from '@vox/protocol/endpoints'
import { viewersOfFeed } from '../../events/audience.ts'
import type { Work } from '../../events/work.ts'
import type { Services } from '../../services.ts'
import { notifyOfReaction } from './notifications.ts'
import { demandMessage } from './store.ts'

/** Different emoji on one message (spec 04, section 1.9). */
const MAX_EMOJI = 100

/** Path of a reaction. */
interface Target {
  feed_id: number
  msg_id: bigint
  emoji: string
}

/** Reactions to messages of feeds and threads (spec 04, section 4). */
export class ReactionService {
  readonly #services: Services

  constructor(services: Services) {
    this.#services = services
  }

  async list(feedId: number, msgId: bigint): Promise<ReactionGroup[]> {
    const { read } = this.#services.db
    await demandMessage(read, feedId, msgId)
    const rows = await read
      .selectFrom('message_reactions')
      .select(['emoji', 'user_id'])
      .where('msg_id', '=', msgId)
      .orderBy('reaction_id')
      .execute()
    const groups = Map.groupBy(rows, ({ emoji }) => emoji)
    return [...groups].map(([emoji, users]) => ({ emoji, user_ids: users.map(({ user_id }) => user_id) }))
  }

  async add(user_id: number, { feed_id, msg_id, emoji }: Target): Promise<void> {
    await this.#services.work.run(async (job) => {
      const message = await demandMessage(job.db, feed_id, msg_id)
      await demandRoom(job, msg_id, emoji)
      const added = await job.db
        .insertInto('message_reactions')
        .values({ msg_id, user_id, emoji })
        .onConflict((present) => present.doNothing())
        .returning('reaction_id')
        .executeTakeFirst()
      if (!added) return
      job.emit(messageReactionAdd, { msg_id, user_id, emoji, feed_id }, viewersOfFeed(feed_id))
      notifyOfReaction(job, this.#services.community, { ...message, feed_id }, { actor_id: user_id, emoji })
    })
  }

  async remove(user_id: number, { feed_id, msg_id, emoji }: Target): Promise<void> {
    await this.#services.work.run(async (job) => {
      await demandMessage(job.db, feed_id, msg_id)
      const removed = await job.db
        .deleteFrom('message_reactions')
        .where('msg_id', '=', msg_id)
        .where('user_id', '=', user_id)
        .where('emoji', '=', emoji)
        .returning('reaction_id')
        .executeTakeFirst()
      if (removed) job.emit(messageReactionRemove, { msg_id, user_id, emoji, feed_id }, viewersOfFeed(feed_id))
    })
  }
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
