import type { MemberObject } from '@vox/protocol/endpoints'
import type { Kysely, NotNull } from 'kysely'
import { seconds } from '../../clock.ts'
import type { Community } from '../../community/community.ts'
import type { Schema } from '../../db/schema.ts'

/** The active members, as a query to be narrowed down. */
export function activeMembers(db: Kysely<Schema>) {
  return db
    .selectFrom('users')
    .select(['users.user_id', 'username', 'display_name', 'avatar', 'nickname', 'joined_at'])
    .where('active', '=', true)
    .where('joined_at', 'is not', null)
    .$narrowType<{ joined_at: NotNull }>()
}

/** A member as `activeMembers` finds it. */
export type MemberRow = Awaited<ReturnType<ReturnType<typeof activeMembers>['executeTakeFirstOrThrow']>>

/** A member in its wire form. */
export function memberObject(row: MemberRow, community: Community): MemberObject {
  const { user_id, joined_at } = row
  return {
    ...row,
    role_ids: [...community.roleIds(user_id)],
    joined_at: seconds(joined_at),
    bot: community.accounts.bots.has(user_id),
  }
}
