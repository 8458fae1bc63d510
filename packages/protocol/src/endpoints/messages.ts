import { Components } from '../components.ts'
import { EmbedObject, Embeds, EmbedText } from '../embeds.ts'
import { endpoint } from '../endpoint.ts'
import {
  accepting,
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
  Seconds,
  Snowflake,
  type Static,
  Text,
} from '../schema.ts'
import { FeedMessageParams, FeedParams } from './common.ts'
import { AttachmentIds, FileObject } from './files.ts'

/** A message, wherever it is read (spec 04, section 1.1). */
export const MessageObject = Fields({
  msg_id: Snowflake,
  feed_id: Nullable(Id),
  dm_id: Nullable(Id),
  thread_id: Nullable(Id),
  author_id: Nullable(Id),
  body: Nullable(Text()),
  opaque_blob: Nullable(Text()),
  timestamp: Milliseconds,
  reply_to: Nullable(Snowflake),
  attachments: List(FileObject),
  embed: Nullable(EmbedObject),
  edit_timestamp: Nullable(Milliseconds),
  federated: Flag,
  author_address: Nullable(Text()),
  pinned_at: Nullable(Seconds),
  webhook_id: Nullable(Id),
  mentions: List(Integer()),
  embeds: List(EmbedObject),
  components: List(JsonObject),
  webhook_name: Nullable(Text()),
  webhook_avatar: Nullable(Text()),
})
/** A message, wherever it is read. */
export type MessageObject = Static<typeof MessageObject>

/** Bounds of a page of messages; both message ids are exclusive (spec 04, section 2.1). */
export const HistoryQuery = Fields({
  limit: Maybe(Integer(1, 1000)),
  before: Maybe(Int64),
  after: Maybe(Int64),
})

/** Users whom a message mentions; 0 stands for everyone. An entry may also be `{"user_id": 7}` (spec 04, section 1.7). */
const Mentions = List(
  accepting(Integer(0), (raw) => (typeof raw === 'object' && raw !== null && 'user_id' in raw ? raw.user_id : raw)),
  { max: 100 },
)

/**
 * What may be sent. The length of `body` answers with a code of its own, so it is not bounded here. Of `embed` and
 * `embeds` the first counts if both are given; `components` count for bots only.
 */
export const SendMessage = Fields({
  body: Maybe(Text()),
  opaque_blob: Maybe(Text()),
  reply_to: Maybe(Snowflake),
  attachments: Maybe(AttachmentIds),
  mentions: Maybe(Mentions),
  embed: Maybe(EmbedText),
  embeds: Maybe(Embeds),
  components: Maybe(Components),
})
/** What may be sent. */
export type SendMessage = Static<typeof SendMessage>

/** Answer to a sent message. */
export const MessageSent = Fields({
  msg_id: Int64,
  timestamp: Milliseconds,
  interaction_id: Nullable(Text()),
  mentions: Nullable(List(Integer())),
})
/** Answer to a sent message. */
export type MessageSent = Static<typeof MessageSent>

/** Messages of a feed, newest first (spec 04, section 2.1). */
export const listMessages = endpoint({
  method: 'GET',
  path: '/feeds/:feed_id/messages',
  summary: 'Messages of a feed, newest first',
  auth: 'session',
  requires: { permission: 'READ_HISTORY', in: 'feed' },
  params: FeedParams,
  query: HistoryQuery,
  reply: { 200: Fields({ messages: List(MessageObject) }) },
  errors: ['MISSING_PERMISSIONS', 'SPACE_NOT_FOUND'],
})

/** One message of a feed (spec 04, section 2.2). */
export const getMessage = endpoint({
  method: 'GET',
  path: '/feeds/:feed_id/messages/:msg_id',
  summary: 'Read a message',
  auth: 'session',
  requires: { permission: 'READ_HISTORY', in: 'feed' },
  params: FeedMessageParams,
  reply: { 200: MessageObject },
  errors: ['MISSING_PERMISSIONS', 'MESSAGE_NOT_FOUND'],
})

/** Posts into a feed (spec 04, section 2.3). */
export const sendMessage = endpoint({
  method: 'POST',
  path: '/feeds/:feed_id/messages',
  summary: 'Send a message',
  auth: 'session',
  requires: { permission: 'SEND_MESSAGES', in: 'feed' },
  params: FeedParams,
  body: SendMessage,
  reply: { 201: MessageSent },
  errors: [
    'MISSING_PERMISSIONS',
    'SPACE_NOT_FOUND',
    'EMPTY_MESSAGE',
    'MESSAGE_TOO_LARGE',
    'PAYLOAD_TOO_LARGE',
    'INVALID_ATTACHMENT',
    'FORBIDDEN',
    'RATE_LIMITED',
  ],
})

/** A new content, which replaces all that was there; one of the two at least (spec 04, section 2.4). */
export const EditMessage = Fields({ body: Maybe(Text({ max: 'message_body_max' })), opaque_blob: Maybe(Text()) })

/** Answer to an edit. */
export const MessageEdited = Fields({ msg_id: Snowflake, edit_timestamp: Milliseconds })

/** Replaces the content of the caller's own message (spec 04, section 2.4). */
export const editMessage = endpoint({
  method: 'PATCH',
  path: '/feeds/:feed_id/messages/:msg_id',
  summary: 'Edit your own message',
  auth: 'session',
  requires: { permission: 'SEND_MESSAGES', or: 'SEND_IN_THREADS', in: 'feed' },
  params: FeedMessageParams,
  body: EditMessage,
  reply: { 200: MessageEdited },
  errors: ['MISSING_PERMISSIONS', 'MESSAGE_NOT_FOUND', 'FORBIDDEN', 'EMPTY_MESSAGE', 'PAYLOAD_TOO_LARGE'],
})

/** Deletes a message: its author, or a holder of `MANAGE_MESSAGES` in the feed (spec 04, section 2.5). */
export const deleteMessage = endpoint({
  method: 'DELETE',
  path: '/feeds/:feed_id/messages/:msg_id',
  summary: 'Delete a message',
  auth: 'session',
  params: FeedMessageParams,
  reply: { 204: null },
  errors: ['MISSING_PERMISSIONS', 'MESSAGE_NOT_FOUND'],
})

/** Deletes messages of a feed, those in its threads included; ids that are not there are ignored (spec 04, section 2.6). */
export const bulkDeleteMessages = endpoint({
  method: 'POST',
  path: '/feeds/:feed_id/messages/bulk-delete',
  summary: 'Delete several messages',
  auth: 'session',
  requires: { permission: 'MANAGE_MESSAGES', in: 'feed' },
  params: FeedParams,
  body: Fields({ msg_ids: List(Snowflake, { max: 'bulk_delete_max' }) }),
  reply: { 204: null },
  errors: ['MISSING_PERMISSIONS', 'SPACE_NOT_FOUND'],
})
