import { type Kysely, type RawBuilder, type Selectable, type SelectQueryBuilder, sql } from 'kysely'
import type { Database } from '../../db/database.ts'
import { engineOf } from '../../db/dialect.ts'
import { among } from '../../db/prepared.ts'
import type { Messages as MessagesTable, Schema } from '../../db/schema.ts'
import { folded } from '../../folded.ts'
import { isBlank } from '../messages/content.ts'
import { lastIndexed } from './indexer.ts'

type MessageRow = Selectable<MessagesTable>

/** Where to look. */
export type Scope = { feeds: readonly number[] } | { dm: number }

/** What to find; conditions that are given all hold. */
export interface Wanted {
  /** Words; blank for none. */
  query: string
  within: Scope
  limit: number
  thread_id?: number
  author_id?: number
  before?: bigint
  after?: bigint
  has_file?: boolean
  has_embed?: boolean
  pinned?: boolean
}

type Condition = RawBuilder<boolean>
type Read = Kysely<Schema>

/** SQLite's index knows runs of three characters; shorter texts are looked for in the texts themselves. */
const INDEXED_LENGTH = 3

/** Messages that match, newest first. */
export async function findMatching({ engine, readAside: read }: Database, wanted: Wanted): Promise<MessageRow[]> {
  if ('feeds' in wanted.within && wanted.within.feeds.length === 0) return []
  if (isBlank(wanted.query)) return newest(few(read, wanted) ?? all(read), wanted)
  if (engine === 'sqlite') return containing(read, folded(wanted.query), wanted)
  return withWords(read, wanted)
}

/** How many of the newest messages PostgreSQL looks at one by one. */
const LOOKED_AT = 2_000

/**
 * Messages with these words, on PostgreSQL. It guesses how rare a word is, and where it guesses wrong it reads a million
 * texts one by one to find the newest that has it. So only the newest messages are read like that, which is all that a
 * common word takes. The others are sorted by what is no column (`+ 0`), which leaves the index of words as the way to
 * find them; a word that few of the newest have is in few of the others.
 */
async function withWords(read: Read, wanted: Wanted): Promise<MessageRow[]> {
  const words: Condition = sql`to_tsvector('english', body) @@ websearch_to_tsquery('english', ${wanted.query})`
  if (wanted.pinned) return newest(pinned(read), wanted, words)
  const last = await nthNewest(read, LOOKED_AT, wanted.before)
  const fresh = await newest(all(read), wanted, words, sql`messages.msg_id > ${last}`)
  if (fresh.length === wanted.limit || last === 0n) return fresh
  const byWords: Source = { ...all(read), id: sql`messages.msg_id + 0` }
  const rest = { ...wanted, limit: wanted.limit - fresh.length }
  return [...fresh, ...(await newest(byWords, rest, words, sql`messages.msg_id <= ${last}`))]
}

/** The message before which there are so many newer ones, counted from another if that is given; 0 if there is none. */
async function nthNewest(read: Read, count: number, before?: bigint): Promise<bigint> {
  const nth = await read
    .selectFrom('messages')
    .select('msg_id')
    .$if(before !== undefined, (older) => older.where('msg_id', '<', before ?? 0n))
    .orderBy('msg_id', 'desc')
    .offset(count)
    .limit(1)
    .executeTakeFirst()
  return nth?.msg_id ?? 0n
}

/** Messages that contain a folded text: those not in the index yet, which are all newer, then those that are. */
async function containing(read: Read, text: string, wanted: Wanted): Promise<MessageRow[]> {
  const said: Condition = sql`(select instr(t.folded, ${text}) from message_texts as t
    where t.msg_id = messages.msg_id) > 0`
  if (wanted.pinned) return newest(pinned(read), wanted, said)
  if ('dm' in wanted.within) return newest(all(read), wanted, said)
  const texts = by(read, 'message_texts')
  const inText: Condition = sql`instr(found.folded, ${text}) > 0`
  if ([...text].length < INDEXED_LENGTH) return newest(texts, wanted, inText)
  // Asked for once: the index goes on growing.
  const last = (await sql<{ msg_id: bigint }>`select ${lastIndexed} as msg_id`.execute(read)).rows[0]?.msg_id ?? 0n
  const fresh = await newest(texts, wanted, inText, sql`found.msg_id > ${last}`)
  if (fresh.length === wanted.limit) return fresh
  const phrase = `"${text.replaceAll('"', '""')}"`
  const rest = { ...wanted, limit: wanted.limit - fresh.length }
  const inIndex: Condition = sql`found.message_search match ${phrase}`
  const indexed = await newest(by(read, 'message_search', 'rowid'), rest, inIndex, sql`found.rowid <= ${last}`)
  return [...fresh, ...indexed]
}

/** Where to look, and the id in whose order that is read. */
interface Source {
  read: Read
  messages: SelectQueryBuilder<Schema, 'messages', Record<never, never>>
  id: RawBuilder<bigint>
}

const all = (read: Read): Source => ({ read, messages: read.selectFrom('messages'), id: sql`messages.msg_id` })

/** The messages of a filter that few pass: looking for those among all would take long. */
function few(read: Read, wanted: Wanted): Source | undefined {
  if (wanted.pinned) return pinned(read)
  return wanted.has_file && 'feeds' in wanted.within ? attached(read) : undefined
}

const pinned = (read: Read): Source => by(read, 'pins')

function attached(read: Read): Source {
  const source = by(read, 'message_attachments')
  const firstFile = sql`(select min(a.file_id) from message_attachments as a where a.msg_id = found.msg_id)`
  return { ...source, messages: source.messages.where(sql<boolean>`found.file_id = ${firstFile}`) }
}

/**
 * Messages by way of another table. SQLite never reorders a cross join: it reads that table first, in its own order, and
 * ends with the page.
 */
function by(read: Read, table: string, idColumn = 'msg_id'): Source {
  const id = sql<bigint>`${sql.ref(`found.${idColumn}`)}`
  const messages = read
    .selectFrom(sql<object>`${sql.table(table)}`.as('found'))
    .crossJoin('messages')
    .where(sql<boolean>`messages.msg_id = ${id}`) as unknown as Source['messages']
  return { read, messages, id }
}

/** The newest of these messages that meet all conditions. */
function newest({ read, messages, id }: Source, wanted: Wanted, ...conditions: Condition[]): Promise<MessageRow[]> {
  const { thread_id, author_id, before, after, has_file, has_embed, within, limit } = wanted
  const file = sql<boolean>`exists (select 1 from message_attachments as a where a.msg_id = messages.msg_id)`
  return messages
    .selectAll('messages')
    .where((found) => found.and([isWithin(read, within), ...conditions]))
    .$if(thread_id !== undefined, (found) => found.where('thread_id', '=', thread_id ?? 0))
    .$if(author_id !== undefined, (found) => found.where('author_id', '=', author_id ?? 0))
    .$if(before !== undefined, (found) => found.where(sql<boolean>`${id} < ${before}`))
    .$if(after !== undefined, (found) => found.where(sql<boolean>`${id} > ${after}`))
    .$if(has_file !== undefined, (found) => found.where(has_file ? file : sql<boolean>`not ${file}`))
    .$if(has_embed !== undefined, (found) => found.where('embeds', has_embed ? 'is not' : 'is', null))
    .orderBy(id, 'desc')
    .limit(limit)
    .execute()
}

/**
 * Without the `+`, SQLite reads feed by feed and sorts all it found, instead of reading the newest. A conversation is
 * little, and read by itself.
 */
function isWithin(read: Read, within: Scope): Condition {
  if ('dm' in within) return sql`messages.dm_id = ${within.dm}`
  return among(read, sql.raw(engineOf(read) === 'sqlite' ? '+messages.feed_id' : 'messages.feed_id'), within.feeds)
}
