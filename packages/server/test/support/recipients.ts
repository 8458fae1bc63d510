import { Permission } from '@vox/protocol'
import type { Audience } from '../../src/events/audience.ts'

// biome-ignore lint/suspicious/noExplicitAny: payloads of every shape
type Data = any

/** Whether an event with this payload may go to this audience. */
type Rule = (audience: Audience, data: Data) => boolean

/** Everybody who is a member; OWN(user) may come on top. */
const all: Rule = ({ to, and = [] }, { user_id }) => to === 'members' && and.every((id) => id === user_id)

/** Who sees the space that the payload names. */
const viewers =
  (type: 'feed' | 'room', key: string): Rule =>
  (audience, data) =>
    audience.to === 'viewers' &&
    audience.space.type === type &&
    (data[key] === undefined || audience.space.id === data[key])

/** Exactly the named users. */
const users: Rule = ({ to, and }) => to === 'users' && !and

/** Nobody but the users that the payload names under these keys. */
const own =
  (...keys: string[]): Rule =>
  (audience, data) =>
    audience.to === 'users' && audience.users.every((id) => keys.some((key) => data[key] === id))

const holders =
  (permission: bigint): Rule =>
  (audience, { creator_id }) =>
    audience.to === 'holders' &&
    audience.permission === permission &&
    (audience.and ?? []).every((id) => creator_id === undefined || id === creator_id)

const either =
  (...rules: Rule[]): Rule =>
  (audience, data) =>
    rules.some((rule) => rule(audience, data))

/** In a feed its viewers, in a DM named users. */
const place: Rule = (audience, data) =>
  data.feed_id === undefined ? users(audience, data) : viewers('feed', 'feed_id')(audience, data)

/** A message that is stored nowhere: an ephemeral answer or a notice of the server. */
const unstored: Rule = (audience, data) =>
  users(audience, data) && (data.ephemeral === true || data.author_id === null) && data.webhook_id === undefined

/** Whoever sees the space now, and whoever lost sight of it just now. */
const hadOrHas: Rule = (audience, { space_type, space_id }) =>
  audience.to === 'viewers' && audience.space.type === space_type && audience.space.id === space_id

const invites = holders(Permission.CREATE_INVITES)
const webhooks = holders(Permission.MANAGE_WEBHOOKS)
const thread = viewers('feed', 'parent_feed_id')
const room = viewers('room', 'room_id')
const feed = viewers('feed', 'feed_id')

/** The recipients column of spec 06, section 13, as far as an audience shows it. */
const RULES: Record<string, Rule> = {
  message_create: either(place, unstored),
  message_update: place,
  message_delete: place,
  message_bulk_delete: feed,
  message_reaction_add: place,
  message_reaction_remove: place,
  message_pin_update: feed,
  member_join: all,
  member_leave: all,
  member_update: all,
  member_ban: all,
  member_unban: all,
  user_update: either(all, users),
  feed_create: either(feed, users),
  feed_update: feed,
  feed_delete: either(feed, users),
  room_create: either(room, users),
  room_update: room,
  room_delete: either(room, users),
  category_create: all,
  category_update: all,
  category_delete: all,
  thread_create: thread,
  thread_update: thread,
  thread_delete: thread,
  feed_subscribe: own('user_id'),
  feed_unsubscribe: own('user_id'),
  thread_subscribe: own('user_id'),
  thread_unsubscribe: own('user_id'),
  role_create: all,
  role_update: all,
  role_delete: all,
  role_assign: all,
  role_revoke: all,
  permission_override_update: hadOrHas,
  permission_override_delete: hadOrHas,
  emoji_create: all,
  emoji_update: all,
  emoji_delete: all,
  sticker_create: all,
  sticker_update: all,
  sticker_delete: all,
  server_update: all,
  invite_create: either(invites, users),
  invite_delete: invites,
  dm_create: users,
  dm_update: users,
  dm_recipient_add: users,
  dm_recipient_remove: users,
  dm_read_notify: users,
  federation_delivery: users,
  friend_request: own('user_id', 'target_id'),
  friend_add: own('user_id', 'target_id'),
  friend_reject: own('user_id', 'target_id'),
  friend_remove: own('user_id', 'target_id'),
  block_add: own('user_id', 'target_id'),
  block_remove: own('user_id', 'target_id'),
  mls_welcome: users,
  mls_commit: either(users, viewers('feed', 'feed_id')),
  mls_proposal: either(users, viewers('feed', 'feed_id')),
  device_list_update: users,
  device_pair_prompt: users,
  cpace_isi: users,
  cpace_rsi: users,
  cpace_confirm: users,
  cpace_new_device_key: users,
  key_reset_notify: (audience, { user_id }) => audience.to === 'users' && !audience.users.includes(user_id),
  presence_update: (audience, data) => users(audience, data) || (audience.to === 'members' && !audience.and),
  typing_start: place,
  voice_state_update: either(room, users),
  voice_codec_neg: users,
  stage_request: users,
  stage_invite: own('user_id'),
  stage_invite_decline: users,
  stage_revoke: users,
  stage_topic_update: room,
  stage_response: users,
  media_token_refresh: users,
  webhook_create: webhooks,
  webhook_update: webhooks,
  webhook_delete: webhooks,
  bot_commands_update: all,
  bot_commands_delete: all,
  interaction_create: users,
  notification_create: own('user_id'),
}

/** Whether the recipients column of the event allows this audience. */
export function isAllowed(type: string, audience: Audience, data: object): boolean {
  return RULES[type]?.(audience, data) ?? false
}
