/** Messages, what hangs on them, and the notifications they cause (spec 06, sections 13.1 and 13.12). */
import {
  Fields,
  Flag,
  Id,
  Integer,
  JsonObject,
  List,
  Maybe,
  Milliseconds,
  Nullable,
  OneOf,
  Snowflake,
  Text,
} from '../../schema.ts'
import { event, InOnePlace } from '../event.ts'

/** A file as events carry it. */
const EventFile = Fields({ file_id: Text(), name: Text(), size: Integer(0), mime: Text(), url: Text() })

/** To whom a message was addressed: user ids, 0 for everyone. */
const Mentions = List(Integer(0, 2 ** 32 - 1), { min: 1 })

/**
 * A message was stored in a feed, thread or DM. `author_id` is null for webhook messages and notices of the server,
 * `body` for messages without text; both are always there. One that is `ephemeral` is stored nowhere.
 */
export const messageCreate = event(
  'message_create',
  InOnePlace({
    msg_id: Snowflake,
    author_id: Nullable(Id),
    body: Nullable(Text()),
    timestamp: Milliseconds,
    feed_id: Maybe(Id),
    dm_id: Maybe(Id),
    thread_id: Maybe(Id),
    opaque_blob: Maybe(Text()),
    reply_to: Maybe(Snowflake),
    mentions: Maybe(Mentions),
    embed: Maybe(JsonObject),
    embeds: Maybe(List(JsonObject, { min: 1 })),
    attachments: Maybe(List(EventFile, { min: 1 })),
    components: Maybe(List(JsonObject, { min: 1 })),
    webhook_id: Maybe(Id),
    webhook_name: Maybe(Text()),
    webhook_avatar: Maybe(Text()),
    federated: Maybe(Flag),
    author_address: Maybe(Text()),
    ephemeral: Maybe(Flag),
  }),
)

/**
 * The author has edited a message; the content is replaced, never mixed. In a DM `opaque_blob` comes with a message
 * that had or has one, and `body` is null when only that remains (spec 05, section 7).
 */
export const messageUpdate = event(
  'message_update',
  InOnePlace({
    msg_id: Snowflake,
    feed_id: Maybe(Id),
    dm_id: Maybe(Id),
    body: Maybe(Nullable(Text())),
    opaque_blob: Maybe(Nullable(Text())),
    edit_timestamp: Milliseconds,
  }),
)

/** A message was deleted. */
export const messageDelete = event(
  'message_delete',
  InOnePlace({ msg_id: Snowflake, feed_id: Maybe(Id), dm_id: Maybe(Id) }),
)

/** These messages of the feed were deleted; ids ascend. */
export const messageBulkDelete = event(
  'message_bulk_delete',
  Fields({ feed_id: Id, msg_ids: List(Snowflake, { min: 1 }) }),
)

const Reaction = InOnePlace({ msg_id: Snowflake, user_id: Id, emoji: Text(), feed_id: Maybe(Id), dm_id: Maybe(Id) })

/** The user has reacted to a message. */
export const messageReactionAdd = event('message_reaction_add', Reaction)

/** The user has taken a reaction back. */
export const messageReactionRemove = event('message_reaction_remove', Reaction)

/** A message was pinned, or is no longer. */
export const messagePinUpdate = event('message_pin_update', Fields({ msg_id: Snowflake, feed_id: Id, pinned: Flag }))

/**
 * Something concerns the user: a message, a reaction to one of theirs, or a warning by the moderation, which names
 * neither message nor actor (spec 03, section 16). Not stored anywhere.
 */
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

/** What became of a message on its way to another server, told to its author (spec 08, section 14.4). */
export const federationDelivery = event(
  'federation_delivery',
  Fields({
    msg_id: Snowflake,
    dm_id: Id,
    user_id: Id,
    status: OneOf('failed', 'attachments_dropped'),
    code: Nullable(Text()),
  }),
)
