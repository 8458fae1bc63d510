import { endpoint } from '../endpoint.ts'
import { Fields, Id, List, type Static, Text } from '../schema.ts'
import { FeedMessageParams } from './common.ts'

/** An emoji, a word or a form such as `custom:wave:17`; opaque to the server. 1 to 255 characters. */
export const ReactionText = Text({ min: 1, max: 255 })

const ReactionParams = Fields({ ...FeedMessageParams.properties, emoji: ReactionText })

/** Who has reacted with an emoji, in the order in which they did (spec 04, section 4.3). */
export const ReactionGroup = Fields({ emoji: Text(), user_ids: List(Id) })
/** Who has reacted with an emoji. */
export type ReactionGroup = Static<typeof ReactionGroup>

/** Reacts to a message; a reaction that is there already stays as it is (spec 04, section 4.1). */
export const addReaction = endpoint({
  method: 'PUT',
  path: '/feeds/:feed_id/messages/:msg_id/reactions/:emoji',
  summary: 'React to a message',
  auth: 'session',
  requires: { permission: 'ADD_REACTIONS', in: 'feed' },
  params: ReactionParams,
  reply: { 204: null },
  errors: ['MISSING_PERMISSIONS', 'MESSAGE_NOT_FOUND', 'INVALID_OPERATION'],
})

/** Takes the caller's own reaction back, if there is one (spec 04, section 4.2). */
export const removeReaction = endpoint({
  method: 'DELETE',
  path: '/feeds/:feed_id/messages/:msg_id/reactions/:emoji',
  summary: 'Take your reaction back',
  auth: 'session',
  requires: { permission: 'READ_HISTORY', in: 'feed' },
  params: ReactionParams,
  reply: { 204: null },
  errors: ['MISSING_PERMISSIONS', 'MESSAGE_NOT_FOUND'],
})

/** Reactions to a message, emoji by emoji, the first one first (spec 04, section 4.3). */
export const listReactions = endpoint({
  method: 'GET',
  path: '/feeds/:feed_id/messages/:msg_id/reactions',
  summary: 'Reactions to a message',
  auth: 'session',
  requires: { permission: 'READ_HISTORY', in: 'feed' },
  params: FeedMessageParams,
  reply: { 200: Fields({ reactions: List(ReactionGroup) }) },
  errors: ['MISSING_PERMISSIONS', 'MESSAGE_NOT_FOUND'],
})
