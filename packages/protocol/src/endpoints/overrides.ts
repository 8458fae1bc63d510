import { endpoint } from '../endpoint.ts'
import { accepting, Fields, Id, Int64, Text } from '../schema.ts'
import { withoutMember } from './common.ts'

/** Whom an override is about. A wrong type has an error code of its own, so it is not checked here. */
const target = { target_type: accepting(Text(), withoutMember), target_id: Id }
const FeedTarget = Fields({ feed_id: Id, ...target })
const RoomTarget = Fields({ room_id: Id, ...target })
const Override = Fields({ allow: Int64, deny: Int64 })

/** Creates or replaces what a role or user is allowed and denied in a feed (spec 03, section 10). */
export const setFeedOverride = endpoint({
  method: 'PUT',
  path: '/feeds/:feed_id/permissions/:target_type/:target_id',
  summary: 'Set what a role or user is allowed and denied in a feed',
  auth: 'session',
  requires: { permission: 'MANAGE_ROLES' },
  params: FeedTarget,
  body: Override,
  reply: { 204: null },
  errors: [
    'MISSING_PERMISSIONS',
    'INVALID_TARGET_TYPE',
    'SPACE_NOT_FOUND',
    'USER_NOT_FOUND',
    'ROLE_HIERARCHY',
    'INVALID_OPERATION',
  ],
})

/** Removes an override from a feed (spec 03, section 10). */
export const deleteFeedOverride = endpoint({
  method: 'DELETE',
  path: '/feeds/:feed_id/permissions/:target_type/:target_id',
  summary: 'Remove an override from a feed',
  auth: 'session',
  requires: { permission: 'MANAGE_ROLES' },
  params: FeedTarget,
  reply: { 204: null },
  errors: ['MISSING_PERMISSIONS', 'INVALID_TARGET_TYPE', 'SPACE_NOT_FOUND', 'ROLE_HIERARCHY'],
})

/** Creates or replaces what a role or user is allowed and denied in a room (spec 03, section 10). */
export const setRoomOverride = endpoint({
  method: 'PUT',
  path: '/rooms/:room_id/permissions/:target_type/:target_id',
  summary: 'Set what a role or user is allowed and denied in a room',
  auth: 'session',
  requires: { permission: 'MANAGE_ROLES' },
  params: RoomTarget,
  body: Override,
  reply: { 204: null },
  errors: [
    'MISSING_PERMISSIONS',
    'INVALID_TARGET_TYPE',
    'SPACE_NOT_FOUND',
    'USER_NOT_FOUND',
    'ROLE_HIERARCHY',
    'INVALID_OPERATION',
  ],
})

/** Removes an override from a room (spec 03, section 10). */
export const deleteRoomOverride = endpoint({
  method: 'DELETE',
  path: '/rooms/:room_id/permissions/:target_type/:target_id',
  summary: 'Remove an override from a room',
  auth: 'session',
  requires: { permission: 'MANAGE_ROLES' },
  params: RoomTarget,
  reply: { 204: null },
  errors: ['MISSING_PERMISSIONS', 'INVALID_TARGET_TYPE', 'SPACE_NOT_FOUND', 'ROLE_HIERARCHY'],
})
