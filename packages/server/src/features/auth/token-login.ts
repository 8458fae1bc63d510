import { ApiError } from '@vox/protocol'
import type { LoginAnswer } from '@vox/protocol/endpoints'
import type { Core } from '../../core.ts'
import type { Services } from '../../services.ts'
import { grantSession, type LoginAttempt, loginAnswer } from './login.ts'
import { findTicket, useTicket } from './tickets.ts'

/** Turns the token of a federated join into a session, once (spec 02, section 8). */
export async function loginFederatedUser(
  services: Services,
  token: string,
  attempt: LoginAttempt,
): Promise<LoginAnswer> {
  const { db, work, clock, community } = services
  const ticket = await findTicket(db.read, 'federation', token, clock.now())
  if (!ticket) throw await notFederated(services, token)
  const { id, userId } = ticket
  attempt.userId = userId
  return work.run(async (job) => {
    if (!community.isMember(userId)) throw new ApiError('BANNED')
    if (!(await useTicket(job, id))) throw new ApiError('AUTH_FAILED')
    return grantSession(services, job, userId)
  })
}

/** Somebody of this server who presents a session gets another status than everybody else. */
async function notFederated({ sessions, community }: Services, token: string): Promise<ApiError> {
  const session = await sessions.use(token)
  const isLocal = session !== undefined && !community.accounts.remote.has(session.userId)
  return new ApiError('AUTH_FAILED', isLocal ? { status: 403 } : {})
}

/** The account of a bot, whose token is a session already (spec 04, section 11.2). */
export async function loginBot(core: Core, token: string, attempt: LoginAttempt): Promise<LoginAnswer> {
  const { sessions, community, work } = core
  const session = await sessions.use(token)
  if (!session || !community.accounts.bots.has(session.userId)) throw new ApiError('AUTH_FAILED')
  const { userId, standing } = session
  attempt.userId = userId
  if (standing === 'banned') throw new ApiError('AUTH_FAILED')
  return work.run((job) => loginAnswer(core, job, { userId, token }))
}
