import { ApiError, holds, Permission, roleCreate, roleDelete, roleUpdate, type Static } from '@vox/protocol'
import {
  type createRole,
  type editRole,
  LOWEST_POSITION,
  type MemberObject,
  type RoleObject,
} from '@vox/protocol/endpoints'
import type { Role } from '../../community/community.ts'
import { demandAdministratorRemains } from '../../community/hierarchy.ts'
import type { Core } from '../../core.ts'
import type { Work } from '../../events/work.ts'
import { demandPermission } from '../../http/pipeline.ts'
import { pageOf, pageSize } from '../../pages.ts'
import { isEmpty } from '../../patches.ts'
import { activeMembers, memberObject } from '../members/members.ts'
import { demandBelow, demandHeld, demandRole, isAdministrator, refuseEveryone } from './rules.ts'

/** Roles a server may have (spec 03, section 20). */
const MAX_ROLES = 500

const FIELDS = ['role_id', 'name', 'color', 'permissions', 'position', 'hoist', 'mentionable'] as const
const EVERYBODY = { to: 'members' } as const

type NewRole = Static<NonNullable<typeof createRole.body>>
type RolePatch = Static<NonNullable<typeof editRole.body>>

/** Which page of a list. */
interface Page {
  limit?: number
  after?: number
}

/** The roles themselves (spec 03, section 9). */
export class RoleService {
  readonly #services: Core

  constructor(services: Core) {
    this.#services = services
  }

  async list(page: Page) {
    const { db, config } = this.#services
    const roles: RoleObject[] = await db.read
      .selectFrom('roles')
      .select(FIELDS)
      .where('role_id', '>', page.after ?? 0)
      .orderBy('role_id')
      .limit(pageSize(page, config.limits.page_limit_roles))
      .execute()
    return pageOf(roles, ({ role_id }) => role_id)
  }

  /** Active members who hold the role. */
  async members(roleId: number, page: Page) {
    const { db, config, community } = this.#services
    demandRole(community, roleId)
    const rows = await activeMembers(db.read)
      .innerJoin('role_members', 'role_members.user_id', 'users.user_id')
      .where('role_id', '=', roleId)
      .where('role_members.user_id', '>', page.after ?? 0)
      .orderBy('role_members.user_id')
      .limit(pageSize(page, config.limits.page_limit_members))
      .execute()
    const members: MemberObject[] = rows.map((row) => memberObject(row, community))
    return pageOf(members, ({ user_id }) => user_id)
  }

  create(callerId: number, { name, permissions = 0n, position, ...rest }: NewRole): Promise<RoleObject> {
    const { work, community } = this.#services
    return work.run(async (job) => {
      this.#demandManager(callerId)
      const wanted = { permissions, position: this.#newPosition(callerId, position), builtin: false }
      demandBelow(community, callerId, wanted)
      demandHeld(community, callerId, permissions)
      if ([...community.roles()].length >= MAX_ROLES)
        throw new ApiError('INVALID_OPERATION', { message: `A server has at most ${MAX_ROLES} roles.` })
      const values = { name, ...wanted, ...rest }
      const role = await job.db.insertInto('roles').values(values).returning(FIELDS).executeTakeFirstOrThrow()
      job.change((picture) => picture.setRole({ id: role.role_id, ...wanted }))
      const { hoist: _hoist, mentionable: _mentionable, ...announced } = role
      job.emit(roleCreate, announced, EVERYBODY)
      job.audit({ type: 'role.create', actor: callerId, target: role.role_id })
      return role
    })
  }

  edit(callerId: number, roleId: number, patch: RolePatch): Promise<RoleObject> {
    const { work, community } = this.#services
    return work.run(async (job) => {
      this.#demandManager(callerId)
      const before = demandRole(community, roleId)
      if (isEmpty(patch)) return find(job, roleId)
      await this.#checkEdit(job, callerId, before, patch)
      const role = await job.db
        .updateTable('roles')
        .set(patch)
        .where('role_id', '=', roleId)
        .returning(FIELDS)
        .executeTakeFirstOrThrow()
      const { permissions, position } = role
      job.changePermissions((picture) => picture.setRole({ ...before, permissions, position }), {
        event: roleUpdate,
        data: { role_id: roleId, ...patch },
        audience: EVERYBODY,
      })
      job.audit({ type: 'role.update', actor: callerId, target: roleId, metadata: patch })
      return role
    })
  }

  delete(callerId: number, roleId: number): Promise<void> {
    const { work, community } = this.#services
    return work.run(async (job) => {
      this.#demandManager(callerId)
      const role = demandRole(community, roleId)
      demandBelow(community, callerId, role)
      refuseEveryone(role, 'deleted')
      demandAdministratorRemains(community, { roleId })
      const { name } = await find(job, roleId)
      await job.db.deleteFrom('roles').where('role_id', '=', roleId).execute()
      job.changePermissions((picture) => picture.deleteRole(roleId), {
        event: roleDelete,
        data: { role_id: roleId },
        audience: EVERYBODY,
      })
      job.audit({ type: 'role.delete', actor: callerId, target: roleId, metadata: { name } })
    })
  }

  /** Whoever lost the permission while waiting for their turn has it no longer. */
  #demandManager(callerId: number): void {
    demandPermission(this.#services.community.permissions(callerId), Permission.MANAGE_ROLES)
  }

  /** Without a wish, below all roles; 0 is "directly below me" for all but administrators. */
  #newPosition(callerId: number, wanted: number | undefined): number {
    const { community } = this.#services
    if (wanted === undefined)
      return Math.min(LOWEST_POSITION, 1 + Math.max(...[...community.roles()].map(({ position }) => position)))
    if (wanted > 0 || isAdministrator(community, callerId)) return wanted
    return Math.min(LOWEST_POSITION, community.rank(callerId) + 1)
  }

  /** R1 to R5, in the order in which their failures are answered. */
  async #checkEdit(job: Work, callerId: number, before: Role, { name, permissions, position }: RolePatch) {
    const { community } = this.#services
    const moves = position !== undefined && position !== before.position
    const changed = before.permissions ^ (permissions ?? before.permissions)
    demandBelow(community, callerId, before)
    if (before.builtin) {
      if (moves) refuseEveryone(before, 'moved')
      if (name !== undefined && name !== (await find(job, before.id)).name) refuseEveryone(before, 'renamed')
      if (holds(changed, Permission.ADMINISTRATOR)) refuseEveryone(before, 'given ADMINISTRATOR')
    } else if (moves) demandBelow(community, callerId, { ...before, position })
    demandHeld(community, callerId, changed)
    if (holds(changed & before.permissions, Permission.ADMINISTRATOR))
      demandAdministratorRemains(community, { roleId: before.id })
  }
}

function find(job: Work, roleId: number): Promise<RoleObject> {
  return job.db.selectFrom('roles').select(FIELDS).where('role_id', '=', roleId).executeTakeFirstOrThrow()
}
