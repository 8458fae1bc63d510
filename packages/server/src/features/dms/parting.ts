import { dmRecipientRemove } from '@vox/protocol'
import type { Work } from '../../events/work.ts'
import type { Services } from '../../services.ts'
import { eraseMessages } from '../messages/erasure.ts'
import { type Conversation, everyoneIn } from './conversation.ts'

/**
 * Takes a participant out of a group, whoever wants it so. A group without participants is nobody's: it goes with its
 * messages and what was uploaded to it.
 */
export async function part(job: Work, services: Services, group: Conversation, user_id: number): Promise<void> {
  const { dm_id } = group
  await job.db.deleteFrom('dm_participants').where('dm_id', '=', dm_id).where('user_id', '=', user_id).execute()
  job.emit(dmRecipientRemove, { dm_id, user_id }, everyoneIn(group))
  if (group.participants.length === 1) await erase(job, services, dm_id)
}

async function erase(job: Work, { files }: Services, dmId: number): Promise<void> {
  await eraseMessages(job.db, { column: 'dm_id', id: dmId })
  await files.deleteUploadsTo(job, dmId)
  await job.db.deleteFrom('dms').where('dm_id', '=', dmId).execute()
}
