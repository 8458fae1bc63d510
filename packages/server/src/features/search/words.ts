import { type Kysely, sql } from 'kysely'
import { among, prepared } from '../../db/prepared.ts'
import type { Schema } from '../../db/schema.ts'
import type { MessageRow } from '../messages/messages.ts'
import { type Conditions, met } from './conditions.ts'
import { type Cut, planned, waysTo } from './ways.ts'

type Read = Kysely<Schema>

/** So few texts are looked at one by one before an index of them is asked. */
export const FEW = 2_000

/**
 * Messages with these words, newest first, on PostgreSQL. It guesses how rare a word is, and where it guesses wrong it
 * reads a million texts one by one to find the newest that has it. So only the newest messages are read like that, which
 * is all that a common word takes. A word that few of them have is in few messages: those are found by the index of
 * words, as they are sorted by what no index is in the order of.
 */
export async function byWords(read: Read, wanted: Conditions, cut: Cut): Promise<MessageRow[]> {
  const page = { ...wanted, ...cut }
  const fresh = await newest(read, page)
  if (fresh.length < cut.limit && waysTo(wanted).length === 0) return indexed(read, page)
  const found = fresh.length === cut.limit ? fresh : await sorted(read, page)
  return found.length === 0 ? [] : messagesWith(read, { ids: found.map(({ msg_id }) => msg_id) })
}

/** The best way to words depends on how rare they are: these are planned anew each time, so they ask for no more than ids. */
const PLANNED_ANEW = { keepsPlan: false }

const newest = prepared((read, page: Page) => {
  const { before, after } = page
  const nthNewest = sql`(select m.msg_id from messages as m where m.msg_id < ${before} and m.msg_id > ${after}
    order by m.msg_id desc offset ${sql.lit(FEW)} limit 1)`
  return withWords(read, page).where(sql<boolean>`msg_id > coalesce(${nthNewest}, ${after})`).orderBy('msg_id', 'desc')
}, PLANNED_ANEW)

const sorted = prepared((read, page: Page) => withWords(read, page).orderBy(sql`msg_id + 0`, 'desc'), PLANNED_ANEW)

/** By the index of words, which the offset keeps PostgreSQL from mixing with others: where there is no other way. */
const indexed = planned((read, { before, after, limit, words, ...wanted }: Page) =>
  read
    .selectFrom(
      read
        .selectFrom('messages')
        .selectAll()
        .where((messages) => messages.and(met(read, { words })))
        .offset(sql.lit(0))
        .as('messages'),
    )
    .selectAll()
    .where((messages) => messages.and(met(read, wanted)))
    .where(sql<boolean>`msg_id < ${before} and msg_id > ${after}`)
    .orderBy('msg_id', 'desc')
    .limit(limit),
)

interface Page extends Conditions, Cut {}

const withWords = (read: Read, { before, after, limit, ...wanted }: Page) =>
  read
    .selectFrom('messages')
    .select('msg_id')
    .where((messages) => messages.and(met(read, wanted)))
    .where(sql<boolean>`msg_id < ${before} and msg_id > ${after}`)
    .limit(limit)

const messagesWith = prepared((db, p: { ids: readonly bigint[] }) =>
  db
    .selectFrom('messages')
    .selectAll()
    .where(among(db, sql.ref('msg_id'), p.ids))
    .orderBy('msg_id', 'desc'),
)
