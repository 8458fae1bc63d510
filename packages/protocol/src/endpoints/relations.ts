import { endpoint } from '../endpoint.ts'
import {
  Fields,
  Id,
  Integer,
  List,
  Maybe,
  Nullable,
  OneOf,
  Seconds,
  type Static,
  Text,
  UserSegment,
} from '../schema.ts'
import { Page, PageQuery } from './common.ts'

/** How the owner of a list sees another user: asked by the owner, asking the owner, or a friend (spec 03, section 5). */
export const FriendStatus = OneOf('pending', 'incoming', 'accepted')
/** How the owner of a list sees another user. */
export type FriendStatus = Static<typeof FriendStatus>

/** An entry of a friend list; `user_id` is the other user (spec 03, section 5). */
export const FriendObject = Fields({
  user_id: Id,
  username: Text(),
  display_name: Nullable(Text()),
  avatar: Nullable(Text()),
  status: FriendStatus,
  since: Seconds,
})
/** An entry of a friend list. */
export type FriendObject = Static<typeof FriendObject>

/** Lists belong to their owner; administrators may act on anybody's. */
const owned = { auth: 'session', requires: { permission: 'ADMINISTRATOR', unlessSelf: true } } as const

const OwnerParams = Fields({ user_id: UserSegment() })
const TargetParams = Fields({ user_id: UserSegment(), target_id: Id })

const OWNER_ERRORS = ['INVALID_USER_ID', 'MISSING_PERMISSIONS', 'USER_NOT_FOUND'] as const

/** Friends and requests, by the other user's id (spec 03, section 5). */
export const listFriends = endpoint({
  ...owned,
  method: 'GET',
  path: '/users/:user_id/friends',
  summary: 'Friends and friend requests',
  params: OwnerParams,
  query: PageQuery(Integer(0), { status: Maybe(FriendStatus) }),
  reply: { 200: Page(FriendObject) },
  errors: OWNER_ERRORS,
})

/** Asks for friendship, or accepts if the target has asked (spec 03, section 5). */
export const askFriend = endpoint({
  ...owned,
  method: 'PUT',
  path: '/users/:user_id/friends/:target_id',
  summary: 'Send a friend request',
  params: TargetParams,
  reply: { 204: null },
  errors: [...OWNER_ERRORS, 'INVALID_TARGET', 'USER_BLOCKED', 'INVALID_OPERATION'],
})

/** Accepts the target's request (spec 03, section 5). */
export const acceptFriend = endpoint({
  ...owned,
  method: 'POST',
  path: '/users/:user_id/friends/:target_id/accept',
  summary: 'Accept a friend request',
  params: TargetParams,
  reply: { 204: null },
  errors: [...OWNER_ERRORS, 'REQUEST_NOT_FOUND', 'INVALID_OPERATION'],
})

/** Deletes the target's request (spec 03, section 5). */
export const rejectFriend = endpoint({
  ...owned,
  method: 'POST',
  path: '/users/:user_id/friends/:target_id/reject',
  summary: 'Reject a friend request',
  params: TargetParams,
  reply: { 204: null },
  errors: [...OWNER_ERRORS, 'REQUEST_NOT_FOUND'],
})

/** Ends a friendship or a request of either side, if there is one (spec 03, section 5). */
export const removeFriend = endpoint({
  ...owned,
  method: 'DELETE',
  path: '/users/:user_id/friends/:target_id',
  summary: 'End a friendship or friend request',
  params: TargetParams,
  reply: { 204: null },
  errors: OWNER_ERRORS,
})

/** Users whom the owner has blocked (spec 03, section 6). */
export const listBlocks = endpoint({
  ...owned,
  method: 'GET',
  path: '/users/:user_id/blocks',
  summary: 'Blocked users',
  params: OwnerParams,
  reply: { 200: Fields({ blocked_user_ids: List(Id) }) },
  errors: OWNER_ERRORS,
})

/** Blocks a user; what there was of friendship ends (spec 03, section 6). */
export const blockUser = endpoint({
  ...owned,
  method: 'PUT',
  path: '/users/:user_id/blocks/:target_id',
  summary: 'Block a user',
  params: TargetParams,
  reply: { 204: null },
  errors: [...OWNER_ERRORS, 'INVALID_TARGET', 'INVALID_OPERATION'],
})

/** Lifts a block, if there is one (spec 03, section 6). */
export const unblockUser = endpoint({
  ...owned,
  method: 'DELETE',
  path: '/users/:user_id/blocks/:target_id',
  summary: 'Unblock a user',
  params: TargetParams,
  reply: { 204: null },
  errors: OWNER_ERRORS,
})

/** From whom a user accepts new direct messages (spec 05, section 5). */
export const DmSettings = Fields({ dm_permission: OneOf('everyone', 'friends_only', 'mutual_servers', 'nobody') })
/** From whom a user accepts new direct messages. */
export type DmSettings = Static<typeof DmSettings>

/** From whom the owner accepts new direct messages (spec 03, section 7). */
export const getDmSettings = endpoint({
  ...owned,
  method: 'GET',
  path: '/users/:user_id/dm-settings',
  summary: 'Who may open direct messages with you',
  params: OwnerParams,
  reply: { 200: DmSettings },
  errors: OWNER_ERRORS,
})

/** Sets from whom the owner accepts new direct messages (spec 03, section 7). */
export const updateDmSettings = endpoint({
  ...owned,
  method: 'PATCH',
  path: '/users/:user_id/dm-settings',
  summary: 'Choose who may open direct messages with you',
  params: OwnerParams,
  body: DmSettings,
  reply: { 200: DmSettings },
  errors: OWNER_ERRORS,
})
