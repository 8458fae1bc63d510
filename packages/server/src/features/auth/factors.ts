import type { Kysely } from 'kysely'
import type { Schema } from '../../db/schema.ts'
import type { Work } from '../../events/work.ts'
import { removeRecoveryCodes } from './recovery-codes.ts'

/** What an account has beside its password. */
export interface Factors {
  totp: boolean
  passkeys: number
  /** Unused recovery codes. */
  recoveryCodes: number
}

/** The second factors of an account; a set-up that is not confirmed does not count. */
export async function factorsOf(db: Kysely<Schema>, userId: number): Promise<Factors> {
  const counts = await db
    .selectNoFrom(({ selectFrom, fn }) => [
      selectFrom('totp_secrets')
        .select(fn.countAll<number>().as('count'))
        .where('user_id', '=', userId)
        .where('setup_id', 'is', null)
        .$asScalar()
        .as('totp'),
      selectFrom('passkeys')
        .select(fn.countAll<number>().as('count'))
        .where('user_id', '=', userId)
        .$asScalar()
        .as('passkeys'),
      selectFrom('recovery_codes')
        .select(fn.countAll<number>().as('count'))
        .where('user_id', '=', userId)
        .where('used', '=', false)
        .$asScalar()
        .as('recoveryCodes'),
    ])
    .executeTakeFirstOrThrow()
  return { totp: counts.totp === 1, passkeys: counts.passkeys ?? 0, recoveryCodes: counts.recoveryCodes ?? 0 }
}

/** Whether the password alone does not suffice. */
export const hasSecondFactor = ({ totp, passkeys }: Factors): boolean => totp || passkeys > 0

/** The methods that `2FA_REQUIRED` offers, in the order clients show them (spec 02, section 4). */
export function availableMethods({ totp, passkeys, recoveryCodes }: Factors): string[] {
  return [totp && 'totp', passkeys > 0 && 'webauthn', recoveryCodes > 0 && 'recovery'].filter(
    (method) => method !== false,
  )
}

/** Recovery codes stand in for a second factor; with the last one they go. */
export async function removeCodesWithoutFactor(job: Work, userId: number): Promise<void> {
  if (!hasSecondFactor(await factorsOf(job.db, userId))) await removeRecoveryCodes(job, userId)
}
