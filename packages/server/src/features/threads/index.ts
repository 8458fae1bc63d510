import {
  createThread,
  deleteThread,
  editThread,
  getThread,
  listThreads,
  subscribeToThread,
  unsubscribeFromThread,
} from '@vox/protocol/endpoints'
import type { Mount } from '../../http/pipeline.ts'
import type { Services } from '../../services.ts'
import { ThreadService } from './service.ts'

/** Threads, without their messages. */
export function threads(services: Services, on: Mount): void {
  const service = new ThreadService(services)

  on(getThread, ({ params, caller }) => service.get(caller.userId, params.thread_id))
  on(listThreads, ({ params, query, caller }) => service.list(caller.userId, params.feed_id, query))
  on(createThread, ({ params, body, caller }) => service.create(caller.userId, params.feed_id, body))
  on(editThread, ({ params, body, caller }) => service.edit(caller.userId, params.thread_id, body))
  on(deleteThread, ({ params, caller }) => service.delete(caller.userId, params.thread_id))
  on(subscribeToThread, ({ params, caller }) => service.subscribe(caller.userId, params.feed_id, params.thread_id))
  on(unsubscribeFromThread, ({ params, caller }) =>
    service.unsubscribe(caller.userId, params.feed_id, params.thread_id),
  )
}
