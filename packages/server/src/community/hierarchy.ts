import { ApiError, holds, Permission } from '@vox/protocol'
import type { Community } from './community.ts'

/** Whether the caller may act on the target: by a strictly higher rank, or as administrator (spec 01, section 9.4). */
export function isAbove(community: Community, callerId: number, targetId: number): boolean {
  const isAdministrator = holds(community.permissions(callerId), Permission.ADMINISTRATOR)
  return isAdministrator || community.rank(callerId) < community.rank(targetId)
}

/** Throws `ROLE_HIERARCHY` unless the caller may act on the target. */
export function demandAbove(community: Community, callerId: number, targetId: number): void {
  if (!isAbove(community, callerId, targetId)) throw new ApiError('ROLE_HIERARCHY')
}

/** A user and a role with `ADMINISTRATOR` that the user holds. */
interface Administration {
  userId: number
  roleId: number
}

/**
 * What a change takes away: with both ids one assignment, with a role alone that role or its `ADMINISTRATOR`, with a
 * user alone everything the user holds.
 */
export type Loss = Administration | { roleId: number; userId?: undefined } | { userId: number; roleId?: undefined }

/**
 * Throws `INVALID_TARGET` if the change would leave no administrator: no active local person who holds a role with
 * `ADMINISTRATOR` (spec 03, section 9.2). To be asked inside the job that makes the change, where nothing can come
 * between.
 */
export function demandAdministratorRemains(community: Community, { userId, roleId }: Loss): void {
  const administrations = [...administrationsOf(community)]
  const lost = administrations.filter((a) => (userId ?? a.userId) === a.userId && (roleId ?? a.roleId) === a.roleId)
  if (lost.length > 0 && lost.length === administrations.length)
    throw new ApiError('INVALID_TARGET', { message: 'The server would be left without an administrator.' })
}

function* administrationsOf(community: Community): Generator<Administration> {
  for (const userId of community.memberIds()) {
    if (!community.accounts.isLocalPerson(userId)) continue
    for (const roleId of community.roleIds(userId))
      if (holds(community.role(roleId)?.permissions ?? 0n, Permission.ADMINISTRATOR)) yield { userId, roleId }
  }
}
