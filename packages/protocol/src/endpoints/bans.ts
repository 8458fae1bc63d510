import { endpoint } from '../endpoint.ts'
import { Fields, Id, Integer, Maybe, Nullable, Seconds, type Static, Text, UserSegment } from '../schema.ts'
import { Page, PageQuery } from './common.ts'

/** A ban (spec 03, section 3); `banned_by` is null for one that no user made. */
export const BanObject = Fields({
  user_id: Id,
  username: Text(),
  display_name: Nullable(Text()),
  reason: Nullable(Text()),
  created_at: Seconds,
  banned_by: Nullable(Id),
})
/** A ban. */
export type BanObject = Static<typeof BanObject>

const BanParams = Fields({ user_id: UserSegment('VALIDATION_ERROR') })

/** Bans by user id (spec 03, section 3). */
export const listBans = endpoint({
  method: 'GET',
  path: '/bans',
  summary: 'Bans',
  auth: 'session',
  requires: { permission: 'BAN_MEMBERS' },
  query: PageQuery(Integer(0)),
  reply: { 200: Page(BanObject) },
  errors: ['MISSING_PERMISSIONS'],
})

/** Bans an account, on request with its latest messages (spec 03, section 3). */
export const ban = endpoint({
  method: 'PUT',
  path: '/bans/:user_id',
  summary: 'Ban an account',
  auth: 'session',
  requires: { permission: 'BAN_MEMBERS' },
  params: BanParams,
  body: Fields({
    reason: Maybe(Text({ max: 'ban_reason_max' })),
    delete_msg_days: Maybe(Integer(0, 'ban_delete_days_max')),
  }),
  emptyBody: true,
  reply: { 200: BanObject },
  errors: ['MISSING_PERMISSIONS', 'INVALID_TARGET', 'USER_NOT_FOUND', 'ROLE_HIERARCHY'],
})

/** Lifts a ban; the account is active again at once (spec 03, section 3). */
export const unban = endpoint({
  method: 'DELETE',
  path: '/bans/:user_id',
  summary: 'Lift a ban',
  auth: 'session',
  requires: { permission: 'BAN_MEMBERS' },
  params: BanParams,
  reply: { 204: null },
  errors: ['MISSING_PERMISSIONS', 'BAN_NOT_FOUND'],
})
