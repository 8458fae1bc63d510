import { ApiError } from '@vox/protocol'
import type { Kysely } from 'kysely'
import type { Schema } from '../../db/schema.ts'

/** Throws `USER_NOT_FOUND` unless there is such an account, active or not. */
export async function demandAccount(db: Kysely<Schema>, userId: number): Promise<void> {
  const account = await db.selectFrom('users').select('user_id').where('user_id', '=', userId).executeTakeFirst()
  if (!account) throw new ApiError('USER_NOT_FOUND')
}
