/**
 * Every event the gateway sends (spec 06, section 13). Optional keys are left out, never null, unless the schema says
 * `Nullable`. Who receives an event is said where it is emitted; what it may contain is said here.
 */
import {
  Fields,
  Flag,
  Id,
  Int64,
  Integer,
  JsonObject,
  List,
  Maybe,
  Milliseconds,
  Nullable,
  OneOf,
  Snowflake,
  type Static,
  Text,
  type TObject,
} from '../schema.ts'

/** Category under which `POST /sync` finds a persisted event (spec 06, section 14). */
export type SyncCategory =
  | 'members'
  | 'bans'
  | 'roles'
  | 'permissions'
  | 'feeds'
  | 'rooms'
  | 'categories'
  | 'threads'
  | 'emoji'
  | 'invites'
  | 'webhooks'
  | 'bots'
  | 'users'
  | 'server'

/** A declared event. */
export interface GatewayEvent<D extends TObject = TObject> {
  readonly type: string
  readonly data: D
  /** Categories of a persisted event; empty when it is not kept for sync. */
  readonly sync: readonly SyncCategory[]
}

/** The `d` of an event. */
export type DataOf<E extends GatewayEvent> = Static<E['data']>

function event<D extends TObject>(type: string, data: D, ...sync: SyncCategory[]): GatewayEvent<D> {
  return { type, data, sync }
}

const TargetType = OneOf('role', 'user')
const Override = Fields({ target_type: TargetType, target_id: Id, allow: Int64, deny: Int64 })

/** A file as events carry it. */
const EventFile = Fields({ file_id: Text(), name: Text(), size: Integer(), mime: Text(), url: Text() })

export const messageCreate = event(
  'message_create',
  Fields({
    msg_id: Snowflake,
    author_id: Nullable(Id),
    body: Nullable(Text()),
    timestamp: Milliseconds,
    feed_id: Maybe(Id),
    dm_id: Maybe(Id),
    thread_id: Maybe(Id),
    opaque_blob: Maybe(Text()),
    reply_to: Maybe(Snowflake),
    mentions: Maybe(List(Integer())),
    embed: Maybe(JsonObject),
    embeds: Maybe(List(JsonObject)),
    components: Maybe(List(JsonObject)),
    attachments: Maybe(List(EventFile)),
    webhook_id: Maybe(Id),
    webhook_name: Maybe(Text()),
    webhook_avatar: Maybe(Text()),
  }),
)

export const messageUpdate = event(
  'message_update',
  Fields({
    msg_id: Snowflake,
    feed_id: Maybe(Id),
    dm_id: Maybe(Id),
    body: Maybe(Nullable(Text())),
    opaque_blob: Maybe(Nullable(Text())),
    edit_timestamp: Maybe(Milliseconds),
  }),
)

export const messageDelete = event(
  'message_delete',
  Fields({ msg_id: Snowflake, feed_id: Maybe(Id), dm_id: Maybe(Id) }),
)

export const messageBulkDelete = event('message_bulk_delete', Fields({ feed_id: Id, msg_ids: List(Snowflake) }))

const Reaction = Fields({ msg_id: Snowflake, user_id: Id, emoji: Text(), feed_id: Maybe(Id), dm_id: Maybe(Id) })

export const messageReactionAdd = event('message_reaction_add', Reaction)

export const messageReactionRemove = event('message_reaction_remove', Reaction)

export const messagePinUpdate = event('message_pin_update', Fields({ msg_id: Snowflake, feed_id: Id, pinned: Flag }))

export const memberJoin = event(
  'member_join',
  Fields({ user_id: Id, username: Text(), display_name: Maybe(Text()) }),
  'members',
)

export const memberLeave = event('member_leave', Fields({ user_id: Id }), 'members')

export const memberUpdate = event('member_update', Fields({ user_id: Id, nickname: Maybe(Text()) }), 'members')

export const memberBan = event('member_ban', Fields({ user_id: Id }), 'members', 'bans')

export const memberUnban = event('member_unban', Fields({ user_id: Id }), 'members', 'bans')

export const userUpdate = event(
  'user_update',
  Fields({
    user_id: Id,
    display_name: Maybe(Text()),
    avatar: Maybe(Nullable(Text())),
    bio: Maybe(Nullable(Text())),
  }),
  'users',
)

/** `user_id` has acted, `target_id` is the other one. */
const Pair = Fields({ user_id: Id, target_id: Id })

export const friendRequest = event('friend_request', Pair)

export const friendAdd = event('friend_add', Pair)

export const friendReject = event('friend_reject', Pair)

export const friendRemove = event('friend_remove', Pair)

export const blockAdd = event('block_add', Pair)

export const blockRemove = event('block_remove', Pair)

export const serverUpdate = event(
  'server_update',
  Fields({ name: Maybe(Text()), icon: Maybe(Nullable(Text())), description: Maybe(Nullable(Text())) }),
  'server',
)

export const inviteCreate = event(
  'invite_create',
  Fields({ code: Text(), creator_id: Id, feed_id: Maybe(Id) }),
  'invites',
)

export const inviteDelete = event('invite_delete', Fields({ code: Text() }), 'invites')

export const feedCreate = event(
  'feed_create',
  Fields({
    feed_id: Id,
    name: Text(),
    type: OneOf('text', 'forum', 'announcement'),
    topic: Maybe(Text()),
    category_id: Maybe(Id),
    position: Integer(),
    permission_overrides: List(Override),
  }),
  'feeds',
)

export const feedUpdate = event(
  'feed_update',
  Fields({
    feed_id: Id,
    name: Maybe(Text()),
    topic: Maybe(Nullable(Text())),
    category_id: Maybe(Nullable(Id)),
    position: Maybe(Integer()),
    nsfw: Maybe(Flag),
    slowmode_seconds: Maybe(Integer()),
  }),
  'feeds',
)

export const feedDelete = event('feed_delete', Fields({ feed_id: Id }), 'feeds')

export const feedSubscribe = event('feed_subscribe', Fields({ feed_id: Id, user_id: Id }))

export const feedUnsubscribe = event('feed_unsubscribe', Fields({ feed_id: Id, user_id: Id }))

export const roomCreate = event(
  'room_create',
  Fields({
    room_id: Id,
    name: Text(),
    type: OneOf('voice', 'stage'),
    category_id: Maybe(Id),
    position: Integer(),
    permission_overrides: List(Override),
  }),
  'rooms',
)

export const roomUpdate = event(
  'room_update',
  Fields({
    room_id: Id,
    name: Maybe(Text()),
    category_id: Maybe(Nullable(Id)),
    position: Maybe(Integer()),
    user_limit: Maybe(Integer()),
    bitrate: Maybe(Integer()),
  }),
  'rooms',
)

export const roomDelete = event('room_delete', Fields({ room_id: Id }), 'rooms')

export const categoryCreate = event(
  'category_create',
  Fields({ category_id: Id, name: Text(), position: Integer() }),
  'categories',
)

export const categoryUpdate = event(
  'category_update',
  Fields({ category_id: Id, name: Maybe(Text()), position: Maybe(Integer()) }),
  'categories',
)

export const categoryDelete = event('category_delete', Fields({ category_id: Id }), 'categories')

export const threadCreate = event(
  'thread_create',
  Fields({ thread_id: Id, parent_feed_id: Id, name: Text(), parent_msg_id: Maybe(Snowflake) }),
  'threads',
)

export const threadUpdate = event(
  'thread_update',
  Fields({ thread_id: Id, name: Maybe(Text()), archived: Maybe(Flag), locked: Maybe(Flag) }),
  'threads',
)

export const threadDelete = event('thread_delete', Fields({ thread_id: Id }), 'threads')

export const threadSubscribe = event('thread_subscribe', Fields({ thread_id: Id, user_id: Id }))

export const threadUnsubscribe = event('thread_unsubscribe', Fields({ thread_id: Id, user_id: Id }))

export const roleCreate = event(
  'role_create',
  Fields({ role_id: Id, name: Text(), color: Nullable(Integer()), permissions: Int64, position: Integer() }),
  'roles',
)

export const roleUpdate = event(
  'role_update',
  Fields({
    role_id: Id,
    name: Maybe(Text()),
    color: Maybe(Integer()),
    permissions: Maybe(Int64),
    position: Maybe(Integer()),
    hoist: Maybe(Flag),
    mentionable: Maybe(Flag),
  }),
  'roles',
)

export const roleDelete = event('role_delete', Fields({ role_id: Id }), 'roles')

export const roleAssign = event('role_assign', Fields({ role_id: Id, user_id: Id }), 'roles')

export const roleRevoke = event('role_revoke', Fields({ role_id: Id, user_id: Id }), 'roles')

const OverrideTarget = {
  space_type: OneOf('feed', 'room'),
  space_id: Id,
  target_type: TargetType,
  target_id: Id,
}

export const permissionOverrideUpdate = event(
  'permission_override_update',
  Fields({ ...OverrideTarget, allow: Int64, deny: Int64 }),
  'permissions',
)

export const permissionOverrideDelete = event('permission_override_delete', Fields(OverrideTarget), 'permissions')

export const emojiCreate = event(
  'emoji_create',
  Fields({ emoji_id: Id, name: Text(), creator_id: Id, image: Maybe(Text()) }),
  'emoji',
)

export const emojiUpdate = event('emoji_update', Fields({ emoji_id: Id, name: Text() }), 'emoji')

export const emojiDelete = event('emoji_delete', Fields({ emoji_id: Id }), 'emoji')

export const stickerCreate = event(
  'sticker_create',
  Fields({ sticker_id: Id, name: Text(), creator_id: Id, image: Maybe(Text()) }),
  'emoji',
)

export const stickerUpdate = event('sticker_update', Fields({ sticker_id: Id, name: Text() }), 'emoji')

export const stickerDelete = event('sticker_delete', Fields({ sticker_id: Id }), 'emoji')

export const presenceUpdate = event(
  'presence_update',
  Fields({
    user_id: Id,
    status: OneOf('online', 'idle', 'dnd', 'invisible', 'offline'),
    custom_status: Maybe(Text()),
    activity: Maybe(JsonObject),
  }),
)

export const typingStart = event('typing_start', Fields({ user_id: Id, feed_id: Maybe(Id), dm_id: Maybe(Id) }))

export const notificationCreate = event(
  'notification_create',
  Fields({
    user_id: Id,
    type: OneOf('mention', 'reply', 'message', 'reaction', 'warning'),
    feed_id: Maybe(Id),
    thread_id: Maybe(Id),
    dm_id: Maybe(Id),
    msg_id: Maybe(Snowflake),
    actor_id: Maybe(Id),
    body_preview: Maybe(Text()),
  }),
)

/** First event of every session, `seq` 1 (spec 06, section 3.4). */
export const ready = event(
  'ready',
  Fields({
    session_id: Text(),
    user_id: Id,
    display_name: Text(),
    server_name: Text(),
    server_icon: Maybe(Text()),
    server_time: Integer(),
    protocol_version: Integer(),
    capabilities: List(Text()),
    is_bot: Maybe(Flag),
  }),
)

/** All events, for the tests that check what is really sent against these declarations. */
export const GATEWAY_EVENTS: readonly GatewayEvent[] = [
  ready,
  messageCreate,
  messageUpdate,
  messageDelete,
  messageBulkDelete,
  messageReactionAdd,
  messageReactionRemove,
  messagePinUpdate,
  memberJoin,
  memberLeave,
  memberUpdate,
  memberBan,
  memberUnban,
  userUpdate,
  friendRequest,
  friendAdd,
  friendReject,
  friendRemove,
  blockAdd,
  blockRemove,
  serverUpdate,
  inviteCreate,
  inviteDelete,
  feedCreate,
  feedUpdate,
  feedDelete,
  feedSubscribe,
  feedUnsubscribe,
  roomCreate,
  roomUpdate,
  roomDelete,
  categoryCreate,
  categoryUpdate,
  categoryDelete,
  threadCreate,
  threadUpdate,
  threadDelete,
  threadSubscribe,
  threadUnsubscribe,
  roleCreate,
  roleUpdate,
  roleDelete,
  roleAssign,
  roleRevoke,
  permissionOverrideUpdate,
  permissionOverrideDelete,
  emojiCreate,
  emojiUpdate,
  emojiDelete,
  stickerCreate,
  stickerUpdate,
  stickerDelete,
  presenceUpdate,
  typingStart,
  notificationCreate,
]
