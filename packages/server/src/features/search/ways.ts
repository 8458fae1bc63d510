import { type Kysely, type RawBuilder, type SelectQueryBuilder, sql } from 'kysely'
import { engineOf } from '../../db/dialect.ts'
import { prepared } from '../../db/prepared.ts'
import type { Schema } from '../../db/schema.ts'
import type { MessageRow } from '../messages/messages.ts'
import { type Condition, type Conditions, firstFileOf, met } from './conditions.ts'

type Read = Kysely<Schema>
type Rows = SelectQueryBuilder<Schema, 'messages', object>

const MSG_ID = sql.ref<bigint>('messages.msg_id')

/** A part of a way, between two ids, both exclusive. */
export interface Stretch {
  before: bigint
  after: bigint
  /** Whose messages, where there is a way for each author, feed or text. */
  of?: Value
}

type Value = number | string | boolean | undefined

/** Which messages of a stretch: the newest, and how many at most. */
export interface Cut extends Omit<Stretch, 'of'> {
  limit: number
}

interface Page extends Stretch, Cut, Conditions {}

/**
 * A way to messages: an index that has some of them in the order of their ids. It is walked from the newest one until a
 * page is full; what else they have to meet is looked at one by one. So a page costs what is passed on the way, and
 * neither engine is left to guess how soon it will be full.
 */
export interface Way {
  /** The newest messages on a stretch that meet the conditions. */
  page(read: Read, page: Page): Promise<MessageRow[]>
  /** The id on a stretch before which there are so many newer ones, if it is that long. */
  idAfter(read: Read, count: number, stretch: Stretch): Promise<bigint | undefined>
}

/** A way along the rows of an index, which have ids; where they are in another table, `shown` adds the messages. */
function way(
  rows: (read: Read, stretch: Stretch) => Rows,
  id = MSG_ID,
  shown = (found: Rows, _: Stretch) => found,
): Way {
  const build = (read: Read, page: Page) =>
    shown(rows(read, page), page)
      .selectAll('messages')
      .where((found) => found.and(met(read, page)))
      .limit(page.limit)
  const preparedPage = prepared(build)
  const further = prepared((read, p: Stretch & { count: number }) =>
    rows(read, p).select(id.as('msg_id')).offset(p.count).limit(1),
  )
  return {
    // How PostgreSQL best finds words depends on how rare they are: it plans each of these searches by itself.
    page: (read, page) =>
      page.words !== undefined && engineOf(read) === 'postgres'
        ? build(read, page).execute()
        : preparedPage(read, page),
    idAfter: async (read, count, { before, after, of }) =>
      (await further(read, { before, after, of, count }))[0]?.msg_id,
  }
}

/** All messages that meet a condition; an order by anything but the id keeps PostgreSQL from walking along that. */
const all = (condition: Condition = sql`true`, order: RawBuilder<unknown> = MSG_ID): Way =>
  way((read, { before, after }) =>
    read
      .selectFrom('messages')
      .where(sql<boolean>`messages.msg_id < ${before} and messages.msg_id > ${after} and ${condition}`)
      .orderBy(order, 'desc'),
  )

/** Those with one value in a column, by an index of that and the id. */
function having(column: 'author_id' | 'dm_id' | 'feed_id' | 'thread_id'): Way {
  const name = sql.ref(`messages.${column}`)
  return way((read, { of, before, after }) => {
    const rows = read.selectFrom('messages').orderBy(name, 'desc').orderBy('messages.msg_id', 'desc')
    const between = sql`messages.msg_id < ${before} and messages.msg_id > ${after}`
    if (engineOf(read) === 'sqlite') return rows.where(sql<boolean>`${name} = ${of} and ${between}`)
    // No other index has them in the order of both, so PostgreSQL has to take this one. Equal ones are included because
    // it estimates by the column alone how many there are.
    const place = sql`(${name}, messages.msg_id)`
    return rows.where(sql<boolean>`${name} is not null and ${between}
      and ${place} <= (${of}, ${before}) and ${place} >= (${of}, ${after})`)
  })
}

/**
 * Those to which rows of another table belong. SQLite never reorders a cross join: it reads that table first, in its own
 * order, and ends with the page.
 */
function from(table: string, condition: (of: Value) => Condition = () => sql`true`, id = 'msg_id'): Way {
  const foundId = sql.ref<bigint>(`found.${id}`)
  return way(
    (read, { before, after }) =>
      read
        .selectFrom(sql<object>`${sql.table(table)}`.as('found'))
        .where(sql<boolean>`${foundId} < ${before} and ${foundId} > ${after}`)
        .orderBy(foundId, 'desc') as unknown as Rows,
    foundId,
    (found, { of }) =>
      found.crossJoin('messages').where(sql<boolean>`messages.msg_id = ${foundId} and ${condition(of)}`) as Rows,
  )
}

export const ALL = all()
/** For PostgreSQL, which finds them by something else and then sorts them. */
export const SORTED = all(undefined, sql`messages.msg_id + 0`)
/** By the texts themselves, on SQLite. */
export const SAYING = from('message_texts', (text) => sql`instr(found.folded, ${text}) > 0`)
/** By SQLite's index of texts. */
export const MATCHING = from('message_search', (phrase) => sql`found.message_search match ${phrase}`, 'rowid')

/** Ways to what meets a condition; those that tend to be short first. */
const WAYS = {
  pinned: from('pins'),
  thread_id: having('thread_id'),
  dm_id: having('dm_id'),
  has_embed: all(sql`messages.embeds is not null`),
  has_file: from('message_attachments', () => sql`found.file_id = ${firstFileOf('found')}`),
  author_id: having('author_id'),
  feed_id: having('feed_id'),
}

/** A way, and what remains to be looked at in the messages on it. */
export interface Choice {
  way: Way
  of?: Value
  rest: Conditions
}

/** The ways to messages that meet all conditions. */
export function waysTo(wanted: Conditions): Choice[] {
  const choices: Choice[] = []
  for (const condition of Object.keys(WAYS) as (keyof typeof WAYS)[]) {
    const { [condition]: of, ...rest } = wanted
    if (of !== undefined && of !== false) choices.push({ way: WAYS[condition], of, rest })
  }
  return choices
}
