import { type RawBuilder, type SelectQueryBuilder, sql } from 'kysely'
import type { Database } from '../../db/database.ts'
import type { EngineName } from '../../db/dialect.ts'
import type { Schema } from '../../db/schema.ts'
import { folded } from '../../folded.ts'
import type { MessageRow } from '../messages/show.ts'

/** What to find; conditions that are given all hold. */
export interface Wanted {
  /** Words; blank for none. */
  query: string
  feeds: readonly number[]
  limit: number
  thread_id?: number
  author_id?: number
  before?: bigint
  after?: bigint
  has_file?: boolean
  has_embed?: boolean
  pinned?: boolean
}

/** SQLite's index knows runs of three characters; shorter texts are looked for in the texts themselves. */
const INDEXED_LENGTH = 3

/** Messages in feeds that match, newest first. */
export async function findMatching({ engine, read }: Database, wanted: Wanted): Promise<MessageRow[]> {
  if (wanted.feeds.length === 0) return []
  const isBlank = wanted.query.trim() === ''
  const { matches, id } = isBlank
    ? { matches: read.selectFrom('messages'), id: sql<bigint>`messages.msg_id` }
    : TEXT[engine](read, wanted.query)
  const { thread_id, author_id, before, after, has_file, has_embed } = wanted
  const attached = sql<boolean>`exists (select 1 from message_attachments as a where a.msg_id = messages.msg_id)`
  const pinned = sql<boolean>`exists (select 1 from pins as p where p.msg_id = messages.msg_id)`
  return (
    matches
      .selectAll('messages')
      .where('messages.feed_id', 'in', wanted.feeds)
      .$if(thread_id !== undefined, (found) => found.where('thread_id', '=', thread_id ?? 0))
      .$if(author_id !== undefined, (found) => found.where('author_id', '=', author_id ?? 0))
      .$if(before !== undefined, (found) => found.where(sql<boolean>`${id} < ${before}`))
      .$if(after !== undefined, (found) => found.where(sql<boolean>`${id} > ${after}`))
      .$if(has_file !== undefined, (found) => found.where(has_file ? attached : sql<boolean>`not ${attached}`))
      // No message has embeds yet.
      .$if(has_embed === true, (found) => found.where(sql<boolean>`1 = 0`))
      .$if(wanted.pinned === true, (found) => found.where(pinned))
      .orderBy(id, 'desc')
      .limit(wanted.limit)
      .execute()
  )
}

type Messages = SelectQueryBuilder<Schema, 'messages', Record<never, never>>

/** Messages with a text, and the column to order and bound them by. */
interface Found {
  matches: Messages
  id: RawBuilder<bigint>
}

const TEXT: Record<EngineName, (db: Database['read'], query: string) => Found> = {
  postgres: (db, query) => ({
    matches: db
      .selectFrom('messages')
      .where(sql<boolean>`to_tsvector('english', body) @@ websearch_to_tsquery('english', ${query})`),
    id: sql`messages.msg_id`,
  }),
  // The index comes first and in its own order, so that reading ends with the page.
  sqlite: (db, query) => ({
    matches: db
      .selectFrom(sql<object>`message_search`.as('found'))
      .crossJoin('messages')
      .where(sql<boolean>`messages.msg_id = found.rowid`)
      .where(contains(folded(query))) as unknown as Messages,
    id: sql`found.rowid`,
  }),
}

function contains(text: string): RawBuilder<boolean> {
  return [...text].length < INDEXED_LENGTH
    ? sql<boolean>`instr(found.folded, ${text}) > 0`
    : sql<boolean>`found.message_search match ${`"${text.replaceAll('"', '""')}"`}`
}
