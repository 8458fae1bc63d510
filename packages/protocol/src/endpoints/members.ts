import { endpoint } from '../endpoint.ts'
import { Fields, Flag, Id, Integer, List, Maybe, Nullable, Seconds, type Static, Text, UserSegment } from '../schema.ts'
import { Page, PageQuery } from './common.ts'

/** A member (spec 03, section 2). */
export const MemberObject = Fields({
  user_id: Id,
  username: Text(),
  display_name: Nullable(Text()),
  avatar: Nullable(Text()),
  nickname: Nullable(Text()),
  role_ids: List(Id),
  joined_at: Seconds,
  bot: Flag,
})
/** A member. */
export type MemberObject = Static<typeof MemberObject>

/** Active members by id (spec 03, section 2). */
export const listMembers = endpoint({
  method: 'GET',
  path: '/members',
  summary: 'Members',
  auth: 'session',
  query: PageQuery(Integer(0)),
  reply: { 200: Page(MemberObject) },
})

/** One active member (spec 03, section 2). */
export const getMember = endpoint({
  method: 'GET',
  path: '/members/:user_id',
  summary: 'Read a member',
  auth: 'session',
  params: Fields({ user_id: UserSegment('VALIDATION_ERROR') }),
  reply: { 200: MemberObject },
  errors: ['USER_NOT_FOUND'],
})

const joining = {
  method: 'POST',
  auth: 'session-or-former',
  body: Fields({ invite_code: Text({ max: 64 }) }),
  reply: { 204: null },
  errors: [['INVITE_INVALID', 422], 'INVITE_EXPIRED'],
} as const

/** Redeems an invite; brings back who has left or was kicked (spec 03, section 2). */
export const joinServer = endpoint({ ...joining, path: '/members/join', summary: 'Join with an invite, or come back' })

/** The same under the path of an older document. */
export const joinServerAsMe = endpoint({
  ...joining,
  path: '/members/@me/join',
  summary: 'The same as `POST /members/join`',
})

/** Sets a nickname; null or empty clears it (spec 03, section 2). */
export const updateMember = endpoint({
  method: 'PATCH',
  path: '/members/:user_id',
  summary: 'Set a nickname',
  auth: 'session',
  requires: { permission: 'MANAGE_NICKNAMES', ofSelf: 'CHANGE_NICKNAME' },
  params: Fields({ user_id: UserSegment() }),
  body: Fields({ nickname: Maybe(Nullable(Text({ max: 'nickname_max' }))) }),
  reply: { 200: MemberObject },
  errors: ['INVALID_USER_ID', 'MISSING_PERMISSIONS', 'USER_NOT_FOUND', 'ROLE_HIERARCHY'],
})

/** Leaves, or kicks somebody else (spec 03, section 2). */
export const removeMember = endpoint({
  method: 'DELETE',
  path: '/members/:user_id',
  summary: 'Leave, or kick a member',
  auth: 'session',
  requires: { permission: 'KICK_MEMBERS', unlessSelf: true },
  params: Fields({ user_id: UserSegment() }),
  body: Fields({ reason: Maybe(Text({ max: 'kick_reason_max' })) }),
  emptyBody: true,
  reply: { 204: null },
  errors: ['INVALID_USER_ID', 'MISSING_PERMISSIONS', 'USER_NOT_FOUND', 'INVALID_TARGET', 'ROLE_HIERARCHY'],
})
