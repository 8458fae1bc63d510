import {
  addDmReaction,
  addDmRecipient,
  closeDm,
  convertDm,
  deleteDmMessage,
  editDmMessage,
  getDmMessage,
  listDmMessages,
  listDmReactions,
  listDms,
  markDmRead,
  openDm,
  removeDmReaction,
  removeDmRecipient,
  sendDmMessage,
  updateDm,
} from '@vox/protocol/endpoints'
import type { Mount } from '../../http/pipeline.ts'
import { pageOf } from '../../pages.ts'
import type { Services } from '../../services.ts'
import { Conversations } from './conversations.ts'
import { DirectMessages } from './messages.ts'
import { ReadReceipts } from './receipts.ts'
import { Recipients } from './recipients.ts'

/** Conversations outside of feeds, of two users or of a group. */
export function dms(services: Services, on: Mount): void {
  const conversations = new Conversations(services)
  const recipients = new Recipients(services)
  const messages = new DirectMessages(services)
  const receipts = new ReadReceipts(services)

  on(openDm, ({ body, caller }) => conversations.open(caller.userId, body))
  on(listDms, async ({ query, caller }) => pageOf(await conversations.list(caller.userId, query), ({ dm_id }) => dm_id))
  on(closeDm, ({ params, caller }) => conversations.close(caller.userId, params.dm_id))
  on(updateDm, ({ params, body, caller }) => conversations.update(caller.userId, params.dm_id, body))
  on(convertDm, ({ params, caller }) => conversations.convert(caller.userId, params.dm_id))
  on(addDmRecipient, ({ params, caller }) => recipients.add(caller.userId, params.dm_id, params.user_id))
  on(removeDmRecipient, ({ params, caller }) => recipients.remove(caller.userId, params.dm_id, params.user_id))

  on(listDmMessages, async ({ params, query }) => ({ messages: await messages.list(params.dm_id, query) }))
  on(getDmMessage, ({ params }) => messages.get(params))
  on(sendDmMessage, ({ params, body, caller }) => messages.send(caller.userId, params.dm_id, body))
  on(editDmMessage, ({ params, body, caller }) => messages.edit(caller.userId, params, body))
  on(deleteDmMessage, ({ params, caller }) => messages.delete(caller.userId, params))

  on(listDmReactions, async ({ params }) => ({ reactions: await messages.reactions(params) }))
  on(addDmReaction, ({ params, caller }) => messages.react(caller.userId, params, params.emoji))
  on(removeDmReaction, ({ params, caller }) => messages.unreact(caller.userId, params, params.emoji))

  on(markDmRead, ({ params, body, caller }) => receipts.move(caller.userId, params.dm_id, body.up_to_msg_id))
}
