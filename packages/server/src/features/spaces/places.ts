import { feedUpdate, roomUpdate } from '@vox/protocol'
import { type RawBuilder, sql } from 'kysely'
import type { Community } from '../../community/community.ts'
import type { Layout } from '../../community/layout.ts'
import type { SpaceRef } from '../../events/audience.ts'
import type { Work } from '../../events/work.ts'
import type { Placed } from './order.ts'

/**
 * Gives spaces of one category, or those that leave it together, their new places: in the database, in the picture, and
 * for everybody who sees them.
 */
export async function place(job: Work, layout: Layout, spaces: readonly Placed[]): Promise<void> {
  await write(job, spaces)
  for (const space of spaces) {
    job.change((picture) => move(picture, space))
    announce(job, layout, space)
  }
}

/** The column that holds each row's number in the list, by its id. */
export function positions(
  column: 'feed_id' | 'room_id' | 'category_id',
  places: readonly { id: number; position: number }[],
): RawBuilder<number> {
  const cases = places.map(({ id, position }) => sql`when ${sql.lit(id)} then ${sql.lit(position)}`)
  return sql`case ${sql.ref(column)} ${sql.join(cases, sql` `)} end`
}

async function write(job: Work, spaces: readonly Placed[]): Promise<void> {
  const feeds = spaces.filter(({ type }) => type === 'feed')
  const rooms = spaces.filter(({ type }) => type === 'room')
  const category_id = spaces[0]?.categoryId ?? null
  if (feeds.length > 0)
    await job.db
      .updateTable('feeds')
      .set({ category_id, position: positions('feed_id', feeds) })
      .where('feed_id', 'in', ids(feeds))
      .execute()
  if (rooms.length > 0)
    await job.db
      .updateTable('rooms')
      .set({ category_id, position: positions('room_id', rooms) })
      .where('room_id', 'in', ids(rooms))
      .execute()
}

const ids = (spaces: readonly SpaceRef[]): number[] => spaces.map(({ id }) => id)

function move(picture: Community, { type, id, categoryId, position }: Placed): void {
  const { feeds, rooms } = picture.layout
  const feed = type === 'feed' && feeds.get(id)
  const room = type === 'room' && rooms.get(id)
  if (feed) picture.setFeed({ ...feed, categoryId, position })
  if (room) picture.setRoom({ ...room, categoryId, position })
}

function announce(job: Work, layout: Layout, { type, id, categoryId, position }: Placed): void {
  const audience = { to: 'viewers', space: { type, id } } as const
  const before = (type === 'feed' ? layout.feeds : layout.rooms).get(id)
  const data = { ...(categoryId !== before?.categoryId && { category_id: categoryId }), position }
  if (type === 'feed') job.emit(feedUpdate, { feed_id: id, ...data }, audience)
  else job.emit(roomUpdate, { room_id: id, ...data }, audience)
}
