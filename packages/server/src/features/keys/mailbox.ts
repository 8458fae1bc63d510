import { snowflake } from '@vox/protocol'
import { type Kysely, type SelectQueryBuilder, sql } from 'kysely'
import { among } from '../../db/prepared.ts'
import type { Schema } from '../../db/schema.ts'
import type { Work } from '../../events/work.ts'
import type { Services } from '../../services.ts'
import type { Address } from './addressing.ts'
import type { Relay } from './relay.ts'

/** How long relays are kept (spec 05, section 13.4). */
const KEPT_MS = 30 * 86_400_000

/** Relays that are kept per recipient or feed; and per sender, where others would have to give way. */
export const MAX_KEPT = 1000
export const MAX_PER_SENDER = 200

/** Below this no relay is kept any more. */
const oldestKept = (now: number): bigint => snowflake({ timestamp: now - KEPT_MS, worker: 0, sequence: 0 })

/*
 * What is kept of relays, so that devices that were away can catch up. A relay is written once. Its recipients find it
 * by a row of their own; those of an encrypted feed, who may be all members, by the feed.
 */

export async function keep(job: Work, relay: Relay, { others }: Address): Promise<void> {
  const { relay_id, sender_id, feed_id } = relay
  await job.db.insertInto('relays').values(relay).execute()
  if (feed_id !== null) return makeRoomInFeed(job, feed_id)
  const recipients = [sender_id, ...others]
  await job.db
    .insertInto('relay_recipients')
    .values(recipients.map((user_id) => ({ user_id, relay_id, sender_id })))
    .execute()
  await makeRoomFor(job, recipients)
}

/** Ids of the relays after this one that the user has sent or received, and of those in feeds that the user sees now. */
export function readableIds({ db: { read }, clock, community }: Services, userId: number, after: bigint) {
  const oldest = oldestKept(clock.now())
  const beyond = after < oldest ? oldest - 1n : after
  const seen = [...community.layout.feeds.keys()].filter((id) => community.sees(userId, { type: 'feed', id }))
  const inFeeds = read
    .selectFrom('relays')
    .select('relay_id')
    .where(among(read, sql.ref('feed_id'), seen))
    .where('relay_id', '>', beyond)
  return read
    .selectFrom('relay_recipients')
    .select('relay_id')
    .where('user_id', '=', userId)
    .where('relay_id', '>', beyond)
    .unionAll(inFeeds)
}

/** Removes relays that are too old. */
export async function removeOld(job: Work, now: number): Promise<void> {
  const oldest = oldestKept(now)
  await job.db.deleteFrom('relay_recipients').where('relay_id', '<', oldest).execute()
  await unneeded(job).where('relay_id', '<', oldest).execute()
}

async function makeRoomFor(job: Work, recipients: readonly number[]): Promise<void> {
  const full = await job.db
    .selectFrom('relay_recipients')
    .select('user_id')
    .where('user_id', 'in', recipients)
    .groupBy('user_id')
    .having(({ fn }) => fn.countAll(), '>', MAX_KEPT)
    .execute()
  for (const { user_id } of full) {
    const relayId = await surplus(job, (db) =>
      db.selectFrom('relay_recipients').select(['relay_id', 'sender_id']).where('user_id', '=', user_id),
    )
    await job.db.deleteFrom('relay_recipients').where('user_id', '=', user_id).where('relay_id', '=', relayId).execute()
    await unneeded(job).where('relay_id', '=', relayId).execute()
  }
}

async function makeRoomInFeed(job: Work, feedId: number): Promise<void> {
  const entries = (db: Kysely<Schema>) =>
    db.selectFrom('relays').select(['relay_id', 'sender_id']).where('feed_id', '=', feedId)
  const { count } = await job.db
    .selectFrom(entries(job.db).as('entry'))
    .select(({ fn }) => fn.countAll<number>().as('count'))
    .executeTakeFirstOrThrow()
  if (count <= MAX_KEPT) return
  await job.db
    .deleteFrom('relays')
    .where('relay_id', '=', await surplus(job, entries))
    .execute()
}

type Entries = (db: Kysely<Schema>) => SelectQueryBuilder<Schema, never, { relay_id: bigint; sender_id: number }>

/** Which entry has to go: the oldest of those whose senders have too many, or else of all. */
async function surplus({ db }: Work, entries: Entries): Promise<bigint> {
  const oldest = db.selectFrom(entries(db).as('entry')).select('relay_id').orderBy('relay_id').limit(1)
  const flooded = await oldest
    .where('sender_id', 'in', (query) =>
      query
        .selectFrom(entries(db).as('counted'))
        .select('counted.sender_id')
        .groupBy('counted.sender_id')
        .having(({ fn }) => fn.countAll(), '>', MAX_PER_SENDER),
    )
    .executeTakeFirst()
  return (flooded ?? (await oldest.executeTakeFirstOrThrow())).relay_id
}

/** Deletes relays without any recipient, except commits that are remembered as winners. */
const unneeded = ({ db }: Work) =>
  db
    .deleteFrom('relays')
    .where(({ not, exists, selectFrom }) =>
      not(
        exists(
          selectFrom('relay_recipients')
            .select('user_id')
            .whereRef('relay_recipients.relay_id', '=', 'relays.relay_id'),
        ),
      ),
    )
    .where(({ not, exists, selectFrom }) =>
      not(exists(selectFrom('dm_commits').select('epoch').whereRef('dm_commits.relay_id', '=', 'relays.relay_id'))),
    )
