import type { Kysely } from 'kysely'
import { prepared } from '../../db/prepared.ts'
import type { Schema } from '../../db/schema.ts'

/*
 * Who takes part in what, for everybody who has to know. Being a participant is the only right to a conversation: roles
 * give none (spec 05, section 1).
 */

const part = prepared((db, p: { user_id: number; dm_id: number }) =>
  db.selectFrom('dm_participants').select('dm_id').where('dm_id', '=', p.dm_id).where('user_id', '=', p.user_id),
)

const everyPart = prepared((db, p: { dm_id: number }) =>
  db.selectFrom('dm_participants').select('user_id').where('dm_id', '=', p.dm_id).orderBy('participant_id'),
)

const contacts = prepared((db, p: { user_id: number }) =>
  db
    .selectFrom('dm_participants as own')
    .innerJoin('dm_participants as other', 'other.dm_id', 'own.dm_id')
    .select('other.user_id')
    .distinct()
    .where('own.user_id', '=', p.user_id)
    .whereRef('other.user_id', '<>', 'own.user_id'),
)

/** Whether the user takes part in the conversation; in one that does not exist nobody does. */
export async function takesPart(db: Kysely<Schema>, user_id: number, dm_id: number): Promise<boolean> {
  return (await part(db, { user_id, dm_id })).length > 0
}

/** Who takes part in the conversation, in the order of joining; nobody if it does not exist. */
export async function participantsOf(db: Kysely<Schema>, dm_id: number): Promise<number[]> {
  return (await everyPart(db, { dm_id })).map(({ user_id }) => user_id)
}

/** Everybody who shares a conversation with the user, once each, in no particular order; also where it is closed. */
export async function contactsOf(db: Kysely<Schema>, user_id: number): Promise<number[]> {
  return (await contacts(db, { user_id })).map((contact) => contact.user_id)
}

/** Whether the conversation is one of two people, and no group. */
export async function isPair(db: Kysely<Schema>, dm_id: number): Promise<boolean> {
  const pair = await db
    .selectFrom('dms')
    .select('dm_id')
    .where('dm_id', '=', dm_id)
    .where('lower_user_id', 'is not', null)
    .executeTakeFirst()
  return pair !== undefined
}

/** Whether both users take part in some group. */
export async function shareGroup(db: Kysely<Schema>, user_id: number, other_id: number): Promise<boolean> {
  const group = await db
    .selectFrom('dm_participants as own')
    .innerJoin('dm_participants as other', 'other.dm_id', 'own.dm_id')
    .innerJoin('dms', 'dms.dm_id', 'own.dm_id')
    .select('dms.dm_id')
    .where('own.user_id', '=', user_id)
    .where('other.user_id', '=', other_id)
    .where('lower_user_id', 'is', null)
    .limit(1)
    .executeTakeFirst()
  return group !== undefined
}
