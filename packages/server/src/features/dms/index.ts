import {
  addDmRecipient,
  closeDm,
  convertDm,
  listDms,
  openDm,
  removeDmRecipient,
  updateDm,
} from '@vox/protocol/endpoints'
import type { Mount } from '../../http/pipeline.ts'
import { pageOf } from '../../pages.ts'
import type { Services } from '../../services.ts'
import { Conversations } from './conversations.ts'
import { Recipients } from './recipients.ts'

/** Conversations outside of feeds, of two users or of a group. */
export function dms(services: Services, on: Mount): void {
  const conversations = new Conversations(services)
  const recipients = new Recipients(services)

  on(openDm, ({ body, caller }) => conversations.open(caller.userId, body))
  on(listDms, async ({ query, caller }) => pageOf(await conversations.list(caller.userId, query), ({ dm_id }) => dm_id))
  on(closeDm, ({ params, caller }) => conversations.close(caller.userId, params.dm_id))
  on(updateDm, ({ params, body, caller }) => conversations.update(caller.userId, params.dm_id, body))
  on(convertDm, ({ params, caller }) => conversations.convert(caller.userId, params.dm_id))
  on(addDmRecipient, ({ params, caller }) => recipients.add(caller.userId, params.dm_id, params.user_id))
  on(removeDmRecipient, ({ params, caller }) => recipients.remove(caller.userId, params.dm_id, params.user_id))
}
