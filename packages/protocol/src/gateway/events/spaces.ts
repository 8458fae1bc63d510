/** Feeds, rooms, categories and threads (spec 06, section 13.3). */
import { Fields, Flag, Id, Int64, Integer, List, Maybe, Nullable, OneOf, Snowflake, Text } from '../../schema.ts'
import { Change, event } from '../event.ts'

/** An override as the layout shows it. */
const Override = Fields({ target_type: OneOf('role', 'user'), target_id: Id, allow: Int64, deny: Int64 })

const Position = Integer(0)

/** Among categories administrators choose any number. */
const CategoryPosition = Integer(-(2 ** 31), 2 ** 31 - 1)

/** A feed was created, or the receiver has gained sight of it. */
export const feedCreate = event(
  'feed_create',
  Fields({
    feed_id: Id,
    name: Text(),
    type: OneOf('text', 'forum', 'announcement'),
    topic: Maybe(Text()),
    category_id: Maybe(Id),
    position: Position,
    permission_overrides: List(Override),
  }),
  'feeds',
)

/** What was changed in a feed; null for what was cleared, and for the category of a feed that is in none any more. */
export const feedUpdate = event(
  'feed_update',
  Change(
    { feed_id: Id },
    {
      name: Maybe(Text()),
      topic: Maybe(Nullable(Text())),
      category_id: Maybe(Nullable(Id)),
      position: Maybe(Position),
      nsfw: Maybe(Flag),
      slowmode_seconds: Maybe(Integer(0)),
    },
  ),
  'feeds',
)

/** A feed was deleted, or the receiver has lost sight of it. */
export const feedDelete = event('feed_delete', Fields({ feed_id: Id }), 'feeds')

const FeedSubscription = Fields({ feed_id: Id, user_id: Id })

/** The user is told of messages in the feed from now on. */
export const feedSubscribe = event('feed_subscribe', FeedSubscription)

/** The user is told of messages in the feed no longer. */
export const feedUnsubscribe = event('feed_unsubscribe', FeedSubscription)

/** A room was created, or the receiver has gained sight of it. */
export const roomCreate = event(
  'room_create',
  Fields({
    room_id: Id,
    name: Text(),
    type: OneOf('voice', 'stage'),
    category_id: Maybe(Id),
    position: Position,
    permission_overrides: List(Override),
  }),
  'rooms',
)

/** What was changed in a room; null for the category of a room that is in none any more. */
export const roomUpdate = event(
  'room_update',
  Change(
    { room_id: Id },
    {
      name: Maybe(Text()),
      category_id: Maybe(Nullable(Id)),
      position: Maybe(Position),
      user_limit: Maybe(Integer(0)),
      bitrate: Maybe(Integer(0)),
    },
  ),
  'rooms',
)

/** A room was deleted, or the receiver has lost sight of it. */
export const roomDelete = event('room_delete', Fields({ room_id: Id }), 'rooms')

/** A category was created. */
export const categoryCreate = event(
  'category_create',
  Fields({ category_id: Id, name: Text(), position: CategoryPosition }),
  'categories',
)

/** What was changed in a category. */
export const categoryUpdate = event(
  'category_update',
  Change({ category_id: Id }, { name: Maybe(Text()), position: Maybe(CategoryPosition) }),
  'categories',
)

/** A category was deleted; what was in it has been moved out before. */
export const categoryDelete = event('category_delete', Fields({ category_id: Id }), 'categories')

/** A thread was created, by itself or with a post in a forum. */
export const threadCreate = event(
  'thread_create',
  Fields({ thread_id: Id, parent_feed_id: Id, name: Text(), parent_msg_id: Maybe(Snowflake) }),
  'threads',
)

/** What was changed in a thread. */
export const threadUpdate = event(
  'thread_update',
  Change({ thread_id: Id }, { name: Maybe(Text()), archived: Maybe(Flag), locked: Maybe(Flag) }),
  'threads',
)

/** A thread was deleted. */
export const threadDelete = event('thread_delete', Fields({ thread_id: Id }), 'threads')

const ThreadSubscription = Fields({ thread_id: Id, user_id: Id })

/** The user is told of messages in the thread from now on. */
export const threadSubscribe = event('thread_subscribe', ThreadSubscription)

/** The user is told of messages in the thread no longer. */
export const threadUnsubscribe = event('thread_unsubscribe', ThreadSubscription)
