import { endpoint } from '../endpoint.ts'
import {
  accepting,
  Fields,
  Flag,
  Id,
  Integer,
  List,
  Maybe,
  Nullable,
  Seconds,
  Snowflake,
  type Static,
  Text,
  UserSegment,
} from '../schema.ts'
import { DmParams, Page, PageQuery } from './common.ts'

/** A conversation of two, or of a group; participants in the order of joining (spec 05, section 1.1). */
export const DmObject = Fields({
  dm_id: Id,
  participant_ids: List(Id),
  is_group: Flag,
  name: Nullable(Text()),
  icon: Nullable(Text()),
  created_at: Seconds,
  last_message_id: Nullable(Snowflake),
})
/** A conversation of two, or of a group. */
export type DmObject = Static<typeof DmObject>

const GroupName = Text({ max: 'dm_name_max' })

/** With whom: `recipient_id` for a conversation of two, which makes the rest ignored; else a group (spec 05, section 2.1). */
const Recipients = accepting(
  Fields({
    recipient_id: Maybe(Id),
    recipient_ids: Maybe(List(Id, { max: 'group_dm_recipients_max' })),
    name: Maybe(GroupName),
  }),
  (raw) => {
    const recipient = (raw as { recipient_id?: unknown } | null)?.recipient_id
    return recipient === undefined || recipient === null ? raw : { recipient_id: recipient }
  },
)

/** Opens the conversation with a user, which is the same one every time, or begins a group (spec 05, section 2.1). */
export const openDm = endpoint({
  method: 'POST',
  path: '/dms',
  summary: 'Open a conversation or create a group',
  auth: 'session',
  refusesGuests: true,
  body: Recipients,
  reply: { 201: DmObject },
  errors: [
    'PROTOCOL_VERSION_MISMATCH',
    'INVALID_TARGET',
    'TOO_MANY_RECIPIENTS',
    'USER_NOT_FOUND',
    'USER_BLOCKED',
    'DM_PERMISSION_DENIED',
    'FORBIDDEN',
  ],
})

/** The caller's conversations by id, without those that the caller has closed (spec 05, section 2.2). */
export const listDms = endpoint({
  method: 'GET',
  path: '/dms',
  summary: 'Your conversations',
  auth: 'session',
  query: PageQuery(Integer(0)),
  reply: { 200: Page(DmObject) },
})

/** Leaves a group; closes a conversation of two until something happens in it (spec 05, section 2.3). */
export const closeDm = endpoint({
  method: 'DELETE',
  path: '/dms/:dm_id',
  summary: 'Close a conversation or leave a group',
  auth: 'session',
  forParticipants: true,
  params: DmParams,
  reply: { 204: null },
  errors: ['NOT_DM_PARTICIPANT'],
})

/** Changes name and icon of a group; empty means none (spec 05, section 2.4). */
export const updateDm = endpoint({
  method: 'PATCH',
  path: '/dms/:dm_id',
  summary: 'Change name and icon of a group',
  auth: 'session',
  refusesGuests: true,
  forParticipants: true,
  params: DmParams,
  body: Fields({ name: Maybe(GroupName), icon: Maybe(Text({ max: 'dm_icon_max' })) }),
  reply: { 200: DmObject },
  errors: ['NOT_DM_PARTICIPANT', 'NOT_GROUP_DM', 'FORBIDDEN'],
})

const RecipientParams = Fields({ dm_id: Id, user_id: UserSegment('VALIDATION_ERROR') })

/** Adds somebody to a group (spec 05, section 2.5). */
export const addDmRecipient = endpoint({
  method: 'PUT',
  path: '/dms/:dm_id/recipients/:user_id',
  summary: 'Add a user to a group',
  auth: 'session',
  refusesGuests: true,
  params: RecipientParams,
  reply: { 204: null },
  errors: [
    'SPACE_NOT_FOUND',
    'NOT_DM_PARTICIPANT',
    'NOT_GROUP_DM',
    'USER_NOT_FOUND',
    'TOO_MANY_RECIPIENTS',
    'USER_BLOCKED',
    'DM_PERMISSION_DENIED',
    'FORBIDDEN',
  ],
})

/** Removes somebody else from a group (spec 05, section 2.6). */
export const removeDmRecipient = endpoint({
  method: 'DELETE',
  path: '/dms/:dm_id/recipients/:user_id',
  summary: 'Remove a user from a group',
  auth: 'session',
  refusesGuests: true,
  forParticipants: true,
  params: RecipientParams,
  reply: { 204: null },
  errors: ['NOT_DM_PARTICIPANT', 'INVALID_OPERATION', 'NOT_GROUP_DM', 'FORBIDDEN'],
})

/** Turns a conversation of two into a group, for good (spec 05, section 2.7). */
export const convertDm = endpoint({
  method: 'POST',
  path: '/dms/:dm_id/convert-to-group',
  summary: 'Turn a conversation into a group',
  auth: 'session',
  refusesGuests: true,
  params: DmParams,
  reply: { 200: DmObject },
  errors: ['SPACE_NOT_FOUND', 'NOT_DM_PARTICIPANT', 'USER_BLOCKED', 'FORBIDDEN'],
})
