import type { FeedObject, RoomObject } from '@vox/protocol/endpoints'
import type { Feed, Room } from '../../community/layout.ts'
import { overrideObject } from '../../events/spaces.ts'

/** A feed in its wire form, for somebody who subscribes to it or not. */
export function feedObject(feed: Feed, subscribed: boolean): FeedObject {
  return {
    feed_id: feed.id,
    name: feed.name,
    type: feed.type,
    topic: feed.topic,
    category_id: feed.categoryId,
    position: feed.position,
    permission_overrides: feed.overrides.map(overrideObject),
    nsfw: feed.nsfw,
    slowmode_seconds: feed.slowmodeSeconds,
    subscribed,
  }
}

/** A room in its wire form. */
export function roomObject(room: Room): RoomObject {
  return {
    room_id: room.id,
    name: room.name,
    type: room.type,
    category_id: room.categoryId,
    position: room.position,
    permission_overrides: room.overrides.map(overrideObject),
    topic: room.topic,
    user_limit: room.userLimit,
    bitrate: room.bitrate,
  }
}
