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
import { demandMessage, type Place } from './messages.ts'
import { PinService } from './pins.ts'
import { react, reactionsTo, unreact } from './reactions.ts'
import { ReadPositions } from './reads.ts'
import { MessageService } from './service.ts'

/** Messages of feeds and threads, reactions to them, and pins. */
export function messages(services: Services, on: Mount): void {
  const service = new MessageService(services)
  const { db, work, community } = services
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

  on(listReactions, async ({ params: { feed_id, msg_id } }) => ({
    reactions: await reactionsTo(db.read, await demandMessage(db.read, { feed_id }, msg_id)),
  }))
  on(addReaction, ({ params: { feed_id, msg_id, emoji }, caller: { userId } }) =>
    work.run(async (job) => {
      const message = await demandMessage(job.db, { feed_id }, msg_id)
      await react(job, community, { feed_id }, message, { user_id: userId, emoji })
    }),
  )
  on(removeReaction, ({ params: { feed_id, msg_id, emoji }, caller: { userId } }) =>
    work.run(async (job) => {
      const message = await demandMessage(job.db, { feed_id }, msg_id)
      await unreact(job, { feed_id }, message, { user_id: userId, emoji })
    }),
  )

  on(listPins, async ({ params }) => ({ messages: await pins.list(params.feed_id) }))
  on(pinMessage, ({ params }) => pins.pin(params.feed_id, params.msg_id))
  on(unpinMessage, ({ params }) => pins.unpin(params.feed_id, params.msg_id))
}
