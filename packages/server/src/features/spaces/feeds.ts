import { feedCreate, feedDelete, feedSubscribe, feedUnsubscribe, feedUpdate, type Static } from '@vox/protocol'
import type { createFeed, editFeed, FeedObject } from '@vox/protocol/endpoints'
import type { Kysely } from 'kysely'
import { type Feed, feedOf, inOrder } from '../../community/layout.ts'
import { prepared } from '../../db/prepared.ts'
import type { Schema } from '../../db/schema.ts'
import type { SpaceRef } from '../../events/audience.ts'
import { feedCreateData } from '../../events/spaces.ts'
import { cleared, isEmpty } from '../../patches.ts'
import type { Services } from '../../services.ts'
import type { Erasure } from '../messages/erasure.ts'
import { checkCreation, demandSpaceManager } from './creation.ts'
import { closeFeed, eraseDeletedFeeds } from './deleted-feeds.ts'
import { feedObject } from './objects.ts'
import { move, placedFeed } from './order.ts'
import { insertOverrides } from './overrides.ts'
import { place } from './places.ts'
import { visibleFeed } from './sight.ts'

type NewFeed = Static<NonNullable<typeof createFeed.body>>
type FeedPatch = Static<NonNullable<typeof editFeed.body>>

const ref = (id: number): SpaceRef => ({ type: 'feed', id })
const viewersOf = (id: number) => ({ to: 'viewers', space: ref(id) }) as const

/** Feeds (spec 03, section 12). */
export class FeedService {
  readonly #services: Services
  readonly #erasure: Erasure

  constructor(services: Services) {
    this.#services = services
    this.#erasure = eraseDeletedFeeds(services)
  }

  /** The feeds the user sees, in order; `subscribed` are those to which the user subscribes. */
  list(userId: number, subscribed: ReadonlySet<number>): FeedObject[] {
    const { community } = this.#services
    return inOrder(community.layout.feeds)
      .filter(({ id }) => community.sees(userId, ref(id)))
      .map((feed) => feedObject(feed, subscribed.has(feed.id)))
  }

  get(userId: number, feedId: number): Promise<FeedObject> {
    return this.#shown(userId, visibleFeed(this.#services.community, userId, feedId))
  }

  create(callerId: number, wanted: NewFeed): Promise<FeedObject> {
    const { work, community } = this.#services
    return work.run(async (job) => {
      const { place: where, overrides } = await checkCreation(job, community, callerId, wanted)
      const { category_id: _category, permission_overrides: _overrides, ...fields } = cleared(wanted, 'topic')
      const values = { topic: null, ...fields, ...where }
      const row = await job.db.insertInto('feeds').values(values).returningAll().executeTakeFirstOrThrow()
      const feed = feedOf(row, overrides)
      await insertOverrides(job, ref(feed.id), overrides)
      job.change((picture) => picture.setFeed(feed))
      job.emit(feedCreate, feedCreateData(feed), viewersOf(feed.id))
      job.audit({ type: 'feed.create', actor: callerId, target: feed.id })
      return feedObject(feed, false)
    })
  }

  async edit(callerId: number, feedId: number, patch: FeedPatch): Promise<FeedObject> {
    const { work, community } = this.#services
    const edited = await work.run(async (job) => {
      demandSpaceManager(community, callerId)
      const feed = visibleFeed(community, callerId, feedId)
      if (isEmpty(patch)) return feed
      const { category_id, position, ...fields } = cleared(patch, 'topic')
      const moved = move(community.layout, placedFeed(feed), patch)
      const row = await job.db
        .updateTable('feeds')
        .set({
          ...fields,
          category_id: moved ? moved.categoryId : feed.categoryId,
          position: moved?.position ?? feed.position,
        })
        .where('feed_id', '=', feedId)
        .returningAll()
        .executeTakeFirstOrThrow()
      const after = feedOf(row, feed.overrides)
      job.change((picture) => picture.setFeed(after))
      const whereTo = { ...(category_id !== undefined && { category_id }), ...(moved && { position: moved.position }) }
      job.emit(feedUpdate, { feed_id: feedId, ...fields, ...whereTo }, viewersOf(feedId))
      if (moved) await place(job, community.layout, moved.siblings)
      job.audit({ type: 'feed.update', actor: callerId, target: feedId, metadata: cleared(patch, 'topic') })
      return after
    })
    return this.#shown(callerId, edited)
  }

  /** Deletes the feed with everything in it; of that nobody sees anything any more, however long erasing it takes. */
  delete(callerId: number, feedId: number): Promise<void> {
    const { work, community } = this.#services
    return work.run(async (job) => {
      demandSpaceManager(community, callerId)
      const { name } = visibleFeed(community, callerId, feedId)
      const isGone = await this.#erasure.erase(job, feedId)
      if (!isGone) await closeFeed(job, feedId)
      job.emit(feedDelete, { feed_id: feedId }, viewersOf(feedId))
      job.change((picture) => (isGone ? picture.deleteSpace(ref(feedId)) : picture.closeFeed(feedId)))
      job.audit({ type: 'feed.delete', actor: callerId, target: feedId, metadata: { name } })
    })
  }

  subscribe(userId: number, feedId: number): Promise<void> {
    const { work, community } = this.#services
    const row = { feed_id: feedId, user_id: userId }
    return work.run(async (job) => {
      visibleFeed(community, userId, feedId)
      await job.db
        .insertInto('feed_subscribers')
        .values(row)
        .onConflict((present) => present.doNothing())
        .execute()
      job.emit(feedSubscribe, row, { to: 'users', users: [userId] })
    })
  }

  unsubscribe(userId: number, feedId: number): Promise<void> {
    const { work, community } = this.#services
    return work.run(async (job) => {
      visibleFeed(community, userId, feedId)
      await job.db.deleteFrom('feed_subscribers').where('feed_id', '=', feedId).where('user_id', '=', userId).execute()
      job.emit(feedUnsubscribe, { feed_id: feedId, user_id: userId }, { to: 'users', users: [userId] })
    })
  }

  async #shown(userId: number, feed: Feed): Promise<FeedObject> {
    const subscribed = await subscriptionsOf(this.#services.db.read, userId)
    return feedObject(feed, subscribed.has(feed.id))
  }
}

const feedsOfSubscriber = prepared((db, p: { user_id: number }) =>
  db.selectFrom('feed_subscribers').select('feed_id').where('user_id', '=', p.user_id),
)

/** Ids of the feeds the user subscribes to. */
export async function subscriptionsOf(db: Kysely<Schema>, userId: number): Promise<ReadonlySet<number>> {
  const rows = await feedsOfSubscriber(db, { user_id: userId })
  return new Set(rows.map(({ feed_id }) => feed_id))
}
