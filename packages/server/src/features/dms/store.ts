import type { Insertable, Kysely } from 'kysely'
import { prepared } from '../../db/prepared.ts'
import type { Dms, Schema } from '../../db/schema.ts'
import type { Conversation, Participant } from './conversation.ts'

interface Row {
  dm_id: number
  lower_user_id: number | null
  name: string | null
  icon: string | null
  created_at: number
  user_id: number
  hidden: boolean
}

const participations = (db: Kysely<Schema>) =>
  db
    .selectFrom('dms')
    .innerJoin('dm_participants as part', 'part.dm_id', 'dms.dm_id')
    .select(['dms.dm_id', 'lower_user_id', 'name', 'icon', 'created_at', 'part.user_id', 'hidden'])
    .orderBy('participant_id')

const byId = prepared((db, p: { dm_id: number }) => participations(db).where('dms.dm_id', '=', p.dm_id))

const byPair = prepared((db, p: ReturnType<typeof pairOf>) =>
  participations(db).where('lower_user_id', '=', p.lower_user_id).where('higher_user_id', '=', p.higher_user_id),
)

/** A conversation with its participants. */
export async function findConversation(db: Kysely<Schema>, dm_id: number): Promise<Conversation | undefined> {
  return conversationsIn(await byId(db, { dm_id }))[0]
}

/** The conversation of two users that is not a group. */
export async function findPair(db: Kysely<Schema>, one: number, other: number): Promise<Conversation | undefined> {
  return conversationsIn(await byPair(db, pairOf(one, other)))[0]
}

/** A page of what the user has not closed, by id. */
export async function openConversations(
  db: Kysely<Schema>,
  userId: number,
  { after, limit }: { after: number; limit: number },
): Promise<Conversation[]> {
  const rows = await participations(db)
    .where('dms.dm_id', 'in', (eb) =>
      eb
        .selectFrom('dm_participants')
        .select('dm_id')
        .where('user_id', '=', userId)
        .where('hidden', '=', false)
        .where('dm_id', '>', after)
        .orderBy('dm_id')
        .limit(limit),
    )
    .execute()
  return conversationsIn(rows).sort((a, b) => a.dm_id - b.dm_id)
}

/** Conversations from a row for each participant. */
function conversationsIn(rows: readonly Row[]): Conversation[] {
  const found = new Map<number, Conversation & { participants: Participant[] }>()
  for (const { user_id, hidden, lower_user_id, ...rest } of rows) {
    const conversation = found.get(rest.dm_id) ?? { ...rest, is_group: lower_user_id === null, participants: [] }
    conversation.participants.push({ user_id, hidden })
    found.set(rest.dm_id, conversation)
  }
  return [...found.values()]
}

/** The newest message of each conversation that has one. */
export async function newestMessages(db: Kysely<Schema>, dmIds: readonly number[]): Promise<Map<number, bigint>> {
  if (dmIds.length === 0) return new Map()
  const rows = await db
    .selectFrom('dms')
    .select(({ selectFrom }) => [
      'dm_id',
      selectFrom('messages')
        .select(({ fn }) => fn.max('messages.msg_id').as('msg_id'))
        .whereRef('messages.dm_id', '=', 'dms.dm_id')
        .as('msg_id'),
    ])
    .where('dm_id', 'in', dmIds)
    .execute()
  return new Map(rows.flatMap(({ dm_id, msg_id }) => (msg_id === null ? [] : [[dm_id, msg_id]])))
}

/** Stores a new conversation of these users, in this order. */
export async function insertConversation(
  db: Kysely<Schema>,
  row: Insertable<Dms>,
  userIds: readonly number[],
): Promise<number> {
  const { dm_id } = await db.insertInto('dms').values(row).returning('dm_id').executeTakeFirstOrThrow()
  for (const user_id of userIds) await insertParticipant(db, { dm_id, user_id })
  return dm_id
}

export async function insertParticipant(db: Kysely<Schema>, part: { dm_id: number; user_id: number }): Promise<void> {
  await db.insertInto('dm_participants').values(part).execute()
}

/** The columns by which the conversation of two users is found. */
export function pairOf(one: number, other: number): { lower_user_id: number; higher_user_id: number } {
  return { lower_user_id: Math.min(one, other), higher_user_id: Math.max(one, other) }
}

/** The same columns of a group. */
export const NO_PAIR = { lower_user_id: null, higher_user_id: null }
