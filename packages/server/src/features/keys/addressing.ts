import type { Community } from '../../community/community.ts'
import type { Work } from '../../events/work.ts'
import type { Services } from '../../services.ts'
import { isPair, participantsOf, shareGroup } from '../dms/participants.ts'
import type { Contents } from './relay.ts'
import { ownersOf } from './welcomes.ts'

/**
 * For whom a relay is beside the sender's own sessions (spec 05, section 13.3): participants of a conversation, whoever
 * sees a feed, or owners of key packages that the sender was given.
 */
export interface Address {
  dmId?: number
  feedId?: number
  others: readonly number[]
  /** A block keeps the two of the conversation apart. */
  isParted?: boolean
}

/**
 * Where a relay goes; undefined if it says nothing of that, so that it is an echo and no more. `dmId`: the conversation
 * that the client names; it counts before what the bytes say.
 */
export async function addressOf(
  job: Work,
  services: Services,
  senderId: number,
  { group, references }: Contents,
  dmId: number | undefined,
): Promise<Address | undefined> {
  const { community } = services
  const place = dmId === undefined ? placeOf(group?.id) : { dmId }
  if (place.dmId !== undefined) return toConversation(job, community, senderId, place.dmId)
  if (place.feedId !== undefined)
    return community.finds(senderId, { type: 'feed', id: place.feedId })
      ? { feedId: place.feedId, others: [] }
      : undefined
  return references && toOwners(job, services, senderId, references)
}

/** A group bears the name of its conversation or feed. */
function placeOf(groupId = ''): { dmId?: number; feedId?: number } {
  const [, kind, digits] = /^(dm|feed):([1-9]\d{0,9})$/.exec(groupId) ?? []
  if (digits === undefined) return {}
  return kind === 'dm' ? { dmId: Number(digits) } : { feedId: Number(digits) }
}

/** A block parts two who are alone; in a group they stay together (spec 05, section 5.4). */
async function toConversation(
  job: Work,
  community: Community,
  senderId: number,
  dmId: number,
): Promise<Address | undefined> {
  const participants = await participantsOf(job.db, dmId)
  if (!participants.includes(senderId)) return undefined
  const others = participants.filter((userId) => userId !== senderId)
  const areApart = others.some((userId) => community.blocks.areApart(senderId, userId)) && (await isPair(job.db, dmId))
  return areApart ? { dmId, others: [], isParted: true } : { dmId, others }
}

/** Other devices of the sender count too: one that sleeps has to find its Welcome. */
async function toOwners(
  job: Work,
  { community, clock }: Services,
  senderId: number,
  references: readonly string[],
): Promise<Address | undefined> {
  const isHeardBy = async (ownerId: number) =>
    !community.blocks.areApart(senderId, ownerId) || (await shareGroup(job.db, senderId, ownerId))
  const owners = await ownersOf(job, { senderId, references, now: clock.now() }, isHeardBy)
  return owners.length > 0 ? { others: owners.filter((ownerId) => ownerId !== senderId) } : undefined
}
