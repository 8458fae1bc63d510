import {
  createCategory,
  createFeed,
  createRoom,
  deleteCategory,
  deleteFeed,
  deleteFeedOverride,
  deleteRoom,
  deleteRoomOverride,
  editCategory,
  editFeed,
  editRoom,
  getCategory,
  getFeed,
  getLayout,
  getRoom,
  listCategories,
  listFeeds,
  listRooms,
  setFeedOverride,
  setRoomOverride,
  subscribeToFeed,
  unsubscribeFromFeed,
} from '@vox/protocol/endpoints'
import type { SpaceRef } from '../../events/audience.ts'
import type { Mount } from '../../http/pipeline.ts'
import type { Services } from '../../services.ts'
import { CategoryService } from './categories.ts'
import { FeedService, subscriptionsOf } from './feeds.ts'
import { OverrideService, targetOf } from './overrides.ts'
import { RoomService } from './rooms.ts'

/** Feeds, rooms and categories, and who may do what in them. */
export function spaces(services: Services, on: Mount): void {
  const feeds = new FeedService(services)
  const rooms = new RoomService(services)
  const categories = new CategoryService(services)
  const overrides = new OverrideService(services)

  on(getLayout, async ({ caller: { userId } }) => {
    const subscribed = await subscriptionsOf(services.db.read, userId)
    // From here on nothing waits, so that the lists are of one moment.
    return { categories: categories.list(), feeds: feeds.list(userId, subscribed), rooms: rooms.list(userId) }
  })

  on(listFeeds, async ({ caller: { userId } }) => ({
    items: feeds.list(userId, await subscriptionsOf(services.db.read, userId)),
  }))
  on(getFeed, ({ params, caller }) => feeds.get(caller.userId, params.feed_id))
  on(createFeed, ({ body, caller }) => feeds.create(caller.userId, body))
  on(editFeed, ({ params, body, caller }) => feeds.edit(caller.userId, params.feed_id, body))
  on(deleteFeed, ({ params, caller }) => feeds.delete(caller.userId, params.feed_id))
  on(subscribeToFeed, ({ params, caller }) => feeds.subscribe(caller.userId, params.feed_id))
  on(unsubscribeFromFeed, ({ params, caller }) => feeds.unsubscribe(caller.userId, params.feed_id))

  on(listRooms, ({ caller }) => ({ items: rooms.list(caller.userId) }))
  on(getRoom, ({ params, caller }) => rooms.get(caller.userId, params.room_id))
  on(createRoom, ({ body, caller }) => rooms.create(caller.userId, body))
  on(editRoom, ({ params, body, caller }) => rooms.edit(caller.userId, params.room_id, body))
  on(deleteRoom, ({ params, caller }) => rooms.delete(caller.userId, params.room_id))

  on(listCategories, () => ({ items: categories.list() }))
  on(getCategory, ({ params }) => categories.get(params.category_id))
  on(createCategory, ({ body, caller }) => categories.create(caller.userId, body))
  on(editCategory, ({ params, body, caller }) => categories.edit(caller.userId, params.category_id, body))
  on(deleteCategory, ({ params, caller }) => categories.delete(caller.userId, params.category_id))

  const feed = (id: number): SpaceRef => ({ type: 'feed', id })
  const room = (id: number): SpaceRef => ({ type: 'room', id })
  on(setFeedOverride, ({ params, body, caller }) =>
    overrides.set(caller.userId, feed(params.feed_id), targetOf(params), body),
  )
  on(setRoomOverride, ({ params, body, caller }) =>
    overrides.set(caller.userId, room(params.room_id), targetOf(params), body),
  )
  on(deleteFeedOverride, ({ params, caller }) =>
    overrides.delete(caller.userId, feed(params.feed_id), targetOf(params)),
  )
  on(deleteRoomOverride, ({ params, caller }) =>
    overrides.delete(caller.userId, room(params.room_id), targetOf(params)),
  )
}
