import type { Work } from '../../events/work.ts'
import type { Relay } from './relay.ts'

/** Epochs of one group that are remembered (spec 05, section 13.3). */
const MAX_EPOCHS = 256

/*
 * The order of commits: of those made for one epoch of a conversation's group the first one wins. A commit for epoch 0
 * announces that the group has been created, perhaps again, so with it the record starts afresh.
 */

/** An epoch of the group of a conversation. */
export interface Place {
  dmId: number
  epoch: bigint
}

/** The commit that has won this epoch already. */
export async function winnerOf(job: Work, { dmId, epoch }: Place): Promise<Relay | undefined> {
  if (epoch === 0n) return undefined
  return job.db
    .selectFrom('dm_commits')
    .innerJoin('relays', 'relays.relay_id', 'dm_commits.relay_id')
    .selectAll('relays')
    .where('dm_commits.dm_id', '=', dmId)
    .where('epoch', '=', stored(epoch))
    .executeTakeFirst()
}

/** The relay is the commit that has won this epoch. */
export async function win(job: Work, { dmId, epoch }: Place, relayId: bigint): Promise<void> {
  if (epoch === 0n) {
    await job.db.deleteFrom('dm_commits').where('dm_id', '=', dmId).execute()
    return
  }
  await job.db
    .insertInto('dm_commits')
    .values({ dm_id: dmId, epoch: stored(epoch), relay_id: relayId })
    .execute()
  await job.db
    .deleteFrom('dm_commits')
    .where('dm_id', '=', dmId)
    .where('relay_id', '<=', ({ selectFrom }) =>
      selectFrom('dm_commits')
        .select('relay_id')
        .where('dm_id', '=', dmId)
        .orderBy('relay_id', 'desc')
        .limit(1)
        .offset(MAX_EPOCHS),
    )
    .execute()
}

/** Every epoch of the groups of the user's conversations is free again. */
export async function forgetEpochsOf(job: Work, userId: number): Promise<void> {
  await job.db
    .deleteFrom('dm_commits')
    .where('dm_id', 'in', ({ selectFrom }) =>
      selectFrom('dm_participants').select('dm_id').where('user_id', '=', userId),
    )
    .execute()
}

/** Databases know signed integers only. */
const stored = (epoch: bigint): bigint => BigInt.asIntN(64, epoch)
