import { endpoint } from '../endpoint.ts'
import { Fields, Flag, Id, Integer, List, Maybe, Nullable, OneOf, type Static, Text } from '../schema.ts'
import { ChannelName, FeedParams, InitialOverrides, Items, OverrideObject } from './common.ts'

/** A feed as REST shows it to one caller (spec 03, section 12). */
export const FeedObject = Fields({
  feed_id: Id,
  name: Text(),
  type: OneOf('text', 'forum', 'announcement'),
  topic: Nullable(Text()),
  category_id: Nullable(Id),
  position: Integer(),
  permission_overrides: List(OverrideObject),
  nsfw: Flag,
  slowmode_seconds: Integer(0),
  subscribed: Flag,
})
/** A feed as REST shows it to one caller. */
export type FeedObject = Static<typeof FeedObject>

/** What may be said of a feed, whenever it is said. */
const properties = {
  topic: Maybe(Text({ max: 'topic_max' })),
  nsfw: Maybe(Flag),
  slowmode_seconds: Maybe(Integer(0, 21_600)),
}

/** Feeds the caller sees, in the order of the layout (spec 03, section 12). */
export const listFeeds = endpoint({
  method: 'GET',
  path: '/feeds',
  summary: 'Feeds you can see',
  auth: 'session',
  reply: { 200: Items(FeedObject) },
})

/** One feed; one that the caller cannot see does not exist (spec 03, section 12). */
export const getFeed = endpoint({
  method: 'GET',
  path: '/feeds/:feed_id',
  summary: 'Read a feed',
  auth: 'session',
  params: FeedParams,
  reply: { 200: FeedObject },
  errors: ['SPACE_NOT_FOUND'],
})

/** Creates a feed, last in its category (spec 03, section 12). */
export const createFeed = endpoint({
  method: 'POST',
  path: '/feeds',
  summary: 'Create a feed',
  auth: 'session',
  requires: { permission: 'MANAGE_SPACES' },
  body: Fields({
    name: ChannelName,
    type: OneOf('text', 'forum', 'announcement'),
    category_id: Maybe(Id),
    permission_overrides: Maybe(InitialOverrides),
    ...properties,
  }),
  reply: { 201: FeedObject },
  errors: ['MISSING_PERMISSIONS', 'ROLE_HIERARCHY', 'SPACE_NOT_FOUND', 'USER_NOT_FOUND', 'INVALID_OPERATION'],
})

/** Changes a feed or moves it; `category_id` null takes it out of its category (spec 03, section 12). */
export const editFeed = endpoint({
  method: 'PATCH',
  path: '/feeds/:feed_id',
  summary: 'Change or move a feed',
  auth: 'session',
  requires: { permission: 'MANAGE_SPACES' },
  params: FeedParams,
  body: Fields({
    name: Maybe(ChannelName),
    ...properties,
    category_id: Maybe(Nullable(Id)),
    position: Maybe(Integer()),
  }),
  reply: { 200: FeedObject },
  errors: ['MISSING_PERMISSIONS', 'SPACE_NOT_FOUND'],
})

/** Deletes a feed with everything in it (spec 03, section 12). */
export const deleteFeed = endpoint({
  method: 'DELETE',
  path: '/feeds/:feed_id',
  summary: 'Delete a feed with everything in it',
  auth: 'session',
  requires: { permission: 'MANAGE_SPACES' },
  params: FeedParams,
  reply: { 204: null },
  errors: ['MISSING_PERMISSIONS', 'SPACE_NOT_FOUND'],
})

/** Asks for a notification of every message in the feed (spec 03, section 12). */
export const subscribeToFeed = endpoint({
  method: 'PUT',
  path: '/feeds/:feed_id/subscribers',
  summary: 'Subscribe to the messages of a feed',
  auth: 'session',
  params: FeedParams,
  reply: { 204: null },
  errors: ['SPACE_NOT_FOUND'],
})

/** Takes the subscription back (spec 03, section 12). */
export const unsubscribeFromFeed = endpoint({
  method: 'DELETE',
  path: '/feeds/:feed_id/subscribers',
  summary: 'Unsubscribe from a feed',
  auth: 'session',
  params: FeedParams,
  reply: { 204: null },
  errors: ['SPACE_NOT_FOUND'],
})
