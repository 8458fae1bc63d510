import { endpoint } from '../endpoint.ts'
import {
  Fields,
  Flag,
  Id,
  Integer,
  List,
  Maybe,
  Nullable,
  QueryFlag,
  Seconds,
  Snowflake,
  type Static,
  Text,
} from '../schema.ts'
import { ChannelName, FeedParams, Page, PageQuery } from './common.ts'
import { HistoryQuery, MessageObject, MessageSent, SendMessage } from './messages.ts'

/** A thread, as REST shows it to one caller (spec 03, section 15). */
export const ThreadObject = Fields({
  thread_id: Id,
  parent_feed_id: Id,
  parent_msg_id: Snowflake,
  name: Text(),
  archived: Flag,
  locked: Flag,
  creator_id: Nullable(Id),
  created_at: Seconds,
  subscribed: Flag,
})
/** A thread, as REST shows it to one caller. */
export type ThreadObject = Static<typeof ThreadObject>

const ThreadParams = Fields({ thread_id: Id })
const FeedThreadParams = Fields({ feed_id: Id, thread_id: Id })

/** One thread of a feed the caller sees (spec 03, section 15). */
export const getThread = endpoint({
  method: 'GET',
  path: '/threads/:thread_id',
  summary: 'Read a thread',
  auth: 'session',
  params: ThreadParams,
  reply: { 200: ThreadObject },
  errors: ['SPACE_NOT_FOUND'],
})

/** Threads of a feed, archived ones included unless they are filtered out (spec 03, section 15). */
export const listThreads = endpoint({
  method: 'GET',
  path: '/feeds/:feed_id/threads',
  summary: 'Threads of a feed',
  auth: 'session',
  params: FeedParams,
  query: PageQuery(Integer(0), { archived: Maybe(QueryFlag) }),
  reply: { 200: Page(ThreadObject) },
  errors: ['SPACE_NOT_FOUND'],
})

/** Begins a thread at a message of the feed itself (spec 03, section 15). */
export const createThread = endpoint({
  method: 'POST',
  path: '/feeds/:feed_id/threads',
  summary: 'Begin a thread at a message',
  auth: 'session',
  requires: { permission: 'CREATE_THREADS', in: 'feed', concealing: true },
  params: FeedParams,
  body: Fields({ parent_msg_id: Snowflake, name: ChannelName }),
  reply: { 201: ThreadObject },
  errors: ['MISSING_PERMISSIONS', 'SPACE_NOT_FOUND', 'MESSAGE_NOT_FOUND'],
})

/** Renames, archives or locks a thread, or the reverse (spec 03, section 15). */
export const editThread = endpoint({
  method: 'PATCH',
  path: '/threads/:thread_id',
  summary: 'Rename, archive or lock a thread',
  auth: 'session',
  requires: { permission: 'MANAGE_THREADS', in: 'thread', concealing: true },
  params: ThreadParams,
  body: Fields({ name: Maybe(ChannelName), archived: Maybe(Flag), locked: Maybe(Flag) }),
  reply: { 200: ThreadObject },
  errors: ['MISSING_PERMISSIONS', 'SPACE_NOT_FOUND'],
})

/** Deletes a thread with its messages; the message it hangs on stays (spec 03, section 15). */
export const deleteThread = endpoint({
  method: 'DELETE',
  path: '/threads/:thread_id',
  summary: 'Delete a thread with its messages',
  auth: 'session',
  requires: { permission: 'MANAGE_THREADS', in: 'thread', concealing: true },
  params: ThreadParams,
  reply: { 204: null },
  errors: ['MISSING_PERMISSIONS', 'SPACE_NOT_FOUND'],
})

/** Asks for a notification of every message in the thread (spec 03, section 15). */
export const subscribeToThread = endpoint({
  method: 'PUT',
  path: '/feeds/:feed_id/threads/:thread_id/subscribers',
  summary: 'Subscribe to the messages of a thread',
  auth: 'session',
  params: FeedThreadParams,
  reply: { 204: null },
  errors: ['SPACE_NOT_FOUND'],
})

/** Takes the subscription back (spec 03, section 15). */
export const unsubscribeFromThread = endpoint({
  method: 'DELETE',
  path: '/feeds/:feed_id/threads/:thread_id/subscribers',
  summary: 'Unsubscribe from a thread',
  auth: 'session',
  params: FeedThreadParams,
  reply: { 204: null },
  errors: ['SPACE_NOT_FOUND'],
})

/** Messages of a thread, newest first (spec 04, section 3.1). */
export const listThreadMessages = endpoint({
  method: 'GET',
  path: '/feeds/:feed_id/threads/:thread_id/messages',
  summary: 'Messages of a thread, newest first',
  auth: 'session',
  requires: { permission: 'READ_HISTORY', in: 'feed' },
  params: FeedThreadParams,
  query: HistoryQuery,
  reply: { 200: Fields({ messages: List(MessageObject) }) },
  errors: ['MISSING_PERMISSIONS', 'SPACE_NOT_FOUND'],
})

/** Posts into a thread (spec 04, section 3.2). */
export const sendThreadMessage = endpoint({
  method: 'POST',
  path: '/feeds/:feed_id/threads/:thread_id/messages',
  summary: 'Send a message into a thread',
  auth: 'session',
  requires: { permission: 'SEND_IN_THREADS', in: 'feed' },
  params: FeedThreadParams,
  body: SendMessage,
  reply: { 201: MessageSent },
  errors: [
    'MISSING_PERMISSIONS',
    'SPACE_NOT_FOUND',
    'THREAD_LOCKED',
    'EMPTY_MESSAGE',
    'MESSAGE_TOO_LARGE',
    'PAYLOAD_TOO_LARGE',
    'INVALID_ATTACHMENT',
    'FORBIDDEN',
    'RATE_LIMITED',
  ],
})
