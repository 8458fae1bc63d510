import { type DataOf, messageCreate, snowflakeTime } from '@vox/protocol'
import type { Work } from '../../events/work.ts'
import type { Place } from './interaction.ts'

type Shown = Pick<DataOf<typeof messageCreate>, 'author_id' | 'body' | 'embed' | 'embeds' | 'components'>

/** Shows one user a message that is stored nowhere: an answer for this user alone, or a notice of the server. */
export function whisper(job: Work, userId: number, { feed_id, dm_id, thread_id }: Place, message: Shown): void {
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
