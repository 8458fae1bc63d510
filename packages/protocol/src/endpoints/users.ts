import { endpoint } from '../endpoint.ts'
import {
  Fields,
  Flag,
  Id,
  JsonObject,
  List,
  Maybe,
  Nullable,
  OneOf,
  Seconds,
  type Static,
  Text,
  UserSegment,
} from '../schema.ts'
import { DisplayName } from './auth.ts'

/** A profile (spec 03, section 4). */
export const UserObject = Fields({
  user_id: Id,
  username: Text(),
  display_name: Nullable(Text()),
  avatar: Nullable(Text()),
  bio: Nullable(Text()),
  roles: List(Id),
  created_at: Seconds,
  federated: Flag,
  home_domain: Nullable(Text()),
  bot: Flag,
})
/** A profile. */
export type UserObject = Static<typeof UserObject>

/** Any profile, also of an account that is not active; `@me` is the caller (spec 03, section 4). */
export const getUser = endpoint({
  method: 'GET',
  path: '/users/:user_id',
  summary: 'Read a profile; `@me` is your own',
  auth: 'session',
  params: Fields({ user_id: UserSegment() }),
  reply: { 200: UserObject },
  errors: ['INVALID_USER_ID', 'USER_NOT_FOUND'],
})

/** Changes the own profile, or anybody's as administrator; empty texts clear (spec 03, section 4). */
export const updateUser = endpoint({
  method: 'PATCH',
  path: '/users/:user_id',
  summary: 'Change a profile',
  auth: 'session',
  requires: { permission: 'ADMINISTRATOR', unlessSelf: true },
  params: Fields({ user_id: UserSegment() }),
  body: Fields({
    display_name: Maybe(DisplayName),
    avatar: Maybe(Text({ max: 'avatar_max' })),
    bio: Maybe(Text({ max: 'bio_max' })),
  }),
  reply: { 200: UserObject },
  errors: ['INVALID_USER_ID', 'MISSING_PERMISSIONS', 'USER_NOT_FOUND', 'FORBIDDEN'],
})

/** What the caller may know of a user's presence (spec 03, section 4). */
export const getPresence = endpoint({
  method: 'GET',
  path: '/users/:user_id/presence',
  summary: 'Whether a user is online',
  auth: 'session',
  params: Fields({ user_id: UserSegment('VALIDATION_ERROR') }),
  reply: {
    200: Fields({
      user_id: Id,
      status: OneOf('online', 'idle', 'dnd', 'offline', 'invisible'),
      custom_status: Nullable(Text()),
      activity: Nullable(JsonObject),
    }),
  },
  errors: ['USER_NOT_FOUND'],
})
