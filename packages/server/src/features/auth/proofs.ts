import { ApiError } from '@vox/protocol'
import type { Assertion } from '@vox/protocol/endpoints'
import type { Work } from '../../events/work.ts'
import type { Services } from '../../services.ts'
import { type Challenge, spendLoginChallenge } from './challenges.ts'
import { passkeysOf, recordUse } from './passkeys.ts'
import { findRecoveryCode, useRecoveryCode } from './recovery-codes.ts'
import { useTotp } from './totp.ts'
import { verifyAssertion } from './webauthn.ts'

/**
 * A second factor that somebody presented. Whatever takes long (hashes, signatures) has been done; calling it in a job
 * uses the proof up, or says why it does not hold. Of two calls for one proof at most one succeeds.
 */
export type Proof = (job: Work) => Promise<ApiError | undefined>

const wrongCode = (): ApiError => new ApiError('2FA_INVALID_CODE', { message: 'The code is wrong or has been used.' })

/** A code of the authenticator app. */
export function totpProof({ clock }: Services, userId: number, code: string): Proof {
  return async (job) => ((await useTotp(job, userId, code, clock.now())) ? undefined : wrongCode())
}

/** A recovery code. */
export async function recoveryProof({ db, passwords }: Services, userId: number, code: string): Promise<Proof> {
  const found = await findRecoveryCode(db.read, passwords, userId, code)
  return async (job) => (found !== undefined && (await useRecoveryCode(job, found)) ? undefined : wrongCode())
}

/** A passkey of the user. */
export async function passkeyProof(services: Services, userId: number, assertion: Assertion): Promise<Proof> {
  const challenge = await spendLoginChallenge(services, userId, assertion)
  return signedProof(services, userId, challenge, assertion)
}

/** The same, where the challenge has been spent already. */
export async function signedProof(
  { db, clock }: Services,
  userId: number,
  challenge: Challenge | undefined,
  assertion: Assertion,
): Promise<Proof> {
  try {
    const passkeys = await passkeysOf(db.read, userId)
    const { passkeyId, counter } = await verifyAssertion(challenge, assertion, { userId, passkeys })
    return async (job) =>
      (await recordUse(job, passkeyId, counter, clock.now())) ? undefined : new ApiError('WEBAUTHN_FAILED')
  } catch (error) {
    if (!(error instanceof ApiError)) throw error
    return async () => error
  }
}
