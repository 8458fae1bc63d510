import { endpoint } from '../endpoint.ts'
import {
  accepting,
  Fields,
  Flag,
  Id,
  Int64,
  Integer,
  Maybe,
  Nullable,
  refine,
  type Static,
  Text,
  UserSegment,
} from '../schema.ts'
import { nameProblem, Page, PageQuery } from './common.ts'
import { MemberObject } from './members.ts'

const RoleName = refine(Text({ min: 'role_name_min', max: 'role_name_max' }), nameProblem)

/** 24-bit RGB; also as the text `#RRGGBB`. */
const Color = accepting(Integer(0, 0xffffff), (raw) =>
  typeof raw === 'string' && /^#[0-9a-f]{6}$/i.test(raw) ? Number.parseInt(raw.slice(1), 16) : raw,
)

/** The lowest rank there can be. */
export const LOWEST_POSITION = 2 ** 31 - 1

/** A role (spec 03, section 9). */
export const RoleObject = Fields({
  role_id: Id,
  name: Text(),
  color: Nullable(Integer()),
  permissions: Int64,
  position: Integer(),
  hoist: Flag,
  mentionable: Flag,
})
/** A role. */
export type RoleObject = Static<typeof RoleObject>

/** What may be said of a role beside its name, whenever it is said. */
const properties = {
  color: Maybe(Color),
  permissions: Maybe(Int64),
  position: Maybe(Integer(0, LOWEST_POSITION)),
  hoist: Maybe(Flag),
  mentionable: Maybe(Flag),
}

const RoleParams = Fields({ role_id: Id })
const AssignmentParams = Fields({ user_id: UserSegment('VALIDATION_ERROR'), role_id: Id })

/** All roles, `@everyone` included (spec 03, section 9). */
export const listRoles = endpoint({
  method: 'GET',
  path: '/roles',
  summary: 'All roles, `@everyone` included',
  auth: 'session',
  query: PageQuery(Integer(0)),
  reply: { 200: Page(RoleObject) },
})

/** Active members who hold the role; nobody holds `@everyone` (spec 03, section 9). */
export const listRoleMembers = endpoint({
  method: 'GET',
  path: '/roles/:role_id/members',
  summary: 'Members who hold a role',
  auth: 'session',
  params: RoleParams,
  query: PageQuery(Integer(0)),
  reply: { 200: Page(MemberObject) },
  errors: ['SPACE_NOT_FOUND'],
})

/** Creates a role; position 0 is "directly below me" for all but administrators (spec 03, section 9). */
export const createRole = endpoint({
  method: 'POST',
  path: '/roles',
  summary: 'Create a role',
  auth: 'session',
  requires: { permission: 'MANAGE_ROLES' },
  body: Fields({ name: RoleName, ...properties }),
  reply: { 201: RoleObject },
  errors: ['MISSING_PERMISSIONS', 'ROLE_HIERARCHY', 'INVALID_OPERATION'],
})

/** Changes a role that is below the caller (spec 03, section 9). */
export const editRole = endpoint({
  method: 'PATCH',
  path: '/roles/:role_id',
  summary: 'Change a role',
  auth: 'session',
  requires: { permission: 'MANAGE_ROLES' },
  params: RoleParams,
  body: Fields({ name: Maybe(RoleName), ...properties }),
  reply: { 200: RoleObject },
  errors: ['MISSING_PERMISSIONS', 'SPACE_NOT_FOUND', 'ROLE_HIERARCHY', 'INVALID_TARGET'],
})

/** Deletes a role with its assignments and overrides (spec 03, section 9). */
export const deleteRole = endpoint({
  method: 'DELETE',
  path: '/roles/:role_id',
  summary: 'Delete a role, its assignments and its overrides',
  auth: 'session',
  requires: { permission: 'MANAGE_ROLES' },
  params: RoleParams,
  reply: { 204: null },
  errors: ['MISSING_PERMISSIONS', 'SPACE_NOT_FOUND', 'ROLE_HIERARCHY', 'INVALID_TARGET'],
})

/** Gives a member a role that is below the caller (spec 03, section 9). */
export const assignRole = endpoint({
  method: 'PUT',
  path: '/members/:user_id/roles/:role_id',
  summary: 'Give a member a role',
  auth: 'session',
  requires: { permission: 'MANAGE_ROLES' },
  params: AssignmentParams,
  reply: { 204: null },
  errors: ['MISSING_PERMISSIONS', 'SPACE_NOT_FOUND', 'USER_NOT_FOUND', 'ROLE_HIERARCHY', 'INVALID_TARGET'],
})

/** Takes a role from a member (spec 03, section 9). */
export const revokeRole = endpoint({
  method: 'DELETE',
  path: '/members/:user_id/roles/:role_id',
  summary: 'Take a role from a member',
  auth: 'session',
  requires: { permission: 'MANAGE_ROLES' },
  params: AssignmentParams,
  reply: { 204: null },
  errors: ['MISSING_PERMISSIONS', 'SPACE_NOT_FOUND', 'USER_NOT_FOUND', 'ROLE_HIERARCHY', 'INVALID_TARGET'],
})
