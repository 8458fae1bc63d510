import { ApiError, messagePinUpdate } from '@vox/protocol'
import type { MessageObject } from '@vox/protocol/endpoints'
import { seconds } from '../../clock.ts'
import { prepared } from '../../db/prepared.ts'
import { viewersOfFeed } from '../../events/audience.ts'
import type { Work } from '../../events/work.ts'
import type { Services } from '../../services.ts'
import { existingFeed } from '../spaces/sight.ts'
import { demandMessage } from './messages.ts'
import { showMessage } from './show.ts'

const pinned = prepared((db, p: { feed_id: number }) =>
  db
    .selectFrom('pins')
    .innerJoin('messages', 'messages.msg_id', 'pins.msg_id')
    .selectAll('messages')
    .select('pinned_at')
    .where('pins.feed_id', '=', p.feed_id)
    .orderBy('pinned_at', 'desc')
    .orderBy('pins.msg_id', 'desc'),
)

/** Pinned messages of feeds (spec 04, section 5). */
export class PinService {
  readonly #services: Services

  constructor(services: Services) {
    this.#services = services
  }

  async list(feedId: number): Promise<MessageObject[]> {
    const { db, community } = this.#services
    existingFeed(community, feedId)
    const rows = await pinned(db.read, { feed_id: feedId })
    return rows.map(({ pinned_at, ...row }) => ({ ...showMessage(row), pinned_at: seconds(pinned_at) }))
  }

  async pin(feed_id: number, msg_id: bigint): Promise<void> {
    const { work, clock, config } = this.#services
    await work.run(async (job) => {
      await demandMessage(job.db, { feed_id }, msg_id)
      const pins = await pinsOf(job, feed_id)
      if (pins.has(msg_id)) return
      if (pins.size >= config.limits.max_pins_per_feed) throw new ApiError('PIN_LIMIT_REACHED')
      await job.db.insertInto('pins').values({ msg_id, feed_id, pinned_at: clock.now() }).execute()
      job.emit(messagePinUpdate, { msg_id, feed_id, pinned: true }, viewersOfFeed(feed_id))
    })
  }

  async unpin(feed_id: number, msg_id: bigint): Promise<void> {
    await this.#services.work.run(async (job) => {
      const unpinned = await job.db
        .deleteFrom('pins')
        .where('msg_id', '=', msg_id)
        .where('feed_id', '=', feed_id)
        .returning('msg_id')
        .executeTakeFirst()
      if (unpinned) job.emit(messagePinUpdate, { msg_id, feed_id, pinned: false }, viewersOfFeed(feed_id))
    })
  }
}

async function pinsOf(job: Work, feedId: number): Promise<ReadonlySet<bigint>> {
  const rows = await job.db.selectFrom('pins').select('msg_id').where('feed_id', '=', feedId).execute()
  return new Set(rows.map(({ msg_id }) => msg_id))
}
