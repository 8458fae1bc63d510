import type { Community } from '../../community/community.ts'
import { type Audience, viewersOfFeed } from '../../events/audience.ts'
import { type Conversation, everyoneIn, idsOf } from '../dms/conversation.ts'

/** What a message belongs to by its id: a feed, threads included, or a conversation. */
export type HomeKey = { feed_id: number } | { dm_id: number }

/** What a message belongs to; of a conversation one has to know who takes part in it. */
export type Home = { feed_id: number } | Conversation

export const isConversation = (home: Home): home is Conversation => 'dm_id' in home

/** The key by which events and rows name it. */
export const keyOf = (home: HomeKey): HomeKey => ('dm_id' in home ? { dm_id: home.dm_id } : { feed_id: home.feed_id })

/** Everybody who sees what is in it. */
export const audienceOf = (home: Home): Audience =>
  isConversation(home) ? everyoneIn(home) : viewersOfFeed(home.feed_id)

/**
 * Whether a user is to be notified of what somebody else does there (spec 04, section 13): sees it, and is not kept
 * apart from them. In a feed only the user's own block does that, in a conversation either one (spec 05, section 5.4).
 */
export function hearsOf(community: Community, home: Home, userId: number, actorId: number): boolean {
  const { blocks } = community
  if (isConversation(home)) return idsOf(home).includes(userId) && !blocks.areApart(userId, actorId)
  return community.sees(userId, { type: 'feed', id: home.feed_id }) && !blocks.hasBlocked(userId, actorId)
}
