import { setImmediate as endOfTurn } from 'node:timers/promises'
import { messageBulkDelete, snowflake, VOX_EPOCH_MS } from '@vox/protocol'
import { viewersOfFeed } from '../../events/audience.ts'
import type { Work } from '../../events/work.ts'

const MAX_IDS_PER_EVENT = 1000

/** Messages deleted at once; between two parts others get their turn. */
const PART = 2000

/**
 * Deletes what the author has written in feeds and threads since a time (Unix milliseconds), and tells those who saw
 * it. Direct messages belong to their participants and stay.
 *
 * @returns how many messages are gone.
 */
export async function deleteMessagesSince(job: Work, authorId: number, since: number): Promise<number> {
  const oldest = snowflake({ timestamp: Math.max(since, VOX_EPOCH_MS), worker: 0, sequence: 0 })
  const gone: Gone[] = []
  for (;;) {
    const part = await deletePart(job, authorId, oldest)
    gone.push(...part)
    if (part.length < PART) break
    await endOfTurn()
  }
  for (const [feedId, messages] of Map.groupBy(gone, ({ feed_id }) => feed_id)) announce(job, feedId, messages)
  return gone.length
}

interface Gone {
  msg_id: bigint
  feed_id: number
}

function deletePart(job: Work, authorId: number, oldest: bigint): Promise<Gone[]> {
  return job.db
    .deleteFrom('messages')
    .where('msg_id', 'in', ({ selectFrom }) =>
      selectFrom('messages')
        .select('msg_id')
        .where('author_id', '=', authorId)
        .where('feed_id', 'is not', null)
        .where('msg_id', '>=', oldest)
        .limit(PART),
    )
    .returning(['msg_id', 'feed_id'])
    .$narrowType<{ feed_id: number }>()
    .execute()
}

function announce(job: Work, feedId: number, messages: readonly Gone[]): void {
  const ids = messages.map(({ msg_id }) => msg_id).sort((a, b) => (a < b ? -1 : 1))
  for (let start = 0; start < ids.length; start += MAX_IDS_PER_EVENT)
    job.emit(
      messageBulkDelete,
      { feed_id: feedId, msg_ids: ids.slice(start, start + MAX_IDS_PER_EVENT) },
      viewersOfFeed(feedId),
    )
}
