import type { Work } from '../../events/work.ts'

const HOUR_MS = 3_600_000

/** Keys of one kind that one user may take from another within an hour (spec 05, sections 8.2 and 9.2). */
const PER_HOUR = 60

/** Since when what was taken counts towards the hourly limit. */
export const hourBefore = (now: number): number => now - HOUR_MS

/** How many keys the receiver may still take from the owner at the moment; without bound from oneself. */
export async function keysLeft(
  job: Work,
  table: 'prekey_handouts' | 'key_package_handouts',
  { receiverId, ownerId, now }: { receiverId: number; ownerId: number; now: number },
): Promise<number> {
  if (receiverId === ownerId) return Number.POSITIVE_INFINITY
  let taken = job.db
    .selectFrom(table as 'key_package_handouts')
    .select(({ fn }) => fn.countAll<number>().as('count'))
    .where('receiver_id', '=', receiverId)
    .where('owner_id', '=', ownerId)
    .where('handed_at', '>', hourBefore(now))
  if (table === 'key_package_handouts') taken = taken.where('last_resort', '=', false)
  const { count } = await taken.executeTakeFirstOrThrow()
  return Math.max(0, PER_HOUR - count)
}
