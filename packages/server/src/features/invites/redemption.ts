import { ApiError } from '@vox/protocol'
import type { Kysely, Selectable } from 'kysely'
import type { Invites, Schema } from '../../db/schema.ts'
import type { Work } from '../../events/work.ts'

/** An invite as it is stored. */
export type InviteRow = Selectable<Invites>

export function findInvite(db: Kysely<Schema>, code: string): Promise<InviteRow | undefined> {
  return db.selectFrom('invites').selectAll().where('code', '=', code).executeTakeFirst()
}

export const hasExpired = ({ expires_at }: InviteRow, now: number): boolean => expires_at !== null && expires_at <= now

export const isUsedUp = ({ max_uses, uses }: InviteRow): boolean =>
  max_uses !== null && max_uses > 0 && uses >= max_uses

const invalid = () => new ApiError('INVITE_INVALID', { status: 422 })

/**
 * Throws unless somebody new could come by this invite at the time `now`: for registrations, which must know before
 * there is an account to redeem it.
 */
export async function demandUsableInvite(job: Work, now: number, code: string): Promise<void> {
  const invite = await demandInvite(job, now, code)
  if (isUsedUp(invite)) throw invalid()
}

/** Counts the account as a use of the invite, once per account (spec 03, section 2); throws if that cannot be. */
export async function redeemInvite(job: Work, now: number, code: string, userId: number): Promise<void> {
  const invite = await demandInvite(job, now, code)
  const use = { code, user_id: userId }
  const counted = await job.db
    .insertInto('invite_uses')
    .values(use)
    .onConflict((conflict) => conflict.doNothing())
    .returning('code')
    .executeTakeFirst()
  if (!counted) return
  if (isUsedUp(invite)) throw invalid()
  await job.db
    .updateTable('invites')
    .set({ uses: invite.uses + 1 })
    .where('code', '=', code)
    .execute()
}

async function demandInvite(job: Work, now: number, code: string): Promise<InviteRow> {
  const invite = await findInvite(job.db, code)
  if (!invite) throw invalid()
  if (hasExpired(invite, now)) throw new ApiError('INVITE_EXPIRED')
  return invite
}
