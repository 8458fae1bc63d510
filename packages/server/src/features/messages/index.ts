import {
  deleteMessage,
  editMessage,
  getMessage,
  listMessages,
  listThreadMessages,
  sendMessage,
  sendThreadMessage,
} from '@vox/protocol/endpoints'
import type { Mount } from '../../http/pipeline.ts'
import type { Services } from '../../services.ts'
import { MessageService } from './service.ts'
import type { Place } from './store.ts'

/** Messages of feeds and threads. */
export function messages(services: Services, on: Mount): void {
  const service = new MessageService(services)
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
}
