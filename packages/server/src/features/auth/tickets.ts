import type { Kysely } from 'kysely'
import type { Schema } from '../../db/schema.ts'
import type { Work } from '../../events/work.ts'
import { newToken, tokenHash } from './tokens.ts'

const MINUTE_MS = 60_000

/** Tokens that are good for one use at one endpoint (spec 02, section 2). */
const KINDS = {
  /** The password was right; the second factor is still to come. */
  mfa: { prefix: 'mfa_', lifetime: 5 * MINUTE_MS },
  setup_totp: { prefix: 'setup_totp_', lifetime: 10 * MINUTE_MS },
  setup_webauthn: { prefix: 'setup_webauthn_', lifetime: 10 * MINUTE_MS },
  /** A guest has joined and may log in. */
  federation: { prefix: 'fed_', lifetime: 10 * MINUTE_MS },
} as const

export type TicketKind = keyof typeof KINDS

export interface Ticket {
  id: number
  userId: number
  /** Wrong proofs presented with it. */
  failures: number
}

/** Makes a ticket; its text is never readable again. */
export async function issueTicket(
  { db }: Work,
  kind: TicketKind,
  userId: number,
  now: number,
): Promise<{ id: number; text: string }> {
  const { prefix, lifetime } = KINDS[kind]
  const text = newToken(prefix)
  const { session_id: id } = await db
    .insertInto('auth_sessions')
    .values({ user_id: userId, token_hash: tokenHash(text), kind, created_at: now, expires_at: now + lifetime })
    .returning('session_id')
    .executeTakeFirstOrThrow()
  return { id, text }
}

/** The live ticket of this kind with this text. */
export async function findTicket(
  db: Kysely<Schema>,
  kind: TicketKind,
  text: string,
  now: number,
): Promise<Ticket | undefined> {
  const row = await db
    .selectFrom('auth_sessions')
    .select(['session_id', 'user_id', 'failures'])
    .where('token_hash', '=', tokenHash(text))
    .where('kind', '=', kind)
    .where('expires_at', '>', now)
    .executeTakeFirst()
  return row && { id: row.session_id, userId: row.user_id, failures: row.failures }
}

/** Which kind of set-up a `setup_id` claims to be of. */
export function setupKind(text: string): 'setup_totp' | 'setup_webauthn' | undefined {
  return (['setup_totp', 'setup_webauthn'] as const).find((kind) => text.startsWith(KINDS[kind].prefix))
}

/** Uses a ticket up; false if somebody else has. What a set-up had prepared goes with it. */
export async function useTicket({ db }: Work, id: number): Promise<boolean> {
  const used = await db
    .deleteFrom('auth_sessions')
    .where('session_id', '=', id)
    .returning('session_id')
    .executeTakeFirst()
  return used !== undefined
}

/** Voids the user's tickets of one kind, or all that have to do with a second factor. */
export async function voidTickets(
  { db }: Work,
  userId: number,
  kinds: readonly TicketKind[] = ['mfa', 'setup_totp', 'setup_webauthn'],
): Promise<void> {
  await db.deleteFrom('auth_sessions').where('user_id', '=', userId).where('kind', 'in', kinds).execute()
}
