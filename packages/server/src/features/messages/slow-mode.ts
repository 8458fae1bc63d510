import { ApiError, Permission, snowflake, snowflakeTime, VOX_EPOCH_MS } from '@vox/protocol'
import type { Feed } from '../../community/layout.ts'
import type { Work } from '../../events/work.ts'

const EXEMPT = Permission.MANAGE_MESSAGES | Permission.MANAGE_SPACES

/** Whether a user with these permissions in the feed has to wait between two messages. */
export const isSlowed = ({ slowmodeSeconds }: Feed, held: bigint): boolean =>
  slowmodeSeconds > 0 && (held & EXEMPT) === 0n

/** Throws `RATE_LIMITED` while the author's last message in the feed is too young (spec 03, section 12). */
export async function demandPause(job: Work, { id, slowmodeSeconds }: Feed, userId: number, now: number) {
  const pause = slowmodeSeconds * 1000
  const last = await lastPost(job, id, userId, Math.max(now - pause, VOX_EPOCH_MS))
  if (last === undefined) return
  // Ids may run a little ahead of the clock.
  const wait = Math.min(pause, snowflakeTime(last) + pause - now)
  if (wait > 0)
    throw new ApiError('RATE_LIMITED', { message: 'Slow mode is on here.', fields: { retry_after_ms: wait } })
}

/** The newest message of the user since a time: as it was noted, or from before slow mode was switched on. */
async function lastPost(job: Work, feed_id: number, user_id: number, since: number): Promise<bigint | undefined> {
  const oldest = snowflake({ timestamp: since, worker: 0, sequence: 0 })
  const post = await job.db
    .selectFrom('slow_mode_posts')
    .select('msg_id')
    .where('feed_id', '=', feed_id)
    .where('user_id', '=', user_id)
    .unionAll((db) =>
      db
        .selectFrom('messages')
        .select('msg_id')
        .where('author_id', '=', user_id)
        .where('msg_id', '>=', oldest)
        .where('feed_id', '=', feed_id),
    )
    .orderBy('msg_id', 'desc')
    .limit(1)
    .executeTakeFirst()
  return post?.msg_id
}

/** Notes that the user has posted; deleting the message does not shorten the wait. */
export async function notePost(job: Work, feedId: number, userId: number, msg_id: bigint): Promise<void> {
  await job.db
    .insertInto('slow_mode_posts')
    .values({ feed_id: feedId, user_id: userId, msg_id })
    .onConflict((present) => present.columns(['feed_id', 'user_id']).doUpdateSet({ msg_id }))
    .execute()
}
