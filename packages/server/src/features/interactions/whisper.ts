import { type DataOf, messageCreate, snowflakeTime } from '@vox/protocol'
import type { Community } from '../../community/community.ts'
import type { Work } from '../../events/work.ts'
import type { Place } from './interaction.ts'
import { isPresent } from './invocation.ts'

type Shown = Pick<DataOf<typeof messageCreate>, 'author_id' | 'body' | 'embed' | 'embeds' | 'components'>

/**
 * Shows one user a message that is stored nowhere: an answer for this user alone, or a notice of the server. Not to
 * somebody who does not see the place any more.
 */
export async function whisper(
  job: Work,
  community: Community,
  userId: number,
  place: Place,
  message: Shown,
): Promise<void> {
  if (!(await isPresent(job.db, community, userId, place))) return
  const { feed_id, dm_id, thread_id } = place
  const msg_id = job.nextId()
  job.emit(
    messageCreate,
    {
      msg_id,
      timestamp: snowflakeTime(msg_id),
      ...(feed_id !== null && { feed_id }),
      ...(dm_id !== null && { dm_id }),
      ...(thread_id !== null && { thread_id }),
      ...message,
      ephemeral: true,
    },
    { to: 'users', users: [userId] },
  )
}
