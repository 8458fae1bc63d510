import { type Kysely, type RawBuilder, sql } from 'kysely'
import { engineOf } from '../../db/dialect.ts'
import { among } from '../../db/prepared.ts'
import type { Schema } from '../../db/schema.ts'

/** What messages have to meet; conditions that are given all hold. */
export interface Conditions {
  /** In one of these. */
  feeds?: readonly number[] | undefined
  feed_id?: number | undefined
  dm_id?: number | undefined
  thread_id?: number | undefined
  author_id?: number | undefined
  has_file?: boolean | undefined
  has_embed?: boolean | undefined
  pinned?: true | undefined
  /** On SQLite a folded text that theirs contains, on PostgreSQL words in the language of web searches. */
  words?: string | undefined
}

export type Condition = RawBuilder<boolean>

/** The conditions that are given, on rows of `messages`. */
export function met(db: Kysely<Schema>, wanted: Conditions): Condition[] {
  const { feeds, feed_id, dm_id, thread_id, author_id, has_file, has_embed, pinned, words } = wanted
  const conditions: Condition[] = []
  if (feeds !== undefined) conditions.push(among(db, seen(db, 'feed_id'), feeds))
  if (feed_id !== undefined) conditions.push(sql`${seen(db, 'feed_id')} = ${feed_id}`)
  if (dm_id !== undefined) conditions.push(sql`${seen(db, 'dm_id')} = ${dm_id}`)
  if (thread_id !== undefined) conditions.push(sql`${seen(db, 'thread_id')} = ${thread_id}`)
  if (author_id !== undefined) conditions.push(sql`${seen(db, 'author_id')} = ${author_id}`)
  if (has_file !== undefined) conditions.push(sql`(messages.files is not null) = ${has_file}`)
  if (has_embed !== undefined) conditions.push(sql`(messages.embeds is not null) = ${has_embed}`)
  if (pinned !== undefined) conditions.push(sql`messages.msg_id in (select msg_id from pins)`)
  if (words !== undefined) conditions.push(says(db, words))
  return conditions
}

/** A column to look at in a row. The `+` keeps SQLite from looking the rows up by it, and then sorting them. */
const seen = (db: Kysely<Schema>, column: string) =>
  sql.raw(`${engineOf(db) === 'sqlite' ? '+' : ''}messages.${column}`)

const says = (db: Kysely<Schema>, words: string): Condition =>
  engineOf(db) === 'sqlite'
    ? sql`(select instr(t.folded, ${words}) from message_texts as t where t.msg_id = messages.msg_id) > 0`
    : sql`to_tsvector('english', messages.body) @@ websearch_to_tsquery('english', ${words})`
