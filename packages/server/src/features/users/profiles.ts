import { ApiError, type Static, userUpdate } from '@vox/protocol'
import type { UserObject, updateUser } from '@vox/protocol/endpoints'
import type { Kysely } from 'kysely'
import { seconds } from '../../clock.ts'
import type { Community } from '../../community/community.ts'
import type { Schema } from '../../db/schema.ts'
import type { Work } from '../../events/work.ts'
import { cleared, isEmpty } from '../../patches.ts'
import type { Services } from '../../services.ts'
import { displayNameOr } from '../auth/names.ts'

type Patch = Static<NonNullable<typeof updateUser.body>>

/** What others see of an account (spec 03, section 4). */
export class Profiles {
  readonly #services: Services

  constructor(services: Services) {
    this.#services = services
  }

  async read(userId: number): Promise<UserObject> {
    const { db, community } = this.#services
    return userObject(await find(db.read, userId), community)
  }

  update(callerId: number, userId: number, patch: Patch): Promise<UserObject> {
    const { work, community } = this.#services
    return work.run(async (job) => userObject(await changeProfile(job, callerId, userId, patch), community))
  }
}

/** Changes what is given of a profile, and tells everybody if that is anything; the profile as it is then. */
export async function changeProfile(job: Work, callerId: number, userId: number, patch: Patch): Promise<Profile> {
  const before = await find(job.db, userId)
  if (before.federated)
    throw new ApiError('FORBIDDEN', { message: 'The profile is kept by the home server of the user.' })
  if (isEmpty(patch)) return before
  const { display_name, ...rest } = cleared(patch, 'avatar', 'bio')
  const given = {
    ...rest,
    ...(display_name !== undefined && { display_name: displayNameOr(before.username, display_name) }),
  }
  await job.db.updateTable('users').set(given).where('user_id', '=', userId).execute()
  job.emit(userUpdate, { user_id: userId, ...given }, { to: 'members' })
  if (callerId !== userId) job.audit({ type: 'user.update', actor: callerId, target: userId, metadata: given })
  return { ...before, ...given }
}

type Profile = Awaited<ReturnType<typeof find>>

async function find(db: Kysely<Schema>, userId: number) {
  const profile = await db
    .selectFrom('users')
    .select(['user_id', 'username', 'display_name', 'avatar', 'bio', 'created_at', 'federated', 'home_domain'])
    .where('user_id', '=', userId)
    .executeTakeFirst()
  if (!profile) throw new ApiError('USER_NOT_FOUND')
  return profile
}

function userObject(profile: Profile, community: Community): UserObject {
  const { user_id, created_at } = profile
  return {
    ...profile,
    roles: [...community.roleIds(user_id)],
    created_at: seconds(created_at),
    bot: community.accounts.bots.has(user_id),
  }
}
