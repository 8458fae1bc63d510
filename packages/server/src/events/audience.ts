/** A feed or room. */
export interface SpaceRef {
  type: 'feed' | 'room'
  id: number
}

/** Everybody who sees the feed. */
export const viewersOfFeed = (feedId: number): Audience => ({ to: 'viewers', space: { type: 'feed', id: feedId } })

/**
 * Who receives an event (the recipients column of spec 06, section 13). `and` names users who receive it as well,
 * members or not: OWN(u) beside the rest. `except` names users who do not, whatever else is said.
 */
export type Audience = { and?: readonly number[]; except?: readonly number[] } & (
  | { to: 'members' }
  | { to: 'viewers'; space: SpaceRef }
  | { to: 'holders'; permission: bigint }
  | { to: 'users'; users: readonly number[] }
)
