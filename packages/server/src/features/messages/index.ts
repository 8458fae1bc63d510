import {
  addReaction,
  bulkDeleteMessages,
  deleteMessage,
  editMessage,
  getMessage,
  listMessages,
  listPins,
  listReactions,
  listThreadMessages,
  markFeedRead,
  pinMessage,
  removeReaction,
  sendMessage,
  sendThreadMessage,
  unpinMessage,
} from '@vox/protocol/endpoints'
import type { Mount } from '../../http/pipeline.ts'
import type { Services } from '../../services.ts'
import { PinService } from './pins.ts'
import { ReactionService } from './reactions.ts'
import { ReadPositions } from './reads.ts'
import { MessageService } from './service.ts'
import type { Place } from './store.ts'

/** Messages of feeds and threads, reactions to them, and pins. */
export function messages(services: Services, on: Mount): void {
  const service = new MessageService(services)
  const reactions = new ReactionService(services)
  const pins = new PinService(services)
  const reads = new ReadPositions(services)
  const inFeed = ({ feed_id }: { feed_id: number }): Place => ({ feedId: feed_id, threadId: null })
  const inThread = ({ feed_id, thread_id }: { feed_id: number; thread_id: number }): Place => ({
    feedId: feed_id,
    threadId: thread_id,
  })

  on(listMessages, async ({ params, query }) => ({ messages: await service.list(inFeed(params), query) }))
  on(getMessage, ({ params }) => service.get(params.feed_id, params.msg_id))
  on(sendMessage, ({ params, body, caller }) => service.send(caller.userId, inFeed(params), body))
  on(editMessage, ({ params, body, caller }) => service.edit(caller.userId, params.feed_id, params.msg_id, body))
  on(deleteMessage, ({ params, caller }) => service.delete(caller.userId, params.feed_id, params.msg_id))

  on(listThreadMessages, async ({ params, query }) => ({ messages: await service.list(inThread(params), query) }))
  on(sendThreadMessage, ({ params, body, caller }) => service.send(caller.userId, inThread(params), body))
  on(bulkDeleteMessages, ({ params, body, caller }) => service.bulkDelete(caller.userId, params.feed_id, body.msg_ids))

  on(markFeedRead, ({ params, body, caller }) => reads.move(caller.userId, params.feed_id, body.up_to_msg_id))

  on(listReactions, async ({ params }) => ({ reactions: await reactions.list(params.feed_id, params.msg_id) }))
  on(addReaction, ({ params, caller }) => reactions.add(caller.userId, params))
  on(removeReaction, ({ params, caller }) => reactions.remove(caller.userId, params))

  on(listPins, async ({ params }) => ({ messages: await pins.list(params.feed_id) }))
  on(pinMessage, ({ params }) => pins.pin(params.feed_id, params.msg_id))
  on(unpinMessage, ({ params }) => pins.unpin(params.feed_id, params.msg_id))
}
