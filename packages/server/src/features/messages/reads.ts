import type { Services } from '../../services.ts'
import { existingFeed } from '../spaces/sight.ts'
import { history } from './messages.ts'

/** How far people have read. In feeds nobody but themselves learns of it; for conversations see features/dms. */
export class ReadPositions {
  readonly #services: Services

  constructor(services: Services) {
    this.#services = services
  }

  /** The user's positions: in the feeds that the user sees, then in the conversations that the user takes part in. */
  async of(userId: number) {
    return [...(await this.#inFeeds(userId)), ...(await this.#inConversations(userId))]
  }

  async #inConversations(userId: number) {
    const rows = await this.#services.db.read
      .selectFrom('dm_participants')
      .select(['dm_id', 'read_msg_id'])
      .where('user_id', '=', userId)
      .where('read_msg_id', 'is not', null)
      .$narrowType<{ read_msg_id: bigint }>()
      .orderBy('dm_id')
      .execute()
    return rows.map(({ dm_id, read_msg_id }) => ({ feed_id: null, dm_id, last_read_msg_id: read_msg_id }))
  }

  async #inFeeds(userId: number) {
    const { db, community } = this.#services
    const rows = await db.read
      .selectFrom('feed_reads')
      .select(['feed_id', 'msg_id'])
      .where('user_id', '=', userId)
      .orderBy('feed_id')
      .execute()
    return rows
      .filter(({ feed_id }) => community.finds(userId, { type: 'feed', id: feed_id }))
      .map(({ feed_id, msg_id }) => ({ feed_id, dm_id: null, last_read_msg_id: msg_id }))
  }

  /** Moves the user's position forward to this message, or to the newest one if it is older. */
  async move(user_id: number, feed_id: number, upTo: bigint): Promise<void> {
    const { work, community } = this.#services
    existingFeed(community, feed_id)
    await work.run(async (job) => {
      const feed = { feedId: feed_id, threadId: null }
      const [newest] = await history(job.db, feed, { limit: 1 })
      if (!newest) return
      const msg_id = upTo < newest.msg_id ? upTo : newest.msg_id
      const [reached] = await history(job.db, feed, { limit: 1, before: msg_id + 1n })
      if (!reached) return
      await job.db
        .insertInto('feed_reads')
        .values({ feed_id, user_id, msg_id })
        .onConflict((present) =>
          present.columns(['feed_id', 'user_id']).doUpdateSet({ msg_id }).where('feed_reads.msg_id', '<', msg_id),
        )
        .execute()
    })
  }
}
