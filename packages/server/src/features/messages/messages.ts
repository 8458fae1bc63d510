import { ApiError } from '@vox/protocol'
import type { Kysely, Selectable } from 'kysely'
import { prepared } from '../../db/prepared.ts'
import type { Messages, Schema } from '../../db/schema.ts'
import type { HomeKey } from './home.ts'

/** A message as it is stored. */
export type MessageRow = Selectable<Messages>

/** A feed outside of its threads, or one of these. */
export interface Place {
  feedId: number
  threadId: number | null
}

/** Which messages: newest first, both bounds exclusive. */
export interface HistoryRange {
  limit: number
  before?: bigint
  after?: bigint
}

/** Messages of a page unless another number is asked for. */
export const USUAL_PAGE = 50

export const NEWEST = 2n ** 63n - 1n
export const OLDEST = 0n

interface Page {
  place: number
  before: bigint
  after: bigint
  limit: number
}

/** Ordering by `thread_id` as well, which is null in all of them, is what makes PostgreSQL follow the index. */
const feedPage = prepared((db, p: Page) =>
  db
    .selectFrom('messages')
    .selectAll()
    .where('feed_id', '=', p.place)
    .where('thread_id', 'is', null)
    .where('msg_id', '<', p.before)
    .where('msg_id', '>', p.after)
    .orderBy('thread_id', 'desc')
    .orderBy('msg_id', 'desc')
    .limit(p.limit),
)

const threadPage = prepared((db, p: Page & { feed: number }) =>
  db
    .selectFrom('messages')
    .selectAll()
    .where('feed_id', '=', p.feed)
    .where('thread_id', '=', p.place)
    .where('msg_id', '<', p.before)
    .where('msg_id', '>', p.after)
    .orderBy('msg_id', 'desc')
    .limit(p.limit),
)

const dmPage = prepared((db, p: Page) =>
  db
    .selectFrom('messages')
    .selectAll()
    .where('dm_id', '=', p.place)
    .where('msg_id', '<', p.before)
    .where('msg_id', '>', p.after)
    .orderBy('msg_id', 'desc')
    .limit(p.limit),
)

/** Messages of a feed outside of its threads, of a thread or of a conversation, newest first. */
export function history(
  db: Kysely<Schema>,
  place: Place | { dmId: number },
  range: HistoryRange,
): Promise<MessageRow[]> {
  const { limit, before = NEWEST, after = OLDEST } = range
  const bounds = { before, after, limit }
  if ('dmId' in place) return dmPage(db, { place: place.dmId, ...bounds })
  const { feedId, threadId } = place
  return threadId === null
    ? feedPage(db, { place: feedId, ...bounds })
    : threadPage(db, { feed: feedId, place: threadId, ...bounds })
}

const messageOfFeed = prepared((db, p: { feed_id: number; msg_id: bigint }) =>
  db.selectFrom('messages').selectAll().where('msg_id', '=', p.msg_id).where('feed_id', '=', p.feed_id),
)

const messageOfDm = prepared((db, p: { dm_id: number; msg_id: bigint }) =>
  db.selectFrom('messages').selectAll().where('msg_id', '=', p.msg_id).where('dm_id', '=', p.dm_id),
)

/** One message of a feed, in whichever thread of it, or of a conversation. */
export async function findMessage(db: Kysely<Schema>, home: HomeKey, msg_id: bigint): Promise<MessageRow | undefined> {
  const [message] = await ('dm_id' in home
    ? messageOfDm(db, { dm_id: home.dm_id, msg_id })
    : messageOfFeed(db, { feed_id: home.feed_id, msg_id }))
  return message
}

/**
 * The message, if it is in the feed, in a thread of it, or in the conversation.
 *
 * @throws ApiError `MESSAGE_NOT_FOUND`
 */
export async function demandMessage(db: Kysely<Schema>, home: HomeKey, msgId: bigint): Promise<MessageRow> {
  const message = await findMessage(db, home, msgId)
  if (!message) throw new ApiError('MESSAGE_NOT_FOUND')
  return message
}
