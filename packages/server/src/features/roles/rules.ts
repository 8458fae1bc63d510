import { ApiError, holds, Permission } from '@vox/protocol'
import type { Community, Role } from '../../community/community.ts'
import { demandPermission } from '../../http/pipeline.ts'

/*
 * Who may act on which role (spec 03, section 9.1). Administrators are above every role, `@everyone` included; everybody
 * else is below it. What `@everyone` can never become, even administrators cannot make of it.
 */

/** The role with this id. */
export function demandRole(community: Community, roleId: number): Role {
  const role = community.role(roleId)
  if (!role) throw new ApiError('SPACE_NOT_FOUND', { message: `There is no role ${roleId}.` })
  return role
}

/** R1 and R2: the role is below the caller. */
export function demandBelow(community: Community, callerId: number, { position, builtin }: Omit<Role, 'id'>): void {
  if (isAdministrator(community, callerId)) return
  if (builtin || position <= community.rank(callerId)) throw new ApiError('ROLE_HIERARCHY')
}

/** R3: the caller holds every one of these permissions. */
export function demandHeld(community: Community, callerId: number, permissions: bigint): void {
  demandPermission(community.permissions(callerId), permissions)
}

/** R4: `@everyone` stays what it is. */
export function refuseEveryone({ builtin }: Role, what: string): void {
  if (builtin) throw new ApiError('INVALID_TARGET', { message: `@everyone cannot be ${what}.` })
}

export function isAdministrator(community: Community, userId: number): boolean {
  return holds(community.permissions(userId), Permission.ADMINISTRATOR)
}
