import { ApiError } from '@vox/protocol'
import type { Feed, Layout, Room } from '../../community/layout.ts'
import type { SpaceRef } from '../../events/audience.ts'

/** A feed or room with its place. */
export interface Placed extends SpaceRef {
  categoryId: number | null
  position: number
}

/** Where a space is to go; what is left out stays. */
export interface Wish {
  category_id?: number | null
  position?: number
}

/** Where a space goes, and which others have to make room. */
export interface Move {
  categoryId: number | null
  position: number
  siblings: Placed[]
}

/**
 * The feeds and rooms of one category, or those without any, in their order: by position; at the same position feeds
 * before rooms; then by id (spec 03, section 11).
 */
export function group({ feeds, rooms }: Layout, categoryId: number | null): Placed[] {
  const placed = [...[...feeds.values()].map(placedFeed), ...[...rooms.values()].map(placedRoom)]
  return placed
    .filter((space) => space.categoryId === categoryId)
    .sort((a, b) => a.position - b.position || a.type.localeCompare(b.type) || a.id - b.id)
}

export const placedFeed = ({ id, categoryId, position }: Feed): Placed => ({ type: 'feed', id, categoryId, position })
export const placedRoom = ({ id, categoryId, position }: Room): Placed => ({ type: 'room', id, categoryId, position })

/** The position after the last space of a group. */
export function endOf(layout: Layout, categoryId: number | null): number {
  return Math.max(-1, ...group(layout, categoryId).map(({ position }) => position)) + 1
}

/** Throws `SPACE_NOT_FOUND` unless there is such a category; none at all is fine. */
export function demandCategory({ categories }: Layout, categoryId: number | null): void {
  if (categoryId !== null && !categories.has(categoryId))
    throw new ApiError('SPACE_NOT_FOUND', { message: `There is no category ${categoryId}.` })
}

/** The move that a wish comes down to; undefined when the space stays where it is. */
export function move(
  layout: Layout,
  space: Placed,
  { category_id = space.categoryId, position }: Wish,
): Move | undefined {
  demandCategory(layout, category_id)
  if (position !== undefined) return insert(layout, space, category_id, position)
  if (category_id === space.categoryId) return undefined
  return { categoryId: category_id, position: endOf(layout, category_id), siblings: [] }
}

/** Puts the space in at an index of a group. */
function insert(layout: Layout, space: Placed, categoryId: number | null, index: number): Move {
  const others = group(layout, categoryId).filter(({ type, id }) => type !== space.type || id !== space.id)
  return { categoryId, ...makeRoom(others, index) }
}

/**
 * Where something lands that is put into an ordered list at an index, when the whole list is numbered from 0 afterwards;
 * with those others whose number changes. An index beyond either end is that end.
 */
export function makeRoom<T extends { position: number }>(others: readonly T[], index: number) {
  const position = Math.min(Math.max(index, 0), others.length)
  const siblings = others
    .map((other, at) => ({ ...other, position: at < position ? at : at + 1 }))
    .filter((other, at) => other.position !== others[at]?.position)
  return { position, siblings }
}
