import { type Compilable, type Kysely, type RawBuilder, type SelectQueryBuilder, sql } from 'kysely'
import { engineOf } from '../../db/dialect.ts'
import { prepared } from '../../db/prepared.ts'
import type { Schema } from '../../db/schema.ts'
import type { MessageRow } from '../messages/messages.ts'
import { type Condition, type Conditions, met } from './conditions.ts'

type Read = Kysely<Schema>
type Rows = SelectQueryBuilder<Schema, 'messages', object>

const MSG_ID = sql.ref<bigint>('messages.msg_id')

/** Results of a search unless another number is asked for. */
export const USUAL_PAGE = 25

/** How many messages stand at the beginning of a way. */
const BEGINNING = 500

/** A way with more messages is avoided if there is another. */
const SHORT = 32_000

type Value = number | string | boolean | undefined

/** Which messages: those between two ids, both exclusive, the newest of them, and how many. */
export interface Cut {
  before: bigint
  after: bigint
  limit: number
}

interface Stretch {
  before: bigint
  after: bigint
  /** Whose messages, where there is a way for each author, feed or text. */
  of?: Value
}

interface Page extends Conditions {
  before: bigint
  after: bigint
  of?: Value
  /** Of a usual page if it is missing: told as such, PostgreSQL knows that it is short, and keeps its plan. */
  limit?: number | undefined
}

/**
 * A way to messages: an index that has some of them in the order of their ids. It is walked from the newest one until a
 * page is full; what else they have to meet is looked at one by one. So a page costs what is passed on the way, and
 * neither engine is left to guess how soon it will be full.
 */
export interface Way {
  /** The newest messages that meet the conditions. */
  page(read: Read, page: Page): Promise<MessageRow[]>
  /** The same if the beginning of the way has the page, or is all there is of the way. */
  pageAtOnce(read: Read, page: Page): Promise<MessageRow[] | undefined>
  /** The same if the way is not very long. */
  pageIfShort(read: Read, page: Page): Promise<MessageRow[] | undefined>
  /** The id before which the way has so many newer ones, if it is that long. */
  idAfter(read: Read, stretch: Stretch, count: number): Promise<bigint | undefined>
}

/** The rows of an index by the name of their table, in its order. Where they are no messages, `shown` adds those. */
interface Index {
  table: 'messages' | 'found'
  rows(read: Read, stretch: Stretch): Rows
  order: readonly RawBuilder<unknown>[]
  id: RawBuilder<bigint>
  shown?: (found: Rows, stretch: Stretch) => Rows
}

function along({ table, rows, order, id, shown = (found) => found }: Index): Way {
  const ordered = (found: Rows) => order.reduce<Rows>((sorted, column) => sorted.orderBy(column, 'desc'), found)
  const pageOf = (found: Rows, read: Read, page: Page) =>
    ordered(shown(found, page))
      .selectAll('messages')
      .where((messages) => messages.and(met(read, page)))
      .limit(page.limit ?? sql.lit(USUAL_PAGE))
  // The count stands in the text: PostgreSQL would not keep a plan for all counts.
  const further = (read: Read, stretch: Stretch, count: number) =>
    ordered(rows(read, stretch)).select(id.as('msg_id')).offset(sql.lit(count)).limit(sql.lit(1))
  // A limit, not a lower bound, which PostgreSQL would not stop at when it compares rows.
  const beginning = planned((read, page: Page) => {
    const first = ordered(rows(read, page))
      .selectAll(table as 'messages')
      .limit(sql.lit(BEGINNING))
    const end = further(read, page, BEGINNING)
    return pageOf(read.selectFrom(first.as(table)) as unknown as Rows, read, page).select(
      sql<boolean>`${end} is null`.as('ended'),
    )
  })
  const ifShort = planned((read, page: Page) =>
    pageOf(rows(read, page), read, page).where(sql<boolean>`${further(read, page, SHORT)} is null`),
  )
  const ends = new Map<number, (read: Read, stretch: Stretch) => Promise<{ msg_id: bigint }[]>>()
  async function idAfter(read: Read, { before, after, of }: Stretch, count: number): Promise<bigint | undefined> {
    const end = ends.get(count) ?? planned((read, stretch: Stretch) => further(read, stretch, count))
    ends.set(count, end)
    return (await end(read, { before, after, of }))[0]?.msg_id
  }
  return {
    page: planned((read, page: Page) => pageOf(rows(read, page), read, page)),
    async pageIfShort(read, page) {
      const found = await ifShort(read, page)
      return found.length > 0 || (await idAfter(read, page, SHORT)) === undefined ? found : undefined
    },
    async pageAtOnce(read, page) {
      const found = await beginning(read, page)
      if (found.length === (page.limit ?? USUAL_PAGE)) return found
      const ended = found[0]?.ended ?? (await idAfter(read, page, BEGINNING)) === undefined
      return ended ? found : undefined
    },
    idAfter,
  }
}

/** Parameters that would tell PostgreSQL how many messages to expect. */
const TELLING: Readonly<Record<string, string>> = {
  before: 'bigint',
  after: 'bigint',
  of: 'bigint',
  feeds: 'bigint[]',
  feed_id: 'bigint',
  dm_id: 'bigint',
  thread_id: 'bigint',
  author_id: 'bigint',
  has_file: 'boolean',
  has_embed: 'boolean',
  words: 'text',
}

/**
 * A prepared query of which PostgreSQL keeps the plan. Were it to see the values while it plans, it would make a plan for
 * each one that it takes for rare, and that takes longer than to walk along any of these ways.
 */
export function planned<P extends object, Row>(build: (read: Read, parameters: P) => Compilable<Row>) {
  return prepared((read, parameters: P) => {
    if (engineOf(read) === 'sqlite') return build(read, parameters)
    const unseen = Object.entries(parameters).map(([name, value]) => {
      const type = sql.raw(TELLING[name] ?? '')
      return [name, name in TELLING ? sql`cast((select cast(${value} as ${type})) as ${type})` : value]
    })
    return build(read, Object.fromEntries(unseen))
  })
}

/** All messages that meet a condition. */
const all = (condition: Condition = sql`true`): Way =>
  along({
    table: 'messages',
    rows: (read, { before, after }) =>
      read
        .selectFrom('messages')
        .where(sql<boolean>`messages.msg_id < ${before} and messages.msg_id > ${after} and ${condition}`),
    order: [MSG_ID],
    id: MSG_ID,
  })

/** Those with one value in a column, by an index of that and the id. */
function having(column: 'author_id' | 'dm_id' | 'feed_id' | 'thread_id'): Way {
  const name = sql.ref(`messages.${column}`)
  return along({
    table: 'messages',
    rows(read, { of, before, after }) {
      const rows = read.selectFrom('messages')
      if (engineOf(read) === 'sqlite')
        return rows.where(sql<boolean>`${name} = ${of} and messages.msg_id < ${before} and messages.msg_id > ${after}`)
      // No other index has them in the order of both, so PostgreSQL has to take this one. The bounds are excluded apart:
      // if comparing both did that, it would guess by the column alone that nothing is between them.
      const place = sql`(${name}, messages.msg_id)`
      return rows.where(sql<boolean>`${name} is not null and messages.msg_id not in (${before}, ${after})
        and ${place} <= (${of}, ${before}) and ${place} >= (${of}, ${after})`)
    },
    order: [name, MSG_ID],
    id: MSG_ID,
  })
}

/**
 * Those to which rows of another table belong. SQLite never reorders a cross join: it reads that table first, in its own
 * order, and ends with the page.
 */
function from(table: string, condition: (of: Value) => Condition = () => sql`true`, idColumn = 'msg_id'): Way {
  const id = sql.ref<bigint>(`found.${idColumn}`)
  return along({
    table: 'found',
    rows: (read, { before, after }) =>
      read
        .selectFrom(sql<object>`${sql.table(table)}`.as('found'))
        .where(sql<boolean>`${id} < ${before} and ${id} > ${after}`) as unknown as Rows,
    order: [id],
    id,
    shown: (found, { of }) =>
      found.crossJoin('messages').where(sql<boolean>`messages.msg_id = ${id} and ${condition(of)}`) as Rows,
  })
}

export const ALL = all()
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
  has_file: all(sql`messages.files is not null`),
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
