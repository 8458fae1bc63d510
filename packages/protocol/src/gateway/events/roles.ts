/** Roles and overrides (spec 06, section 13.4). */
import { Fields, Flag, Id, Int64, Integer, Maybe, Nullable, OneOf, Text } from '../../schema.ts'
import { Change, event } from '../event.ts'

const Color = Integer(0, 0xffffff)
const Position = Integer(0)

/** A role was created. */
export const roleCreate = event(
  'role_create',
  Fields({ role_id: Id, name: Text(), color: Nullable(Color), permissions: Int64, position: Position }),
  'roles',
)

/** What was changed in a role. */
export const roleUpdate = event(
  'role_update',
  Change(
    { role_id: Id },
    {
      name: Maybe(Text()),
      color: Maybe(Color),
      permissions: Maybe(Int64),
      position: Maybe(Position),
      hoist: Maybe(Flag),
      mentionable: Maybe(Flag),
    },
  ),
  'roles',
)

/** A role was deleted, and with it its assignments and overrides. */
export const roleDelete = event('role_delete', Fields({ role_id: Id }), 'roles')

const Assignment = Fields({ role_id: Id, user_id: Id })

/** The user holds the role from now on. */
export const roleAssign = event('role_assign', Assignment, 'roles')

/** The user holds the role no longer. */
export const roleRevoke = event('role_revoke', Assignment, 'roles')

const OverrideTarget = {
  space_type: OneOf('feed', 'room'),
  space_id: Id,
  target_type: OneOf('role', 'user'),
  target_id: Id,
}

/** An override was set. */
export const permissionOverrideUpdate = event(
  'permission_override_update',
  Fields({ ...OverrideTarget, allow: Int64, deny: Int64 }),
  'permissions',
)

/** An override was removed. */
export const permissionOverrideDelete = event('permission_override_delete', Fields(OverrideTarget), 'permissions')
