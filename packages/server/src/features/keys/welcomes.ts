import type { Work } from '../../events/work.ts'
import { rememberedSince } from './stock.ts'

/** Welcomes that one handing-out of a package carries to its owner: one is needed, some may be repeated. */
const WELCOMES_PER_HANDOUT = 3

/** A Welcome as far as it is known to whom it goes. */
interface Welcome {
  senderId: number
  references: readonly string[]
  now: number
}

/**
 * Whom a Welcome reaches: the owners of its key packages, each only if the package was handed out to the sender and has
 * not carried too many yet. Otherwise one package would be enough to flood a stranger (spec 05, section 13.3).
 */
export async function ownersOf(
  job: Work,
  welcome: Welcome,
  isHeardBy: (ownerId: number) => Promise<boolean>,
): Promise<number[]> {
  const handouts = await usableHandouts(job, welcome)
  const reached: number[] = []
  for (const [ownerId, usable] of Map.groupBy(handouts, ({ owner_id }) => owner_id)) {
    if (!(await isHeardBy(ownerId))) continue
    reached.push(ownerId)
    await charge(
      job,
      usable.map(({ handout_id }) => handout_id),
    )
  }
  return reached
}

/** One for each package, the oldest. */
async function usableHandouts(job: Work, { senderId, references, now }: Welcome) {
  if (references.length === 0) return []
  const rows = await job.db
    .selectFrom('key_package_handouts')
    .select(['handout_id', 'owner_id', 'reference'])
    .where('reference', 'in', [...new Set(references)])
    .where('receiver_id', '=', senderId)
    .where('welcomes', '<', WELCOMES_PER_HANDOUT)
    .where('handed_at', '>', rememberedSince(now))
    .orderBy('handout_id', 'desc')
    .execute()
  return [...new Map(rows.map((row) => [row.reference, row])).values()]
}

async function charge(job: Work, handoutIds: readonly number[]): Promise<void> {
  await job.db
    .updateTable('key_package_handouts')
    .set((row) => ({ welcomes: row('welcomes', '+', 1) }))
    .where('handout_id', 'in', handoutIds)
    .execute()
}
