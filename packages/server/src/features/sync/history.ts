import { ApiError, GATEWAY_EVENTS, holds, parseJson, snowflake, snowflakeTime } from '@vox/protocol'
import type { Selectable } from 'kysely'
import type { Community } from '../../community/community.ts'
import type { EventLog } from '../../db/schema.ts'
import type { Services } from '../../services.ts'

const DAY_MS = 86_400_000

/** How long events are kept (spec 06, section 14). */
const KEPT_MS = 7 * DAY_MS

const DEFAULT_PAGE = 500

interface Wanted {
  /** Unix milliseconds. */
  since_timestamp: number
  categories: readonly string[]
  limit?: number
  after?: bigint | null
}

/** An event that was kept. */
type Row = Selectable<EventLog>

/** Names of the events of each category. */
const TYPES = new Map<string, string[]>()
for (const { type, sync } of GATEWAY_EVENTS)
  for (const category of sync) TYPES.set(category, [...(TYPES.get(category) ?? []), type])

/** They name what is gone by its id alone, and whether somebody saw it cannot be told any more. */
const FOR_EVERYBODY = new Set(['feed_delete', 'room_delete', 'thread_delete'])

/** The kept events, as far as their reader may know of them at the time of reading (spec 06, section 14). */
export class EventHistory {
  readonly #services: Services

  constructor(services: Services) {
    this.#services = services
  }

  async since(userId: number, { since_timestamp, categories, limit = DEFAULT_PAGE, after }: Wanted) {
    const { db, clock, config, community, work } = this.#services
    const now = clock.now()
    if (since_timestamp < now - KEPT_MS) throw new ApiError('FULL_SYNC_REQUIRED')
    const types = categories.flatMap(typesOf)
    // Jobs commit one after the other: once an empty one has, no event from before `now` can still turn up.
    await work.run(async () => {})
    const from = snowflake({ timestamp: Math.min(since_timestamp, now + DAY_MS), worker: 0, sequence: 0 })
    const rows =
      types.length === 0
        ? []
        : await db.read
            .selectFrom('event_log')
            .selectAll()
            .where('type', 'in', [...new Set(types)])
            .where('event_id', '>=', from)
            .where('event_id', '>', after ?? 0n)
            .orderBy('event_id')
            .limit(Math.min(limit, config.limits.page_limit_messages))
            .execute()
    return {
      events: rows.filter((row) => mayKnow(community, userId, row)).map(shown),
      server_timestamp: now,
      cursor: rows.at(-1)?.event_id ?? null,
    }
  }

  /** Deletes events that nobody can ask for any more. */
  async forget(): Promise<void> {
    const { work, clock } = this.#services
    const oldest = snowflake({ timestamp: clock.now() - KEPT_MS, worker: 0, sequence: 0 })
    await work.run(async (job) => {
      await job.db.deleteFrom('event_log').where('event_id', '<', oldest).execute()
    })
  }
}

function typesOf(category: string): readonly string[] {
  const types = TYPES.get(category)
  if (!types) throw new ApiError('INVALID_CATEGORY', { message: `There is no sync category ${category}.` })
  return types
}

function mayKnow(community: Community, userId: number, { type, feed_id, room_id, permission }: Row): boolean {
  if (FOR_EVERYBODY.has(type)) return true
  if (feed_id !== null) return community.finds(userId, { type: 'feed', id: feed_id })
  if (room_id !== null) return community.finds(userId, { type: 'room', id: room_id })
  return permission === null || holds(community.permissions(userId), permission)
}

function shown({ event_id, type, payload }: Row) {
  return { type, payload: parseJson(payload) as Record<string, unknown>, timestamp: snowflakeTime(event_id) }
}
