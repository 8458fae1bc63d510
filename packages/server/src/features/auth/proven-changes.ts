import { ApiError, type Static } from '@vox/protocol'
import type { removeSecondFactor, renewRecoveryCodes } from '@vox/protocol/endpoints'
import type { Kysely } from 'kysely'
import type { Schema } from '../../db/schema.ts'
import type { Work } from '../../events/work.ts'
import type { Caller } from '../../http/authenticate.ts'
import type { Services } from '../../services.ts'
import { countFailure, demandAttemptsLeft } from './attempts.ts'
import { factorsOf, hasSecondFactor, removeCodesWithoutFactor } from './factors.ts'
import { orThrow } from './login.ts'
import { removePasskeys } from './passkeys.ts'
import { type Proof, passkeyProof, recoveryProof, totpProof } from './proofs.ts'
import { newRecoveryCodes, replaceRecoveryCodes } from './recovery-codes.ts'
import { codeDigits, removeTotp } from './totp.ts'

/*
 * What an account does to its own second factors only with a proof that it has them. A session alone does not suffice,
 * because sessions get stolen.
 */

type Removal = Static<NonNullable<(typeof removeSecondFactor)['body']>>
type Renewal = Static<NonNullable<(typeof renewRecoveryCodes)['body']>>

/** Removes TOTP or all passkeys, and ends the account's other sessions (spec 02, section 6.4). */
export async function removeFactor(services: Services, { userId, sessionId }: Caller, input: Removal): Promise<void> {
  const { method } = input
  await withProof(
    services,
    userId,
    method,
    () => proofForRemoval(services, userId, input),
    async (job) => {
      await (method === 'totp' ? removeTotp : removePasskeys)(job, userId)
      await removeCodesWithoutFactor(job, userId)
      await services.sessions.endAllOf(job, userId, { except: sessionId })
    },
  )
}

async function proofForRemoval(
  services: Services,
  userId: number,
  { method, code, assertion }: Removal,
): Promise<Proof> {
  if (method === 'webauthn' && assertion) return passkeyProof(services, userId, assertion)
  if (!code) throw wrongProof()
  const isTotp = method === 'totp' && codeDigits(code) !== undefined
  return isTotp ? totpProof(services, userId, code) : recoveryProof(services, userId, code)
}

/** Replaces the recovery codes (spec 02, section 12.2). */
export async function renewCodes(services: Services, { userId }: Caller, input: Renewal): Promise<string[]> {
  const { work, passwords } = services
  await withProof(
    services,
    userId,
    input.method,
    () => proofForRenewal(services, userId, input),
    async () => {},
  )
  const codes = await newRecoveryCodes(passwords)
  await work.run(async (job) => {
    if (!hasSecondFactor(await factorsOf(job.db, userId))) throw new ApiError('2FA_NOT_ENABLED')
    await replaceRecoveryCodes(job, userId, codes)
  })
  return codes.map(({ code }) => code)
}

async function proofForRenewal(
  services: Services,
  userId: number,
  { method, code, assertion }: Renewal,
): Promise<Proof> {
  if (method === 'totp' && code) return totpProof(services, userId, code)
  if (method === 'webauthn' && assertion) return passkeyProof(services, userId, assertion)
  throw wrongProof()
}

const wrongProof = (): ApiError => new ApiError('2FA_INVALID_CODE')

/** Makes a change if the method is enabled, attempts are left and the proof holds. */
async function withProof(
  { db, work, clock }: Services,
  userId: number,
  method: string,
  examine: () => Promise<Proof>,
  change: (job: Work) => Promise<void>,
): Promise<void> {
  const demand = async (tables: Kysely<Schema>): Promise<void> => {
    await demandEnabled(tables, userId, method)
    await demandAttemptsLeft(tables, userId, clock.now())
  }
  await demand(db.read)
  const proof = await examine()
  const outcome = await work.run(async (job) => {
    await demand(job.db)
    if (!(await proof(job))) return change(job)
    await countFailure(job, userId, clock.now())
    return wrongProof()
  })
  orThrow(outcome)
}

async function demandEnabled(db: Kysely<Schema>, userId: number, method: string): Promise<void> {
  if (method !== 'totp' && method !== 'webauthn') throw new ApiError('INVALID_METHOD')
  const { totp, passkeys } = await factorsOf(db, userId)
  if (method === 'totp' ? !totp : passkeys === 0) throw new ApiError('2FA_NOT_ENABLED')
}
