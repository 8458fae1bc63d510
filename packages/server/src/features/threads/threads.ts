import { threadCreate } from '@vox/protocol'
import { nameProblem } from '@vox/protocol/endpoints'
import type { Kysely, Selectable } from 'kysely'
import { prepared } from '../../db/prepared.ts'
import type { Schema, Threads } from '../../db/schema.ts'
import { viewersOfFeed } from '../../events/audience.ts'
import type { Work } from '../../events/work.ts'

/** A thread as it is stored. */
export type Thread = Selectable<Threads>

/** What is known of a thread before it begins. */
export type NewThread = Pick<Thread, 'parent_feed_id' | 'parent_msg_id' | 'name' | 'creator_id' | 'created_at'>

/** The feed a thread belongs to. */
export async function feedOfThread(db: Kysely<Schema>, threadId: number): Promise<number | undefined> {
  return (await findThread(db, threadId))?.parent_feed_id
}

const threadById = prepared((db, p: { thread_id: number }) =>
  db.selectFrom('threads').selectAll().where('thread_id', '=', p.thread_id),
)

export async function findThread(db: Kysely<Schema>, thread_id: number): Promise<Thread | undefined> {
  const [thread] = await threadById(db, { thread_id })
  return thread
}

/** Begins a thread, neither archived nor locked, and tells everybody who sees the feed. */
export async function beginThread(job: Work, begun: NewThread): Promise<Thread> {
  const thread = await job.db.insertInto('threads').values(begun).returningAll().executeTakeFirstOrThrow()
  const { thread_id, parent_feed_id, name, parent_msg_id } = thread
  job.emit(threadCreate, { thread_id, parent_feed_id, name, parent_msg_id }, viewersOfFeed(parent_feed_id))
  return thread
}

/** Longest name that the beginning of a forum post gives its thread, characters. */
const NAME_OF_POST = 64

/** The name of the thread that a forum post begins (spec 04, section 2.3). */
export function threadName(body: string | null, longest: number): string {
  const line = (body ?? '').replaceAll(/\p{Cc}+/gu, ' ').trim()
  const name = [...line].slice(0, Math.min(NAME_OF_POST, longest)).join('').trim()
  return nameProblem(name) ? 'Thread' : name
}
