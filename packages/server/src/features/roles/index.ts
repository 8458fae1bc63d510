import {
  assignRole,
  createRole,
  deleteRole,
  editRole,
  listRoleMembers,
  listRoles,
  revokeRole,
} from '@vox/protocol/endpoints'
import type { Mount } from '../../http/pipeline.ts'
import type { Services } from '../../services.ts'
import { AssignmentService } from './assignments.ts'
import { RoleService } from './roles.ts'

/** Roles and who holds them. */
export function roles(services: Services, on: Mount): void {
  const service = new RoleService(services)
  const assignments = new AssignmentService(services)

  on(listRoles, ({ query }) => service.list(query))
  on(listRoleMembers, ({ params, query }) => service.members(params.role_id, query))
  on(createRole, ({ body, caller }) => service.create(caller.userId, body))
  on(editRole, ({ params, body, caller }) => service.edit(caller.userId, params.role_id, body))
  on(deleteRole, ({ params, caller }) => service.delete(caller.userId, params.role_id))

  on(assignRole, ({ params, caller }) => assignments.assign(caller.userId, params.user_id, params.role_id))
  on(revokeRole, ({ params, caller }) => assignments.revoke(caller.userId, params.user_id, params.role_id))
}
