import { ApiError } from '@vox/protocol'
import { demandAbove } from '../../community/hierarchy.ts'
import type { Work } from '../../events/work.ts'
import type { Caller } from '../../http/authenticate.ts'
import type { Services } from '../../services.ts'
import { clearFailures } from './attempts.ts'
import { removeChallenges } from './challenges.ts'
import { removePasskeys } from './passkeys.ts'
import { removeRecoveryCodes } from './recovery-codes.ts'
import { voidTickets } from './tickets.ts'
import { removeTotp } from './totp.ts'

/** Takes every second factor from somebody who is locked out (spec 02, section 10). */
export async function resetSecondFactors(
  { work, community }: Services,
  { userId: callerId }: Caller,
  { target_user_id: targetId, reason }: { target_user_id: number; reason: string },
): Promise<void> {
  await work.run(async (job) => {
    const target = await job.db.selectFrom('users').select('user_id').where('user_id', '=', targetId).executeTakeFirst()
    if (!target) throw new ApiError('USER_NOT_FOUND')
    if (targetId !== callerId) demandAbove(community, callerId, targetId)
    await removeSecondFactors(job, targetId, { actor: callerId, reason })
  })
}

/** Takes every second factor from a user, which the audit log keeps. No actor is the operator. */
export async function removeSecondFactors(
  job: Work,
  userId: number,
  { actor, reason }: { actor: number | null; reason: string },
): Promise<void> {
  await clearSecondFactors(job, userId)
  job.audit({ type: '2fa.admin_reset', actor, target: userId, metadata: { reason } })
}

/** Leaves a user no second factor, and nothing that was begun but not ended. */
export async function clearSecondFactors(job: Work, userId: number): Promise<void> {
  await removeTotp(job, userId)
  await removePasskeys(job, userId)
  await removeRecoveryCodes(job, userId)
  await voidTickets(job, userId)
  await removeChallenges(job, userId)
  await clearFailures(job, userId)
}
