import type { Community } from '../community/community.ts'
import type { SpaceSet } from '../community/sight.ts'
import type { SpaceRef } from './audience.ts'
import type { EventBus, Published } from './bus.ts'
import { appearance, disappearance } from './spaces.ts'

/** Users who could see a space before a change or can see it since. */
interface Flip {
  space: SpaceRef
  lost: number[]
  gained: number[]
}

interface Surroundings {
  community: Community
  bus: EventBus
}

/**
 * Tells users of spaces that appear or vanish for them alone (spec 06, section 12.7). Nobody but those who have a
 * gateway session is looked at: all others read the layout when they come.
 */
export class SightNotices {
  readonly #surroundings: Surroundings

  constructor(surroundings: Surroundings) {
    this.#surroundings = surroundings
  }

  /**
   * Makes a change of permissions and publishes its event, also to those who could see the event's space until now; then
   * tells everybody for whom a space has appeared or vanished. `affected` are the users whom the change can concern, if
   * they are known.
   */
  publish(effect: (community: Community) => void, own: Published, affected?: readonly number[]): void {
    const { community, bus } = this.#surroundings
    const before = look(community, affected ?? bus.listeners())
    effect(community)
    const flips = compare(community, before)
    bus.publish({ ...own, audience: { ...own.audience, and: losersOf(own, flips) } })
    for (const { space, lost, gained } of flips) {
      if (lost.length > 0) bus.publish({ ...disappearance(space), audience: { to: 'users', users: lost } })
      const appeared = gained.length > 0 && appearance(community.layout, space)
      if (appeared) bus.publish({ ...appeared, audience: { to: 'users', users: gained } })
    }
  }
}

type Seen = ReadonlyMap<number, SpaceSet>

function look(community: Community, userIds: Iterable<number>): Seen {
  const { sight } = community
  const seenBy = (userId: number) => (community.isMember(userId) ? sight.of(userId, community.roleIds(userId)) : 0n)
  return new Map([...userIds].map((userId) => [userId, seenBy(userId)]))
}

/** In the order of the layout. Users for whom the same spaces have changed are taken together. */
function compare(community: Community, before: Seen): Flip[] {
  const lost = new Map<SpaceSet, number[]>()
  const gained = new Map<SpaceSet, number[]>()
  let changed = 0n
  for (const [userId, now] of look(community, before.keys())) {
    const then = before.get(userId) ?? 0n
    if (now === then) continue
    changed |= now ^ then
    push(lost, then & ~now, userId)
    push(gained, now & ~then, userId)
  }
  const { sight } = community
  const flips = new Map(
    sight.spacesIn(changed).map((space): [SpaceRef, Flip] => [space, { space, lost: [], gained: [] }]),
  )
  for (const [set, users] of lost) for (const space of sight.spacesIn(set)) append(flips.get(space)?.lost, users)
  for (const [set, users] of gained) for (const space of sight.spacesIn(set)) append(flips.get(space)?.gained, users)
  return [...flips.values()]
}

function push(groups: Map<SpaceSet, number[]>, set: SpaceSet, userId: number): void {
  const group = groups.get(set)
  if (group) group.push(userId)
  else groups.set(set, [userId])
}

function append(list: number[] | undefined, users: readonly number[]): void {
  for (const userId of users) list?.push(userId)
}

/** Those who could see the space that the event is about, and cannot any more. */
function losersOf({ audience }: Published, flips: readonly Flip[]): number[] {
  if (audience.to !== 'viewers') return []
  const { type, id } = audience.space
  return flips.find(({ space }) => space.type === type && space.id === id)?.lost ?? []
}
