import { ApiError, Permission, roleAssign, roleRevoke } from '@vox/protocol'
import type { Community, Role } from '../../community/community.ts'
import { demandAdministratorRemains } from '../../community/hierarchy.ts'
import type { Core } from '../../core.ts'
import type { Work } from '../../events/work.ts'
import { demandPermission } from '../../http/pipeline.ts'
import { demandAccount } from '../users/accounts.ts'
import { demandBelow, demandHeld, demandRole, refuseEveryone } from './rules.ts'

/** Who holds which role (spec 03, section 9). */
export class AssignmentService {
  readonly #services: Core

  constructor(services: Core) {
    this.#services = services
  }

  assign(callerId: number, userId: number, roleId: number): Promise<void> {
    const { work, community } = this.#services
    return work.run(async (job) => {
      const role = this.#demandManageable(callerId, roleId)
      if (!community.isMember(userId)) throw new ApiError('USER_NOT_FOUND')
      demandBelow(community, callerId, role)
      refuseEveryone(role, 'assigned')
      demandHeld(community, callerId, role.permissions)
      await giveRole(job, community, { actor: callerId, userId, roleId })
    })
  }

  revoke(callerId: number, userId: number, roleId: number): Promise<void> {
    const { work, community } = this.#services
    return work.run(async (job) => {
      const role = this.#demandManageable(callerId, roleId)
      await demandAccount(job.db, userId)
      demandBelow(community, callerId, role)
      refuseEveryone(role, 'revoked')
      demandAdministratorRemains(community, { userId, roleId })
      const held = community.roleIds(userId)
      if (!held.includes(roleId)) return
      await job.db.deleteFrom('role_members').where('role_id', '=', roleId).where('user_id', '=', userId).execute()
      const others = held.filter((id) => id !== roleId)
      changeRoles(job, userId, others, roleRevoke, roleId)
      job.audit({ type: 'role.revoke', actor: callerId, target: userId, metadata: { role_id: roleId } })
    })
  }

  /** The role, for a caller who has not lost the permission while waiting for their turn. */
  #demandManageable(callerId: number, roleId: number): Role {
    const { community } = this.#services
    demandPermission(community.permissions(callerId), Permission.MANAGE_ROLES)
    return demandRole(community, roleId)
  }
}

/** Gives a member a role that may be assigned; one held already stays. No actor is the operator. */
export async function giveRole(
  job: Work,
  community: Community,
  { actor, userId, roleId }: { actor: number | null; userId: number; roleId: number },
): Promise<void> {
  const held = community.roleIds(userId)
  if (held.includes(roleId)) return
  await job.db.insertInto('role_members').values({ role_id: roleId, user_id: userId }).execute()
  changeRoles(job, userId, [...held, roleId], roleAssign, roleId)
  job.audit({ type: 'role.assign', actor, target: userId, metadata: { role_id: roleId } })
}

function changeRoles(
  job: Work,
  userId: number,
  roleIds: readonly number[],
  event: typeof roleAssign | typeof roleRevoke,
  roleId: number,
): void {
  const data = { role_id: roleId, user_id: userId }
  const own = { event, data, audience: { to: 'members' as const } }
  job.changePermissions((picture) => picture.setMember(userId, roleIds), own, [userId])
}
