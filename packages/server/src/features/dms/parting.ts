import { dmRecipientRemove } from '@vox/protocol'
import type { Work } from '../../events/work.ts'
import { type Conversation, everyoneIn } from './conversation.ts'

/** Takes a participant out of a group, whoever wants it so. */
export async function part(job: Work, group: Conversation, user_id: number): Promise<void> {
  const { dm_id } = group
  await job.db.deleteFrom('dm_participants').where('dm_id', '=', dm_id).where('user_id', '=', user_id).execute()
  job.emit(dmRecipientRemove, { dm_id, user_id }, everyoneIn(group))
}
