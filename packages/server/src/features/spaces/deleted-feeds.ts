import type { Kysely } from 'kysely'
import type { Schema } from '../../db/schema.ts'
import type { Work } from '../../events/work.ts'
import type { Services } from '../../services.ts'
import { Erasure } from '../messages/erasure.ts'

/**
 * Takes a feed that has messages left out of everybody's sight, with what could be reached without it. The rest of it
 * goes with the last message.
 */
export async function closeFeed(job: Work, feedId: number): Promise<void> {
  await job.db.updateTable('feeds').set({ deleted: true }).where('feed_id', '=', feedId).execute()
  await job.db.deleteFrom('webhooks').where('feed_id', '=', feedId).execute()
}

/** Erases feeds, those that have been closed until nothing is left. */
export function eraseDeletedFeeds(services: Services): Erasure {
  return new Erasure(services, {
    name: 'deleted feeds',
    column: 'feed_id',
    find: deletedFeeds,
    end: async (job, feedId) => {
      await job.db.deleteFrom('feeds').where('feed_id', '=', feedId).execute()
      job.change((picture) => picture.forgetFeed(feedId))
    },
  })
}

async function deletedFeeds(db: Kysely<Schema>): Promise<number[]> {
  const feeds = await db.selectFrom('feeds').select('feed_id').where('deleted', '=', true).execute()
  return feeds.map(({ feed_id }) => feed_id)
}
