import { ApiError } from '@vox/protocol'
import type { Caller } from '../../http/authenticate.ts'
import type { Services } from '../../services.ts'

/** Changes the caller's password, and ends the account's other sessions (spec 02, section 12.1). */
export async function changePassword(
  { db, work, passwords, sessions }: Services,
  { userId, sessionId }: Caller,
  { current_password, new_password }: { current_password: string; new_password: string },
): Promise<void> {
  const { password_hash: hash } = await db.read
    .selectFrom('users')
    .select('password_hash')
    .where('user_id', '=', userId)
    .executeTakeFirstOrThrow()
  if (hash === null) throw new ApiError('FORBIDDEN', { message: 'Guests and bots have no password here.' })
  if (!(await passwords.matches(current_password, hash))) throw wrongPassword()
  const newHash = await passwords.hash(new_password)
  await work.run(async (job) => {
    const changed = await job.db
      .updateTable('users')
      .set({ password_hash: newHash })
      .where('user_id', '=', userId)
      .where('password_hash', '=', hash)
      .returning('user_id')
      .executeTakeFirst()
    if (!changed) throw wrongPassword()
    await sessions.endAllOf(job, userId, { except: sessionId })
  })
}

const wrongPassword = (): ApiError => new ApiError('AUTH_FAILED', { message: 'The current password is wrong.' })
