import { type Selectable, type SelectQueryBuilder, sql } from 'kysely'
import type { Database } from '../../db/database.ts'
import type { Messages as MessagesTable, Schema } from '../../db/schema.ts'
import { folded } from '../../folded.ts'
import { lastIndexed } from './indexer.ts'

type MessageRow = Selectable<MessagesTable>

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
  const { query } = wanted
  if (query.trim() === '') return newest(read.selectFrom('messages'), 'messages.msg_id', wanted)
  if (engine === 'sqlite') return findText(read, folded(query), wanted)
  const words = sql<boolean>`to_tsvector('english', body) @@ websearch_to_tsquery('english', ${query})`
  return newest(read.selectFrom('messages').where(words), 'messages.msg_id', wanted)
}

/** Messages that contain a folded text: those that are not in the index yet, which are all newer, then those that are. */
async function findText(read: Database['read'], text: string, wanted: Wanted): Promise<MessageRow[]> {
  const texts = from(read, 'message_texts').where(sql<boolean>`instr(found.folded, ${text}) > 0`)
  if ([...text].length < INDEXED_LENGTH) return newest(texts, 'found.rowid', wanted)
  const fresh = await newest(texts.where(sql<boolean>`found.rowid > ${lastIndexed}`), 'found.rowid', wanted)
  const limit = wanted.limit - fresh.length
  if (limit === 0) return fresh
  const phrase = `"${text.replaceAll('"', '""')}"`
  const indexed = from(read, 'message_search').where(sql<boolean>`found.message_search match ${phrase}`)
  return [...fresh, ...(await newest(indexed, 'found.rowid', { ...wanted, limit }))]
}

type Messages = SelectQueryBuilder<Schema, 'messages', Record<never, never>>

/** Messages by way of another table, which is read first and in its own order: so reading ends with the page. */
function from(read: Database['read'], table: string): Messages {
  return read
    .selectFrom(sql<object>`${sql.table(table)}`.as('found'))
    .crossJoin('messages')
    .where(sql<boolean>`messages.msg_id = found.rowid`) as unknown as Messages
}

/** The newest of these messages that meet the other conditions, in the order of this column. */
function newest(messages: Messages, column: string, wanted: Wanted): Promise<MessageRow[]> {
  const { thread_id, author_id, before, after, has_file, has_embed } = wanted
  const id = sql<bigint>`${sql.ref(column)}`
  const attached = sql<boolean>`exists (select 1 from message_attachments as a where a.msg_id = messages.msg_id)`
  const pinned = sql<boolean>`exists (select 1 from pins as p where p.msg_id = messages.msg_id)`
  return messages
    .selectAll('messages')
    .where('messages.feed_id', 'in', wanted.feeds)
    .$if(thread_id !== undefined, (found) => found.where('thread_id', '=', thread_id ?? 0))
    .$if(author_id !== undefined, (found) => found.where('author_id', '=', author_id ?? 0))
    .$if(before !== undefined, (found) => found.where(sql<boolean>`${id} < ${before}`))
    .$if(after !== undefined, (found) => found.where(sql<boolean>`${id} > ${after}`))
    .$if(has_file !== undefined, (found) => found.where(has_file ? attached : sql<boolean>`not ${attached}`))
    .$if(has_embed !== undefined, (found) => found.where('embeds', has_embed ? 'is not' : 'is', null))
    .$if(wanted.pinned === true, (found) => found.where(pinned))
    .orderBy(id, 'desc')
    .limit(wanted.limit)
    .execute()
}
