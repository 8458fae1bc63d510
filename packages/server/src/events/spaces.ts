import { type DataOf, feedCreate, feedDelete, type GatewayEvent, roomCreate, roomDelete } from '@vox/protocol'
import type { OverrideObject } from '@vox/protocol/endpoints'
import type { Override } from '../community/community.ts'
import type { Feed, Layout, Room } from '../community/layout.ts'
import type { SpaceRef } from './audience.ts'
import type { Published } from './bus.ts'

/** What happened, without for whom. */
export type Happening<E extends GatewayEvent = GatewayEvent> = Omit<Published<E>, 'audience'>

/** An override in its wire form. */
export function overrideObject({ targetType, targetId, allow, deny }: Override): OverrideObject {
  return { target_type: targetType, target_id: targetId, allow, deny }
}

/** How members learn of a space that is there now; undefined for one that is not. */
export function appearance({ feeds, rooms }: Layout, { type, id }: SpaceRef): Happening | undefined {
  if (type === 'feed') {
    const feed = feeds.get(id)
    return feed && { event: feedCreate, data: feedCreateData(feed) }
  }
  const room = rooms.get(id)
  return room && { event: roomCreate, data: roomCreateData(room) }
}

/** How members learn that a space is gone. */
export function disappearance({ type, id }: SpaceRef): Happening {
  return type === 'feed' ? { event: feedDelete, data: { feed_id: id } } : { event: roomDelete, data: { room_id: id } }
}

/** What `feed_create` says of a feed. */
export function feedCreateData({ id, name, type, topic, ...feed }: Feed): DataOf<typeof feedCreate> {
  return { feed_id: id, name, type, ...(topic !== null && { topic }), ...placeData(feed) }
}

/** What `room_create` says of a room. */
export function roomCreateData({ id, name, type, ...room }: Room): DataOf<typeof roomCreate> {
  return { room_id: id, name, type, ...placeData(room) }
}

function placeData({ categoryId, position, overrides }: Pick<Feed | Room, 'categoryId' | 'position' | 'overrides'>) {
  return {
    ...(categoryId !== null && { category_id: categoryId }),
    position,
    permission_overrides: overrides.map(overrideObject),
  }
}
