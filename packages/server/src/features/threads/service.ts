import {
  ApiError,
  Permission,
  type Static,
  threadDelete,
  threadSubscribe,
  threadUnsubscribe,
  threadUpdate,
} from '@vox/protocol'
import type { createThread, editThread, listThreads, ThreadObject } from '@vox/protocol/endpoints'
import type { Kysely } from 'kysely'
import { seconds } from '../../clock.ts'
import type { Schema } from '../../db/schema.ts'
import { viewersOfFeed } from '../../events/audience.ts'
import type { Work } from '../../events/work.ts'
import { demandPermission } from '../../http/pipeline.ts'
import { pageOf, pageSize } from '../../pages.ts'
import { isEmpty } from '../../patches.ts'
import type { Services } from '../../services.ts'
import { eraseSlice } from '../messages/erasure.ts'
import { visibleFeed } from '../spaces/sight.ts'
import { beginThread, findThread, type Thread } from './threads.ts'

const USUAL_PAGE = 50

type NewThread = Static<NonNullable<typeof createThread.body>>
type ThreadPatch = Static<NonNullable<typeof editThread.body>>
type ThreadQuery = Static<typeof listThreads.query>

/** Threads (spec 03, section 15). A thread is visible to whoever sees its feed. */
export class ThreadService {
  readonly #services: Services

  constructor(services: Services) {
    this.#services = services
  }

  async get(userId: number, threadId: number): Promise<ThreadObject> {
    const { read } = this.#services.db
    const thread = await this.#visible(read, userId, threadId)
    return threadObject(thread, await isSubscribed(read, userId, threadId))
  }

  async list(userId: number, feedId: number, query: ThreadQuery) {
    const { db, config, community } = this.#services
    visibleFeed(community, userId, feedId)
    let page = db.read
      .selectFrom('threads')
      .selectAll()
      .where('parent_feed_id', '=', feedId)
      .where('thread_id', '>', query.after ?? 0)
    if (query.archived !== undefined) page = page.where('archived', '=', query.archived)
    const threads = await page
      .orderBy('thread_id')
      .limit(pageSize(query, config.limits.page_limit_messages, USUAL_PAGE))
      .execute()
    const subscribed = await subscriptionsOf(db.read, userId, threads)
    return pageOf(
      threads.map((thread) => threadObject(thread, subscribed.has(thread.thread_id))),
      ({ thread_id }) => thread_id,
    )
  }

  create(userId: number, feedId: number, { parent_msg_id, name }: NewThread): Promise<ThreadObject> {
    const { work, community, clock } = this.#services
    return work.run(async (job) => {
      visibleFeed(community, userId, feedId)
      demandPermission(community.permissionsIn(userId, { type: 'feed', id: feedId }), Permission.CREATE_THREADS)
      const parent = await job.db
        .selectFrom('messages')
        .select('msg_id')
        .where('msg_id', '=', parent_msg_id)
        .where('feed_id', '=', feedId)
        .where('thread_id', 'is', null)
        .executeTakeFirst()
      if (!parent) throw new ApiError('MESSAGE_NOT_FOUND')
      const begun = { parent_feed_id: feedId, parent_msg_id, name, creator_id: userId, created_at: clock.now() }
      return threadObject(await beginThread(job, begun), false)
    })
  }

  edit(userId: number, threadId: number, patch: ThreadPatch): Promise<ThreadObject> {
    return this.#services.work.run(async (job) => {
      const before = await this.#manageable(job, userId, threadId)
      const subscribed = await isSubscribed(job.db, userId, threadId)
      if (isEmpty(patch)) return threadObject(before, subscribed)
      const thread = await job.db
        .updateTable('threads')
        .set(patch)
        .where('thread_id', '=', threadId)
        .returningAll()
        .executeTakeFirstOrThrow()
      job.emit(threadUpdate, { thread_id: threadId, ...patch }, viewersOfFeed(thread.parent_feed_id))
      return threadObject(thread, subscribed)
    })
  }

  /** Deletes the thread with its messages. A long one loses them bit by bit, while others write, and goes with the last. */
  async delete(userId: number, threadId: number): Promise<void> {
    let isGone = false
    while (!isGone) isGone = await this.#deleteSlice(userId, threadId)
  }

  #deleteSlice(userId: number, threadId: number): Promise<boolean> {
    return this.#services.work.run(async (job) => {
      const { name, parent_feed_id: feedId } = await this.#manageable(job, userId, threadId)
      if (!(await eraseSlice(job.db, { column: 'thread_id', id: threadId }))) return false
      await job.db.deleteFrom('threads').where('thread_id', '=', threadId).execute()
      job.emit(threadDelete, { thread_id: threadId }, viewersOfFeed(feedId))
      job.audit({ type: 'thread.delete', actor: userId, target: threadId, metadata: { name, feed_id: feedId } })
      return true
    })
  }

  subscribe(userId: number, feedId: number, threadId: number): Promise<void> {
    const row = { thread_id: threadId, user_id: userId }
    return this.#services.work.run(async (job) => {
      await this.#demandThreadOf(job, userId, feedId, threadId)
      await job.db
        .insertInto('thread_subscribers')
        .values(row)
        .onConflict((present) => present.doNothing())
        .execute()
      job.emit(threadSubscribe, row, { to: 'users', users: [userId] })
    })
  }

  unsubscribe(userId: number, feedId: number, threadId: number): Promise<void> {
    const row = { thread_id: threadId, user_id: userId }
    return this.#services.work.run(async (job) => {
      await this.#demandThreadOf(job, userId, feedId, threadId)
      await job.db
        .deleteFrom('thread_subscribers')
        .where('thread_id', '=', threadId)
        .where('user_id', '=', userId)
        .execute()
      job.emit(threadUnsubscribe, row, { to: 'users', users: [userId] })
    })
  }

  /** Whoever lost the permission while waiting for their turn has it no longer. */
  async #manageable(job: Work, userId: number, threadId: number): Promise<Thread> {
    const thread = await this.#visible(job.db, userId, threadId)
    const feed = { type: 'feed', id: thread.parent_feed_id } as const
    demandPermission(this.#services.community.permissionsIn(userId, feed), Permission.MANAGE_THREADS)
    return thread
  }

  async #demandThreadOf(job: Work, userId: number, feedId: number, threadId: number): Promise<void> {
    const thread = await this.#visible(job.db, userId, threadId)
    if (thread.parent_feed_id !== feedId) throw new ApiError('SPACE_NOT_FOUND')
  }

  async #visible(db: Kysely<Schema>, userId: number, threadId: number): Promise<Thread> {
    const thread = await findThread(db, threadId)
    if (!thread) throw new ApiError('SPACE_NOT_FOUND')
    visibleFeed(this.#services.community, userId, thread.parent_feed_id)
    return thread
  }
}

function threadObject({ created_at, ...thread }: Thread, subscribed: boolean): ThreadObject {
  return { ...thread, created_at: seconds(created_at), subscribed }
}

async function isSubscribed(db: Kysely<Schema>, userId: number, threadId: number): Promise<boolean> {
  return (await subscriptionsOf(db, userId, [{ thread_id: threadId }])).has(threadId)
}

/** Which of the threads the user subscribes to. */
async function subscriptionsOf(
  db: Kysely<Schema>,
  userId: number,
  threads: readonly Pick<Thread, 'thread_id'>[],
): Promise<ReadonlySet<number>> {
  if (threads.length === 0) return new Set()
  const rows = await db
    .selectFrom('thread_subscribers')
    .select('thread_id')
    .where('user_id', '=', userId)
    .where(
      'thread_id',
      'in',
      threads.map(({ thread_id }) => thread_id),
    )
    .execute()
  return new Set(rows.map(({ thread_id }) => thread_id))
}
