import { ApiError } from '@vox/protocol'
import type { LoginAnswer } from '@vox/protocol/endpoints'
import type { Core } from '../../core.ts'
import type { Work } from '../../events/work.ts'
import type { Services } from '../../services.ts'

/** A login that somebody tries; steps add the account as soon as they know it, for the log. */
export interface LoginAttempt {
  address: string | undefined
  userId?: number
}

/** Tries a login, and logs it if it fails: from where and for whom, but nothing of what was presented. */
export async function tryLogin(
  { log }: Services,
  address: string | undefined,
  login: (attempt: LoginAttempt) => Promise<LoginAnswer>,
): Promise<LoginAnswer> {
  const attempt: LoginAttempt = { address }
  try {
    return await login(attempt)
  } catch (error) {
    if (error instanceof ApiError && error.code !== '2FA_REQUIRED')
      log.info({ code: error.code, address, ...(attempt.userId && { user_id: attempt.userId }) }, 'login failed')
    throw error
  }
}

/** Makes a session, and the answer to a successful login. */
export async function grantSession(core: Core, job: Work, userId: number): Promise<LoginAnswer> {
  return loginAnswer(core, job, { userId, token: await core.sessions.create(job, userId) })
}

/** The answer to a successful login that ends in this session. */
export async function loginAnswer(
  { community }: Core,
  { db }: Work,
  { userId, token }: { userId: number; token: string },
): Promise<LoginAnswer> {
  const { display_name } = await db
    .selectFrom('users')
    .select('display_name')
    .where('user_id', '=', userId)
    .executeTakeFirstOrThrow()
  return { token, user_id: userId, display_name, roles: [...community.roleIds(userId)] }
}

/** A job that throws leaves nothing behind. One that refuses and yet leaves something returns the refusal, for this. */
export function orThrow<T>(outcome: T | ApiError): T {
  if (outcome instanceof ApiError) throw outcome
  return outcome
}
