import { endpoint } from '../endpoint.ts'
import { Fields, Id, Integer, Maybe, Nullable, Seconds, type Static, Text } from '../schema.ts'
import { Page, PageQuery } from './common.ts'

/** An invite as one reader sees it: `feed_id` is null for who cannot see the feed (spec 03, section 8). */
export const InviteObject = Fields({
  code: Text(),
  creator_id: Id,
  feed_id: Nullable(Id),
  max_uses: Nullable(Integer(0)),
  uses: Integer(0),
  expires_at: Nullable(Seconds),
  created_at: Seconds,
})
/** An invite as one reader sees it. */
export type InviteObject = Static<typeof InviteObject>

const InviteParams = Fields({ code: Text() })

/** Makes an invite; 0 uses or age, like null, means without end (spec 03, section 8). */
export const createInvite = endpoint({
  method: 'POST',
  path: '/invites',
  summary: 'Create an invite',
  auth: 'session',
  requires: { permission: 'CREATE_INVITES' },
  body: Fields({
    feed_id: Maybe(Id),
    max_uses: Maybe(Nullable(Integer(0, 'invite_max_uses_max'))),
    max_age: Maybe(Integer(0, 'invite_max_age_max')),
  }),
  reply: { 201: InviteObject },
  errors: ['MISSING_PERMISSIONS', 'SPACE_NOT_FOUND', 'INVALID_OPERATION'],
})

/** All invites by code (spec 03, section 8). */
export const listInvites = endpoint({
  method: 'GET',
  path: '/invites',
  summary: 'Invites',
  auth: 'session',
  requires: { permission: 'CREATE_INVITES' },
  query: PageQuery(Text()),
  reply: { 200: Page(InviteObject) },
  errors: ['MISSING_PERMISSIONS'],
})

/** What somebody who has not joined yet may see (spec 03, section 8). */
export const previewInvite = endpoint({
  method: 'GET',
  path: '/invites/:code',
  summary: 'Where an invite leads',
  auth: 'none',
  params: InviteParams,
  reply: {
    200: Fields({ code: Text(), server_name: Text(), server_icon: Nullable(Text()), member_count: Integer(0) }),
  },
  errors: ['INVITE_INVALID', 'INVITE_EXPIRED'],
})

/** Deletes an invite; that of somebody else also needs `MANAGE_SERVER` (spec 03, section 8). */
export const deleteInvite = endpoint({
  method: 'DELETE',
  path: '/invites/:code',
  summary: 'Delete an invite',
  auth: 'session',
  requires: { permission: 'CREATE_INVITES' },
  params: InviteParams,
  reply: { 204: null },
  errors: ['MISSING_PERMISSIONS', 'INVITE_INVALID'],
})
