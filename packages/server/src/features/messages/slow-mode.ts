import { ApiError, Permission, snowflakeTime } from '@vox/protocol'
import type { Feed } from '../../community/layout.ts'
import type { Work } from '../../events/work.ts'

const EXEMPT = Permission.MANAGE_MESSAGES | Permission.MANAGE_SPACES

/** Whether a user with these permissions in the feed has to wait between two messages. */
export const isSlowed = ({ slowmodeSeconds }: Feed, held: bigint): boolean =>
  slowmodeSeconds > 0 && (held & EXEMPT) === 0n

/** Throws `RATE_LIMITED` while the author's last message in the feed is too young (spec 03, section 12). */
export async function demandPause(job: Work, { id, slowmodeSeconds }: Feed, userId: number, now: number) {
  const last = await job.db
    .selectFrom('slow_mode_posts')
    .select('msg_id')
    .where('feed_id', '=', id)
    .where('user_id', '=', userId)
    .executeTakeFirst()
  const wait = last ? snowflakeTime(last.msg_id) + slowmodeSeconds * 1000 - now : 0
  if (wait > 0)
    throw new ApiError('RATE_LIMITED', { message: 'Slow mode is on here.', fields: { retry_after_ms: wait } })
}

/** Notes that the user has posted; deleting the message does not shorten the wait. */
export async function notePost(job: Work, feedId: number, userId: number, msg_id: bigint): Promise<void> {
  await job.db
    .insertInto('slow_mode_posts')
    .values({ feed_id: feedId, user_id: userId, msg_id })
    .onConflict((present) => present.columns(['feed_id', 'user_id']).doUpdateSet({ msg_id }))
    .execute()
}
