import { type Kysely, sql } from 'kysely'
import type { Database } from '../../db/database.ts'
import type { Schema } from '../../db/schema.ts'
import { folded } from '../../folded.ts'
import { isBlank } from '../messages/content.ts'
import { type MessageRow, NEWEST, OLDEST } from '../messages/messages.ts'
import type { Conditions } from './conditions.ts'
import { lastIndexed } from './indexer.ts'
import { ALL, type Choice, type Cut, MATCHING, SAYING, SORTED, USUAL_PAGE, waysTo } from './ways.ts'

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

/** A way with more messages is avoided if there is another. */
const LONG = 32_000

/** So few texts are looked at one by one before an index of them is asked. */
const FEW = 2_000

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
 * is enough is taken, or else the first that is not very long.
 */
async function byGoodWay(read: Read, conditions: Conditions, cut: Cut): Promise<MessageRow[]> {
  const ways = waysTo(conditions)
  const [first, ...others] = ways
  // By which feeds are read PostgreSQL decides how to, so it is not told of a usual page.
  if (!first) return ALL.page(read, { ...conditions, ...cut })
  if (others.length === 0) return first.way.page(read, pageOf(first, cut))
  for (const choice of ways) {
    const found = await choice.way.pageAtOnce(read, pageOf(choice, cut))
    if (found) return found
  }
  const shorter = ways[(await endsAt(read, LONG, ways, cut)).indexOf(undefined)] ?? first
  return shorter.way.page(read, pageOf(shorter, cut))
}

const pageOf = ({ of, rest }: Choice, { before, after, limit }: Cut) => ({
  ...rest,
  of,
  before,
  after,
  limit: limit === USUAL_PAGE ? undefined : limit,
})

/** Where so many messages on each way end; undefined for those that are not longer. */
const endsAt = (read: Read, count: number, ways: readonly Choice[], { before, after }: Cut) =>
  Promise.all(ways.map(({ way, of }) => way.idAfter(read, { before, after, of }, count)))

/**
 * Messages with these words, on PostgreSQL. It guesses how rare a word is, and where it guesses wrong it reads a million
 * texts one by one to find the newest that has it. So only the newest messages are read like that, which is all that a
 * common word takes. The others are sorted by what no index is in the order of, which leaves the index of words as the
 * way to find them; a word that few of the newest have is in few of the others.
 */
async function withWords(read: Read, wanted: Conditions, cut: Cut): Promise<MessageRow[]> {
  if (wanted.pinned) return byGoodWay(read, wanted, cut)
  const { before, after, limit } = cut
  const last = await ALL.idAfter(read, { before, after }, FEW)
  const fresh = await ALL.page(read, { ...wanted, ...cut, after: last ?? after })
  if (fresh.length === limit || last === undefined) return fresh
  const rest = { before: last + 1n, after, limit: limit - fresh.length }
  return [...fresh, ...(await SORTED.page(read, { ...wanted, ...rest }))]
}

/**
 * Messages that contain a folded text, on SQLite. Where few are to be looked at, that is done; otherwise those that are
 * not in the index of texts yet, which are all newer, then those that are.
 */
async function containing(read: Read, text: string, conditions: Conditions, cut: Cut): Promise<MessageRow[]> {
  const wanted = { ...conditions, words: text }
  const { pinned, dm_id } = conditions
  if (pinned || dm_id !== undefined) return byGoodWay(read, wanted, cut)
  const ways = waysTo(wanted)
  const short = ways[(await endsAt(read, FEW, ways, cut)).indexOf(undefined)]
  if (short) return short.way.page(read, pageOf(short, cut))
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
