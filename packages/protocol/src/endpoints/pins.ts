import { endpoint } from '../endpoint.ts'
import { Fields, List } from '../schema.ts'
import { FeedMessageParams, FeedParams } from './common.ts'
import { MessageObject } from './messages.ts'

/** Pins a message of a feed or of one of its threads (spec 04, section 5.1). */
export const pinMessage = endpoint({
  method: 'PUT',
  path: '/feeds/:feed_id/pins/:msg_id',
  summary: 'Pin a message',
  auth: 'session',
  requires: { permission: 'MANAGE_MESSAGES', in: 'feed' },
  params: FeedMessageParams,
  reply: { 204: null },
  errors: ['MISSING_PERMISSIONS', 'MESSAGE_NOT_FOUND', 'PIN_LIMIT_REACHED'],
})

/** Unpins a message, if it is pinned (spec 04, section 5.2). */
export const unpinMessage = endpoint({
  method: 'DELETE',
  path: '/feeds/:feed_id/pins/:msg_id',
  summary: 'Unpin a message',
  auth: 'session',
  requires: { permission: 'MANAGE_MESSAGES', in: 'feed' },
  params: FeedMessageParams,
  reply: { 204: null },
  errors: ['MISSING_PERMISSIONS'],
})

/** The pinned messages of a feed, latest pin first, with `pinned_at` in seconds (spec 04, section 5.3). */
export const listPins = endpoint({
  method: 'GET',
  path: '/feeds/:feed_id/pins',
  summary: 'Pinned messages',
  auth: 'session',
  requires: { permission: 'READ_HISTORY', in: 'feed' },
  params: FeedParams,
  reply: { 200: Fields({ messages: List(MessageObject) }) },
  errors: ['MISSING_PERMISSIONS', 'SPACE_NOT_FOUND'],
})
