import { type Kysely, sql } from 'kysely'
import type { Database } from '../../db/database.ts'
import type { Schema } from '../../db/schema.ts'
import { folded } from '../../folded.ts'
import { isBlank } from '../messages/content.ts'
import { type MessageRow, NEWEST, OLDEST } from '../messages/messages.ts'
import type { Conditions } from './conditions.ts'
import { lastIndexed } from './indexer.ts'
import { ALL, type Choice, type Cut, MATCHING, SAYING, USUAL_PAGE, waysTo } from './ways.ts'
import { byWords, FEW } from './words.ts'

type Read = Kysely<Schema>

/** Where to look. */
export type Scope = { feeds: readonly number[] } | { feed_id: number } | { dm_id: number }

/** What to find; conditions that are given all hold. */
export interface Wanted extends Omit<Conditions, 'feeds' | 'feed_id' | 'dm_id' | 'pinned' | 'words'> {
  /** Words; blank for none. */
  query: string
  within: Scope
  /** False is no condition. */
  pinned?: boolean
  before?: bigint
  after?: bigint
  limit: number
}

/** Looking for words in so few messages takes less than asking the index of words. */
const HANDFUL = 100

/** SQLite's index knows runs of three characters; shorter texts are looked for in the texts themselves. */
const INDEXED_LENGTH = 3

/** Messages that match, newest first. */
export async function findMatching({ engine, readAside: read }: Database, wanted: Wanted): Promise<MessageRow[]> {
  const { query, within, pinned, before = NEWEST, after = OLDEST, limit, ...others } = wanted
  if ('feeds' in within && within.feeds.length === 0) return []
  const conditions = { ...within, ...others, pinned: pinned || undefined }
  const cut = { before, after, limit }
  if (isBlank(query)) return byGoodWay(read, conditions, cut)
  if (engine === 'postgres') return withWords(read, { ...conditions, words: query }, cut)
  return containing(read, folded(query), conditions, cut)
}

/**
 * Messages by one of the ways to them. Where there are several, nobody knows how long each is: the first whose beginning
 * is enough, or which is not very long, is taken.
 */
async function byGoodWay(read: Read, conditions: Conditions, cut: Cut): Promise<MessageRow[]> {
  const ways = waysTo(conditions)
  const [first, ...others] = ways
  // By which feeds are read PostgreSQL decides how to, so it is not told of a usual page.
  if (!first) return ALL.page(read, { ...conditions, ...cut })
  if (others.length === 0) return first.way.page(read, pageOf(first, cut))
  for (const choice of ways) {
    const { way } = choice
    const page = pageOf(choice, cut)
    const found = (await way.pageAtOnce(read, page)) ?? (await way.pageIfShort(read, page))
    if (found) return found
  }
  return first.way.page(read, pageOf(first, cut))
}

const pageOf = ({ of, rest }: Choice, { before, after, limit }: Cut) => ({
  ...rest,
  of,
  before,
  after,
  limit: limit === USUAL_PAGE ? undefined : limit,
})

/** Whether a way has at most so many messages. */
const isWithin = async (read: Read, count: number, { way, of }: Choice, { before, after }: Cut): Promise<boolean> =>
  (await way.idAfter(read, { before, after, of }, count)) === undefined

/** Messages with these words, on PostgreSQL: on a way that is short, or by the words. */
async function withWords(read: Read, wanted: Conditions, cut: Cut): Promise<MessageRow[]> {
  if (wanted.pinned) return byGoodWay(read, wanted, cut)
  for (const choice of waysTo(wanted)) {
    if (!(await isWithin(read, HANDFUL, choice, cut))) continue
    const found = await choice.way.pageAtOnce(read, pageOf(choice, cut))
    if (found) return found
  }
  return byWords(read, wanted, cut)
}

/**
 * Messages that contain a folded text, on SQLite. Where few are to be looked at, that is done; otherwise those that are
 * not in the index of texts yet, which are all newer, then those that are.
 */
async function containing(read: Read, text: string, conditions: Conditions, cut: Cut): Promise<MessageRow[]> {
  const wanted = { ...conditions, words: text }
  const { pinned, dm_id } = conditions
  if (pinned || dm_id !== undefined) return byGoodWay(read, wanted, cut)
  for (const choice of waysTo(wanted))
    if (await isWithin(read, FEW, choice, cut)) return choice.way.page(read, pageOf(choice, cut))
  if ([...text].length < INDEXED_LENGTH) return SAYING.page(read, { ...conditions, of: text, ...cut })
  // Asked for once: the index goes on growing.
  const last = (await sql<{ msg_id: bigint }>`select ${lastIndexed} as msg_id`.execute(read)).rows[0]?.msg_id ?? 0n
  const { before, after, limit } = cut
  const fresh = await SAYING.page(read, { ...conditions, of: text, ...cut, after: after > last ? after : last })
  if (fresh.length === limit) return fresh
  const phrase = `"${text.replaceAll('"', '""')}"`
  const indexed = { before: before <= last ? before : last + 1n, after, limit: limit - fresh.length }
  return [...fresh, ...(await MATCHING.page(read, { ...conditions, of: phrase, ...indexed }))]
}
