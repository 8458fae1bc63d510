import { ApiError } from '@vox/protocol'
import type { Kysely } from 'kysely'
import type { Schema } from '../../db/schema.ts'
import { usernameKey } from './names.ts'

/** The account of this server with this name, in whatever letter case. */
export function accountNamed(db: Kysely<Schema>, username: string) {
  return db
    .selectFrom('users')
    .select(['user_id', 'username', 'display_name', 'password_hash'])
    .where('username_key', '=', usernameKey(username))
    .where('home_domain', 'is', null)
    .executeTakeFirst()
}

/** The one answer to everything that is wrong with a name and a password (spec 02, section 1.5). */
export const wrongCredentials = (): ApiError => new ApiError('AUTH_FAILED', { message: 'Wrong username or password.' })
