import { ALL_PERMISSIONS, holds, Permission } from '@vox/protocol'
import type { Audience, SpaceRef } from '../events/audience.ts'
import { Accounts } from './accounts.ts'
import { Blocks } from './blocks.ts'
import { ChangedUsers } from './changed-users.ts'
import { type Feed, Layout, type Room } from './layout.ts'
import { Sight } from './sight.ts'

/** A role as far as permissions are concerned; names and colours live in the database. */
export interface Role {
  id: number
  position: number
  permissions: bigint
  /** `@everyone`: applies to every member without assignment. */
  builtin: boolean
}

/** What one role or user is allowed and denied in one space. */
export interface Override {
  targetType: 'role' | 'user'
  targetId: number
  allow: bigint
  deny: bigint
}

/** A feed or room as far as permissions are concerned. */
export interface Space extends SpaceRef {
  overrides: readonly Override[]
}

/**
 * The in-memory picture of who is a member, who holds which roles, and which spaces override what. It answers every
 * permission and audience question without a query.
 *
 * It changes only in the effects of committed transactions, in commit order, so it always equals what a
 * from-scratch resolution over the database would give. Most members share their set of roles with many others:
 * what a set of roles may do is worked out once per set (`RoleSet`), and members point to their set; what it may do in
 * a space, that space remembers for a bounded number of sets. Overrides that name a single user are the exception and
 * are resolved for that user alone.
 */
export class Community {
  readonly #roles = new Map<number, Role>()
  /** Deleted feeds whose messages are still there. */
  readonly #closedFeeds = new Set<number>()
  readonly #spaces = { feed: new Map<number, IndexedSpace>(), room: new Map<number, IndexedSpace>() }
  readonly #members = new Map<number, RoleSet>()
  readonly #roleSets = new Map<string, RoleSet>()
  #everyone: Role | undefined
  /** Names, order and the like of what `space` knows the permissions of. */
  readonly layout = new Layout()
  /** Who is banned, a bot or of another server. */
  readonly accounts = new Accounts()
  readonly blocks = new Blocks()
  /** For whom the answers about permissions and audiences have changed. */
  readonly changed = new ChangedUsers()
  #sight: Sight | undefined

  // --- questions ---------------------------------------------------------------------------------------------------

  /** Whether the user is an active member. */
  isMember(userId: number): boolean {
    return this.#members.has(userId)
  }

  /** Whether somebody is there to be asked: an active member, or a user of another server who is not banned. */
  isReachable(userId: number): boolean {
    return this.isMember(userId) || (this.accounts.remote.has(userId) && !this.accounts.banned.has(userId))
  }

  /** Ids of the active members, in no particular order. */
  memberIds(): Iterable<number> {
    return this.#members.keys()
  }

  /** Number of active members of this server; guests are not counted. */
  get memberCount(): number {
    const guests = [...this.accounts.remote].filter((userId) => this.isMember(userId))
    return this.#members.size - guests.length
  }

  role(roleId: number): Role | undefined {
    return this.#roles.get(roleId)
  }

  roles(): Iterable<Role> {
    return this.#roles.values()
  }

  space(space: SpaceRef): Space | undefined {
    return this.#indexed(space)?.space
  }

  /** Ids of the roles assigned to the member, ascending; without `@everyone`. */
  roleIds(userId: number): readonly number[] {
    return this.#members.get(userId)?.ids ?? []
  }

  /** The smallest position among the member's roles; without roles, below everybody. */
  rank(userId: number): number {
    return this.#members.get(userId)?.rank(this.#roles) ?? Number.POSITIVE_INFINITY
  }

  /** Resolved permissions at server level; 0 for anybody who is not an active member (spec 01, section 9.3). */
  permissions(userId: number): bigint {
    return this.#members.get(userId)?.permissions(this.#roles, this.#everyone) ?? 0n
  }

  /**
   * Resolved permissions within a space: 0 without `VIEW_SPACE` there. An unknown space resolves like one without
   * overrides, so that a refusal does not tell whether it exists (spec 01, section 2.3). In a feed that is being erased
   * nobody may do anything: what is left of it must not be seen.
   */
  permissionsIn(userId: number, ref: SpaceRef): bigint {
    const set = this.#members.get(userId)
    if (!set) return 0n
    const indexed = this.#indexed(ref)
    const base = set.permissions(this.#roles, this.#everyone)
    if (!indexed) return this.#isClosed(ref) ? 0n : visible(base)
    if (base === ALL_PERMISSIONS) return visible(base)
    const own = indexed.userOverrides.get(userId)
    if (own) return visible(applied(this.#throughRoles(set, base, indexed), own.allow, own.deny))
    let resolved = indexed.resolved.get(set)
    if (resolved === undefined) {
      resolved = visible(this.#throughRoles(set, base, indexed))
      indexed.remember(set, resolved)
    }
    return resolved
  }

  /** Whether the user sees the space. */
  sees(userId: number, space: SpaceRef): boolean {
    return (this.permissionsIn(userId, space) & Permission.VIEW_SPACE) !== 0n
  }

  /** Who sees which spaces with the roles and overrides of this moment. */
  get sight(): Sight {
    this.#sight ??= new Sight(this)
    return this.#sight
  }

  /** Whether there is such a space, as far as the user may know. */
  finds(userId: number, space: SpaceRef): boolean {
    return this.#indexed(space) !== undefined && this.sees(userId, space)
  }

  /** Whether an event for this audience is for this user. */
  includes(audience: Audience, userId: number): boolean {
    if (audience.except?.includes(userId)) return false
    return audience.and?.includes(userId) === true || this.#belongs(audience, userId)
  }

  #belongs(audience: Audience, userId: number): boolean {
    switch (audience.to) {
      case 'members':
        return this.isMember(userId)
      case 'viewers':
        return this.sees(userId, audience.space)
      case 'holders':
        return holds(this.permissions(userId), audience.permission)
      case 'users':
        return audience.users.includes(userId)
    }
  }

  /** Steps 4a and 4b of the resolution: the override of `@everyone`, then those of the roles, united. */
  #throughRoles(set: RoleSet, base: bigint, { roleOverrides }: IndexedSpace): bigint {
    if (roleOverrides.size === 0) return base
    const everyone = this.#everyone && roleOverrides.get(this.#everyone.id)
    const start = everyone ? applied(base, everyone.allow, everyone.deny) : base
    let allow = 0n
    let deny = 0n
    for (const roleId of set.ids) {
      const override = roleOverrides.get(roleId)
      if (!override) continue
      allow |= override.allow
      deny |= override.deny
    }
    return applied(start, allow, deny)
  }

  // --- changes: effects of committed transactions -------------------------------------------------------------------

  /** Adds a role or replaces the one with this id. */
  setRole(role: Role): void {
    this.#roles.set(role.id, role)
    if (role.builtin) this.#everyone = role
    this.#forgetResolved()
  }

  /** Removes a role with its assignments and overrides. */
  deleteRole(roleId: number): void {
    this.#roles.delete(roleId)
    for (const [userId, set] of this.#members)
      if (set.ids.includes(roleId))
        this.setMember(
          userId,
          set.ids.filter((id) => id !== roleId),
        )
    for (const feed of this.layout.feeds.values()) this.setFeed(withoutRole(feed, roleId))
    for (const room of this.layout.rooms.values()) this.setRoom(withoutRole(room, roleId))
    this.#forgetResolved()
  }

  /** Makes the user an active member with exactly these roles. */
  setMember(userId: number, roleIds: readonly number[]): void {
    const set = this.#roleSet(roleIds)
    set.members++
    this.changed.add(userId)
    this.deleteMember(userId)
    this.#members.set(userId, set)
  }

  /** The user is no active member any more. */
  deleteMember(userId: number): void {
    const set = this.#members.get(userId)
    if (!set) return
    this.#members.delete(userId)
    this.changed.add(userId)
    if (--set.members === 0) this.#roleSets.delete(set.key)
  }

  /** Adds a feed or replaces the one with this id. */
  setFeed(feed: Feed): void {
    this.layout.feeds.set(feed.id, feed)
    this.#setSpace({ type: 'feed', id: feed.id, overrides: feed.overrides })
  }

  /** Adds a room or replaces the one with this id. */
  setRoom(room: Room): void {
    this.layout.rooms.set(room.id, room)
    this.#setSpace({ type: 'room', id: room.id, overrides: room.overrides })
  }

  deleteSpace({ type, id }: SpaceRef): void {
    this.changed.addAll()
    this.#sight = undefined
    this.#spaces[type].delete(id)
    if (type === 'feed') this.layout.feeds.delete(id)
    else this.layout.rooms.delete(id)
  }

  /** Deletes a feed whose messages are still there. */
  closeFeed(id: number): void {
    this.deleteSpace({ type: 'feed', id })
    this.#closedFeeds.add(id)
  }

  /** The last message of a closed feed is gone. */
  forgetFeed(id: number): void {
    this.changed.addAll()
    this.#closedFeeds.delete(id)
  }

  #setSpace(space: Space): void {
    this.changed.addAll()
    this.#sight = undefined
    this.#spaces[space.type].set(space.id, new IndexedSpace(space))
  }

  #isClosed({ type, id }: SpaceRef): boolean {
    return type === 'feed' && this.#closedFeeds.has(id)
  }

  #indexed({ type, id }: SpaceRef): IndexedSpace | undefined {
    return this.#spaces[type].get(id)
  }

  #allSpaces(): IndexedSpace[] {
    return [...this.#spaces.feed.values(), ...this.#spaces.room.values()]
  }

  #roleSet(roleIds: readonly number[]): RoleSet {
    const ids = [...new Set(roleIds)].sort((a, b) => a - b)
    const key = ids.join(',')
    let set = this.#roleSets.get(key)
    if (!set) {
      set = new RoleSet(key, ids)
      this.#roleSets.set(key, set)
    }
    return set
  }

  #forgetResolved(): void {
    this.changed.addAll()
    this.#sight = undefined
    for (const set of this.#roleSets.values()) set.forget()
    for (const space of this.#allSpaces()) space.resolved.clear()
  }
}

/** How many sets of roles a space remembers; beyond, it starts afresh, so that memory stays bounded. */
const MAX_REMEMBERED = 1024

/** A space with its overrides where they can be found by target. */
class IndexedSpace {
  readonly space: Space
  readonly roleOverrides = new Map<number, Override>()
  readonly userOverrides = new Map<number, Override>()
  /** Resolved permissions of members without an override of their own. */
  readonly resolved = new Map<RoleSet, bigint>()

  constructor(space: Space) {
    this.space = space
    for (const override of space.overrides)
      (override.targetType === 'role' ? this.roleOverrides : this.userOverrides).set(override.targetId, override)
  }

  remember(set: RoleSet, resolved: bigint): void {
    if (this.resolved.size >= MAX_REMEMBERED) this.resolved.clear()
    this.resolved.set(set, resolved)
  }
}

/** Members with the same roles can do the same things; what that is, is worked out here once. */
class RoleSet {
  readonly key: string
  readonly ids: readonly number[]
  /** How many members share it; with the last one it goes. */
  members = 0
  #permissions: bigint | undefined
  #rank: number | undefined

  constructor(key: string, ids: readonly number[]) {
    this.key = key
    this.ids = ids
  }

  permissions(roles: ReadonlyMap<number, Role>, everyone: Role | undefined): bigint {
    this.#permissions ??= administratorsHoldAll(
      this.ids.reduce((set, id) => set | (roles.get(id)?.permissions ?? 0n), everyone?.permissions ?? 0n),
    )
    return this.#permissions
  }

  rank(roles: ReadonlyMap<number, Role>): number {
    this.#rank ??= this.ids.reduce(
      (rank, id) => Math.min(rank, roles.get(id)?.position ?? rank),
      Number.POSITIVE_INFINITY,
    )
    return this.#rank
  }

  forget(): void {
    this.#permissions = undefined
    this.#rank = undefined
  }
}

const administratorsHoldAll = (set: bigint): bigint => (holds(set, Permission.ADMINISTRATOR) ? ALL_PERMISSIONS : set)

const withoutRole = <T extends Feed | Room>(space: T, roleId: number): T => ({
  ...space,
  overrides: space.overrides.filter(({ targetType, targetId }) => targetType !== 'role' || targetId !== roleId),
})

/** Removes what is denied, then adds what is allowed. */
const applied = (set: bigint, allow: bigint, deny: bigint): bigint => (set & ~deny) | allow

function visible(set: bigint): bigint {
  const resolved = administratorsHoldAll(set)
  return holds(resolved, Permission.VIEW_SPACE) ? resolved : 0n
}
