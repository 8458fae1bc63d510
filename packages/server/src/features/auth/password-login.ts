import { ApiError } from '@vox/protocol'
import type { LoginAnswer } from '@vox/protocol/endpoints'
import type { Work } from '../../events/work.ts'
import type { Services } from '../../services.ts'
import { accountNamed, wrongCredentials } from './accounts.ts'
import { availableMethods, type Factors, factorsOf, hasSecondFactor } from './factors.ts'
import { grantSession, type LoginAttempt, orThrow } from './login.ts'
import { issueTicket } from './tickets.ts'

/**
 * Password login (spec 02, section 4). Everything that can be wrong takes the work of one verification and gets the
 * same answer.
 */
export async function loginWithPassword(
  services: Services,
  username: string,
  password: string,
  attempt: LoginAttempt,
): Promise<LoginAnswer> {
  const { db, work, passwords } = services
  const account = await accountNamed(db.read, username)
  if (account) attempt.userId = account.user_id
  const hash = account?.password_hash
  const matches = await passwords.matches(password, hash)
  if (!account || !hash || !matches) throw wrongCredentials()
  const newHash = passwords.isOutdated(hash) ? await passwords.hash(password) : hash
  const outcome = await work.run((job) => enter(services, job, { userId: account.user_id, hash, newHash }))
  // The password was changed while it was being verified: what has been verified is no longer the password.
  if (outcome === 'outdated') return loginWithPassword(services, username, password, attempt)
  return orThrow(outcome)
}

interface Verified {
  userId: number
  /** What the password was verified against, and what shall be stored of it from now on. */
  hash: string
  newHash: string
}

async function enter(
  services: Services,
  job: Work,
  { userId, hash, newHash }: Verified,
): Promise<LoginAnswer | ApiError | 'outdated'> {
  const current = await job.db
    .updateTable('users')
    .set({ password_hash: newHash })
    .where('user_id', '=', userId)
    .where('password_hash', '=', hash)
    .returning('user_id')
    .executeTakeFirst()
  if (!current) return 'outdated'
  if (services.community.accounts.banned.has(userId)) throw wrongCredentials()
  const factors = await factorsOf(job.db, userId)
  if (!hasSecondFactor(factors)) return grantSession(services, job, userId)
  const { text } = await issueTicket(job, 'mfa', userId, services.clock.now())
  return secondFactorNeeded(text, factors)
}

/** The demand is an error of status 401; clients look for it inside `error` as well as beside it. */
function secondFactorNeeded(mfa_ticket: string, factors: Factors): ApiError {
  const details = { mfa_ticket, available_methods: availableMethods(factors) }
  return new ApiError('2FA_REQUIRED', { fields: details, topLevel: { mfa_required: true, ...details } })
}
