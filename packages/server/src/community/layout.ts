import type { CategoryObject } from '@vox/protocol/endpoints'
import type { Selectable } from 'kysely'
import type { Feeds, Rooms } from '../db/schema.ts'
import type { Override } from './community.ts'

/** A feed with everything but its messages. */
export interface Feed {
  id: number
  name: string
  type: 'text' | 'forum' | 'announcement'
  topic: string | null
  categoryId: number | null
  position: number
  nsfw: boolean
  slowmodeSeconds: number
  /** Of roles first, then of users, each by id. */
  overrides: readonly Override[]
}

/** A room with everything but who is in it. */
export interface Room {
  id: number
  name: string
  type: 'voice' | 'stage'
  topic: string | null
  categoryId: number | null
  position: number
  userLimit: number
  bitrate: number
  /** Of roles first, then of users, each by id. */
  overrides: readonly Override[]
}

/** The feed that a row and its overrides describe. */
export function feedOf(row: Selectable<Feeds>, overrides: readonly Override[]): Feed {
  const { feed_id, category_id, slowmode_seconds, ...rest } = row
  return { id: feed_id, ...rest, categoryId: category_id, slowmodeSeconds: slowmode_seconds, overrides }
}

/** The room that a row and its overrides describe. */
export function roomOf(row: Selectable<Rooms>, overrides: readonly Override[]): Room {
  const { room_id, category_id, user_limit, ...rest } = row
  return { id: room_id, ...rest, categoryId: category_id, userLimit: user_limit, overrides }
}

/** A category. */
export type Category = CategoryObject

/**
 * The feeds, rooms and categories in memory, so that reading the layout, which every client does at every start, asks
 * no database. Bounded by the numbers a server may have of each.
 */
export class Layout {
  readonly feeds = new Map<number, Feed>()
  readonly rooms = new Map<number, Room>()
  readonly categories = new Map<number, Category>()
}

/** Values in the order of the layout: by position, then id. */
export function inOrder<T extends { position: number }>(values: ReadonlyMap<number, T>): T[] {
  return [...values].sort(([idA, a], [idB, b]) => a.position - b.position || idA - idB).map(([, value]) => value)
}
