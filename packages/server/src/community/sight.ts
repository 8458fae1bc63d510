import { holds, Permission } from '@vox/protocol'
import type { SpaceRef } from '../events/audience.ts'
import type { Community, Override } from './community.ts'
import { inOrder } from './layout.ts'

/** A set of spaces: bit n stands for the nth in the order of the layout. */
export type SpaceSet = bigint

/**
 * Who sees which spaces, as it was at one moment: what remains comparable after roles and overrides have changed.
 *
 * It takes the steps of the resolution (spec 01, section 9.3) for all spaces at once, and only for the two permissions
 * that decide about sight; so it answers for thousands of members and hundreds of spaces in milliseconds.
 */
export class Sight {
  readonly #spaces: readonly SpaceRef[]
  readonly #everyone: number
  readonly #roles: ReadonlyMap<number, bigint>
  readonly #views: Overrides
  readonly #administrators: Overrides
  readonly #all: SpaceSet
  /** What the overrides of roles make of each set of roles. */
  readonly #throughRoles = new WeakMap<readonly number[], Resolved>()

  constructor(community: Community) {
    const { layout } = community
    this.#spaces = [
      ...inOrder(layout.feeds).map(({ id }) => ({ type: 'feed' as const, id })),
      ...inOrder(layout.rooms).map(({ id }) => ({ type: 'room' as const, id })),
    ]
    this.#all = (1n << BigInt(this.#spaces.length)) - 1n
    this.#everyone = [...community.roles()].find(({ builtin }) => builtin)?.id ?? NO_ROLE
    this.#roles = new Map([...community.roles()].map(({ id, permissions }) => [id, permissions]))
    const overrides = this.#spaces.map((space) => community.space(space)?.overrides ?? [])
    this.#views = new Overrides(Permission.VIEW_SPACE, overrides)
    this.#administrators = new Overrides(Permission.ADMINISTRATOR, overrides)
  }

  /** The spaces that a member with these roles sees. The same array is the same set of roles. */
  of(userId: number, roleIds: readonly number[]): SpaceSet {
    const { everything, views, administrators } = this.#resolved(roleIds)
    if (everything) return this.#all
    return this.#views.throughUser(views, userId) | this.#administrators.throughUser(administrators, userId)
  }

  /** The spaces of a set, in the order of the layout. */
  spacesIn(set: SpaceSet): SpaceRef[] {
    const bits = set.toString(2)
    return this.#spaces.filter((_, index) => bits.at(-1 - index) === '1')
  }

  #resolved(roleIds: readonly number[]): Resolved {
    let resolved = this.#throughRoles.get(roleIds)
    if (!resolved) {
      resolved = this.#resolve(roleIds)
      this.#throughRoles.set(roleIds, resolved)
    }
    return resolved
  }

  #resolve(roleIds: readonly number[]): Resolved {
    const held = [this.#everyone, ...roleIds].reduce((set, roleId) => set | (this.#roles.get(roleId) ?? 0n), 0n)
    return {
      everything: holds(held, Permission.ADMINISTRATOR),
      views: this.#views.throughRoles(holds(held, Permission.VIEW_SPACE) ? this.#all : 0n, this.#everyone, roleIds),
      administrators: this.#administrators.throughRoles(0n, this.#everyone, roleIds),
    }
  }
}

const NO_ROLE = 0

/** Where a set of roles has the two permissions that let see. */
interface Resolved {
  /** No override takes anything from an administrator. */
  everything: boolean
  views: SpaceSet
  administrators: SpaceSet
}

/** Where one role or user is allowed and denied a permission. */
interface Mask {
  allow: SpaceSet
  deny: SpaceSet
}

const NOWHERE: Mask = { allow: 0n, deny: 0n }

/** The overrides of one permission in all spaces. */
class Overrides {
  readonly #masks = { role: new Map<number, Mask>(), user: new Map<number, Mask>() }

  constructor(permission: bigint, ofSpaces: readonly (readonly Override[])[]) {
    for (const [index, overrides] of ofSpaces.entries())
      for (const override of overrides)
        if (((override.allow | override.deny) & permission) !== 0n) this.#add(override, permission, 1n << BigInt(index))
  }

  #add({ targetType, targetId, allow, deny }: Override, permission: bigint, space: SpaceSet): void {
    const mask = this.#masks[targetType].get(targetId) ?? NOWHERE
    this.#masks[targetType].set(targetId, {
      allow: holds(allow, permission) ? mask.allow | space : mask.allow,
      deny: holds(deny, permission) ? mask.deny | space : mask.deny,
    })
  }

  throughRoles(start: SpaceSet, everyone: number, roleIds: readonly number[]): SpaceSet {
    const ofRoles = roleIds.map((roleId) => this.#masks.role.get(roleId) ?? NOWHERE)
    const united = ofRoles.reduce((a, b) => ({ allow: a.allow | b.allow, deny: a.deny | b.deny }), NOWHERE)
    return applied(applied(start, this.#masks.role.get(everyone)), united)
  }

  throughUser(start: SpaceSet, userId: number): SpaceSet {
    return applied(start, this.#masks.user.get(userId))
  }
}

const applied = (set: SpaceSet, { allow, deny }: Mask = NOWHERE): SpaceSet => (set & ~deny) | allow
