import type { AuthFailure, Identity } from '../../gateway/context.ts'
import { isRestricted } from '../../http/authenticate.ts'
import type { Services } from '../../services.ts'

/** Looks up whose token opens a gateway session (spec 06, section 3.3): those that also authenticate REST calls. */
export async function gatewayLogin(
  { db, sessions, community }: Services,
  token: string,
): Promise<Identity | AuthFailure> {
  const session = isRestricted(token) ? undefined : await sessions.use(token)
  if (!session) return 'unknown'
  if (session.standing !== 'active') return 'inactive'
  const { userId, sessionId } = session
  const expiresAt = await sessions.touch(sessionId)
  if (expiresAt === undefined) return 'unknown'
  const { username, display_name } = await db.read
    .selectFrom('users')
    .select(['username', 'display_name'])
    .where('user_id', '=', userId)
    .executeTakeFirstOrThrow()
  const isBot = community.accounts.bots.has(userId)
  return { userId, authSessionId: sessionId, expiresAt, displayName: display_name ?? username, isBot }
}
