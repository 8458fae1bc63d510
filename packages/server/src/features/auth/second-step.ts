import { ApiError, type Static } from '@vox/protocol'
import type { LoginAnswer, loginSecondStep } from '@vox/protocol/endpoints'
import type { Work } from '../../events/work.ts'
import type { Services } from '../../services.ts'
import { wrongCredentials } from './accounts.ts'
import { countFailure, demandAttemptsLeft } from './attempts.ts'
import { factorsOf } from './factors.ts'
import { grantSession, type LoginAttempt, orThrow } from './login.ts'
import { type Proof, passkeyProof, recoveryProof, totpProof } from './proofs.ts'
import { findTicket, type Ticket, useTicket } from './tickets.ts'

type SecondStep = Static<NonNullable<(typeof loginSecondStep)['body']>>

/**
 * Second step of a password login (spec 02, section 6.2). The proof is examined between two jobs, because that takes
 * long; the second one looks at the ticket and the limits again, so that guessing many at once gains nothing.
 */
export async function finishLogin(services: Services, input: SecondStep, attempt: LoginAttempt): Promise<LoginAnswer> {
  const { work, clock } = services
  const { userId } = orThrow(await work.run((job) => admit(services, job, input.mfa_ticket, attempt)))
  const proof = await examine(services, userId, input)
  const outcome = await work.run(async (job) => {
    const ticket = await admit(services, job, input.mfa_ticket, attempt)
    if (ticket instanceof ApiError) return ticket
    const refusal = await proof(job)
    if (refusal) {
      await countFailure(job, userId, clock.now(), ticket)
      return refusal
    }
    await useTicket(job, ticket.id)
    return grantSession(services, job, userId)
  })
  return orThrow(outcome)
}

/** The ticket, if its second step may be tried now. */
async function admit(
  { clock, community }: Services,
  job: Work,
  text: string,
  attempt: LoginAttempt,
): Promise<Ticket | ApiError> {
  const ticket = await findTicket(job.db, 'mfa', text, clock.now())
  if (!ticket) throw new ApiError('2FA_INVALID_CODE', { message: 'The ticket is unknown, used or over. Log in again.' })
  attempt.userId = ticket.userId
  await demandAttemptsLeft(job.db, ticket.userId, clock.now(), ticket)
  if (!community.accounts.banned.has(ticket.userId)) return ticket
  await useTicket(job, ticket.id)
  return wrongCredentials()
}

async function examine(services: Services, userId: number, { method, code, assertion }: SecondStep): Promise<Proof> {
  switch (method) {
    case 'totp':
      return totpProof(services, userId, demand(code))
    case 'webauthn':
      return passkeyProof(services, userId, demand(assertion))
    case 'recovery': {
      const given = demand(code)
      const { recoveryCodes } = await factorsOf(services.db.read, userId)
      if (recoveryCodes === 0) throw new ApiError('2FA_RECOVERY_EXHAUSTED')
      return recoveryProof(services, userId, given)
    }
    default:
      throw unusable('The method must be totp, webauthn or recovery.')
  }
}

function demand<T>(proof: T | null | undefined): T {
  if (!proof) throw unusable('The method needs its code or assertion.')
  return proof
}

const unusable = (message: string): ApiError => new ApiError('2FA_INVALID_CODE', { status: 400, message })
