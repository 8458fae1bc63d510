import { ApiError } from '@vox/protocol'
import type { Kysely } from 'kysely'
import type { Schema } from '../../db/schema.ts'
import type { Work } from '../../events/work.ts'
import type { Ticket } from './tickets.ts'

/*
 * How often a second factor may be guessed (spec 02, section 5.3). Only attempts by somebody who knows the password or
 * holds a session are counted, so that a stranger cannot lock anybody out.
 */
const PER_TICKET = 5
const PER_ACCOUNT = 10
const WINDOW_MS = 15 * 60_000

/** Throws `2FA_MAX_ATTEMPTS` when too many proofs were wrong already. */
export async function demandAttemptsLeft(
  db: Kysely<Schema>,
  userId: number,
  now: number,
  ticket?: Ticket,
): Promise<void> {
  if (ticket && ticket.failures >= PER_TICKET) throw new ApiError('2FA_MAX_ATTEMPTS')
  const { failures } = await db
    .selectFrom('second_factor_failures')
    .select(({ fn }) => fn.countAll<number>().as('failures'))
    .where('user_id', '=', userId)
    .where('failed_at', '>', now - WINDOW_MS)
    .executeTakeFirstOrThrow()
  if (failures >= PER_ACCOUNT) throw new ApiError('2FA_MAX_ATTEMPTS')
}

export async function countFailure({ db }: Work, userId: number, now: number, ticket?: Ticket): Promise<void> {
  await db.insertInto('second_factor_failures').values({ user_id: userId, failed_at: now }).execute()
  if (!ticket) return
  await db
    .updateTable('auth_sessions')
    .set((row) => ({ failures: row('failures', '+', 1) }))
    .where('session_id', '=', ticket.id)
    .execute()
}

export async function clearFailures({ db }: Work, userId: number): Promise<void> {
  await db.deleteFrom('second_factor_failures').where('user_id', '=', userId).execute()
}

/** Removes failures that do not count any more. */
export async function removeOldFailures({ db }: Work, now: number): Promise<void> {
  await db
    .deleteFrom('second_factor_failures')
    .where('failed_at', '<=', now - WINDOW_MS)
    .execute()
}
