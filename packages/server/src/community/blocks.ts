const NOBODY: ReadonlySet<number> = new Set()

/** Who has blocked whom. Presence, typing and notifications ask for every event, so the answers are in memory. */
export class Blocks {
  readonly #blockedBy = new Map<number, Set<number>>()
  readonly #blockersOf = new Map<number, Set<number>>()

  hasBlocked(ownerId: number, targetId: number): boolean {
    return this.blockedBy(ownerId).has(targetId)
  }

  /** Whether either of the two has blocked the other. */
  areApart(userId: number, otherId: number): boolean {
    return this.hasBlocked(userId, otherId) || this.hasBlocked(otherId, userId)
  }

  /** Users whom this one has blocked. */
  blockedBy(ownerId: number): ReadonlySet<number> {
    return this.#blockedBy.get(ownerId) ?? NOBODY
  }

  /** Users who have blocked this one. */
  blockersOf(targetId: number): ReadonlySet<number> {
    return this.#blockersOf.get(targetId) ?? NOBODY
  }

  /** Users who are apart from this one, whoever has blocked whom. */
  apartFrom(userId: number): ReadonlySet<number> {
    return this.blockedBy(userId).union(this.blockersOf(userId))
  }

  add(ownerId: number, targetId: number): void {
    put(this.#blockedBy, ownerId, targetId)
    put(this.#blockersOf, targetId, ownerId)
  }

  delete(ownerId: number, targetId: number): void {
    take(this.#blockedBy, ownerId, targetId)
    take(this.#blockersOf, targetId, ownerId)
  }
}

function put(sets: Map<number, Set<number>>, key: number, value: number): void {
  const set = sets.get(key)
  if (set) set.add(value)
  else sets.set(key, new Set([value]))
}

function take(sets: Map<number, Set<number>>, key: number, value: number): void {
  const set = sets.get(key)
  set?.delete(value)
  if (set?.size === 0) sets.delete(key)
}
