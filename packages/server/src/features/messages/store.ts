import { ApiError } from '@vox/protocol'
import type { Kysely, Selectable } from 'kysely'
import { prepared } from '../../db/prepared.ts'
import type { Messages, Schema } from '../../db/schema.ts'

/** A message as it is stored. */
export type MessageRow = Selectable<Messages>

/** A message that is about to be stored. */
export type NewMessage = Omit<MessageRow, 'edit_timestamp' | 'feed_id' | 'dm_id'> & { feed_id: number }

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

const NEWEST = 2n ** 63n - 1n
const OLDEST = 0n

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

/** Messages of a feed outside of its threads, or of a thread, newest first. */
export function history(db: Kysely<Schema>, { feedId, threadId }: Place, range: HistoryRange): Promise<MessageRow[]> {
  const { limit, before = NEWEST, after = OLDEST } = range
  const bounds = { before, after, limit }
  return threadId === null
    ? feedPage(db, { place: feedId, ...bounds })
    : threadPage(db, { feed: feedId, place: threadId, ...bounds })
}

const messageOfFeed = prepared((db, p: { feed_id: number; msg_id: bigint }) =>
  db.selectFrom('messages').selectAll().where('msg_id', '=', p.msg_id).where('feed_id', '=', p.feed_id),
)

/** One message of a feed, in whichever thread of it. */
export async function findMessage(
  db: Kysely<Schema>,
  feed_id: number,
  msg_id: bigint,
): Promise<MessageRow | undefined> {
  const [message] = await messageOfFeed(db, { feed_id, msg_id })
  return message
}

/**
 * The message, if it is in the feed or in a thread of it.
 *
 * @throws ApiError `MESSAGE_NOT_FOUND`
 */
export async function demandMessage(db: Kysely<Schema>, feedId: number, msgId: bigint): Promise<MessageRow> {
  const message = await findMessage(db, feedId, msgId)
  if (!message) throw new ApiError('MESSAGE_NOT_FOUND')
  return message
}

/** Stores a message. */
export const insertMessage = prepared((db, p: NewMessage) =>
  db.insertInto('messages').values({
    msg_id: p.msg_id,
    feed_id: p.feed_id,
    thread_id: p.thread_id,
    author_id: p.author_id,
    body: p.body,
    opaque_blob: p.opaque_blob,
    reply_to: p.reply_to,
    mentions: p.mentions,
    embeds: p.embeds,
    components: p.components,
    webhook_id: p.webhook_id,
    webhook_name: p.webhook_name,
    webhook_avatar: p.webhook_avatar,
  }),
)
