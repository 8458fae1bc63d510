import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { ALL_PERMISSIONS, Permission, permissionSet } from '@vox/protocol'
import fc from 'fast-check'
import { Community, type Override } from '../../src/community/community.ts'
import type { SpaceRef } from '../../src/events/audience.ts'

const EVERYONE = 1
const USERS = [1, 2, 3]
const ROLES = [2, 3]
const FEEDS = [1, 2, 7]
const ROOMS = [1, 4]

/** Sets of the permissions that decide about sight, and of one that does not. */
const bits = fc
  .subarray(['VIEW_SPACE', 'ADMINISTRATOR', 'SEND_MESSAGES'] as const)
  .map((names) => permissionSet(...names))

const target = fc.oneof(
  fc.constantFrom(EVERYONE, ...ROLES).map((targetId) => ({ targetType: 'role' as const, targetId })),
  fc.constantFrom(...USERS).map((targetId) => ({ targetType: 'user' as const, targetId })),
)

const overrides = fc.uniqueArray(
  fc.record({ target, allow: bits, deny: bits }).map(({ target: of, ...sets }): Override => ({ ...of, ...sets })),
  { selector: ({ targetType, targetId }) => targetType + targetId, maxLength: 4 },
)

const several = <T>(of: fc.Arbitrary<T>, length: number) => fc.array(of, { minLength: length, maxLength: length })

const world = fc.record({
  everyone: bits,
  roles: several(bits, ROLES.length),
  held: several(fc.subarray(ROLES), USERS.length),
  feeds: several(overrides, FEEDS.length),
  rooms: several(overrides, ROOMS.length),
})

type World = typeof world extends fc.Arbitrary<infer T> ? T : never

function feed(id: number, overrides: readonly Override[]) {
  const rest = { topic: null, categoryId: null, position: 10 - id, nsfw: false, slowmodeSeconds: 0 }
  return { id, name: 'feed', type: 'text' as const, ...rest, overrides }
}

function room(id: number, overrides: readonly Override[]) {
  const rest = { topic: null, categoryId: null, position: 0, userLimit: 0, bitrate: 64_000 }
  return { id, name: 'room', type: 'voice' as const, ...rest, overrides }
}

function communityOf({ everyone, roles, held, feeds, rooms }: World): Community {
  const community = new Community()
  community.setRole({ id: EVERYONE, position: 0, permissions: everyone, builtin: true })
  ROLES.forEach((id, n) => void community.setRole({ id, position: id, permissions: roles[n] ?? 0n, builtin: false }))
  FEEDS.forEach((id, n) => void community.setFeed(feed(id, feeds[n] ?? [])))
  ROOMS.forEach((id, n) => void community.setRoom(room(id, rooms[n] ?? [])))
  USERS.forEach((id, n) => void community.setMember(id, held[n] ?? []))
  return community
}

/** In the order of the layout: the feeds have falling positions. */
const SPACES: readonly SpaceRef[] = [
  ...FEEDS.toReversed().map((id) => ({ type: 'feed' as const, id })),
  ...ROOMS.map((id) => ({ type: 'room' as const, id })),
]

describe('the sight of a community', () => {
  it('shows every member the spaces that the resolution of permissions shows them, in the order of the layout', () => {
    fc.assert(
      fc.property(world, (of) => {
        const community = communityOf(of)
        for (const userId of USERS) {
          const { sight } = community
          assert.deepEqual(
            sight.spacesIn(sight.of(userId, community.roleIds(userId))),
            SPACES.filter((space) => community.sees(userId, space)),
          )
        }
      }),
      { numRuns: 1000 },
    )
  })

  it('remains as it was when roles and overrides change', () => {
    fc.assert(
      fc.property(world, world, (of, changed) => {
        const community = communityOf(of)
        const seen = () => USERS.map((userId) => before.of(userId, held.get(userId) ?? []))
        const held = new Map(USERS.map((userId) => [userId, community.roleIds(userId)]))
        const before = community.sight
        const then = seen()
        community.setRole({ id: EVERYONE, position: 0, permissions: changed.everyone, builtin: true })
        FEEDS.forEach((id, n) => void community.setFeed(feed(id, changed.feeds[n] ?? [])))
        assert.deepEqual(seen(), then)
        assert.notEqual(community.sight, before)
      }),
    )
  })

  it('is worked out anew for roles and overrides only, not for every member who comes or gets a role', () => {
    const community = communityOf({ everyone: ALL_PERMISSIONS, roles: [], held: [], feeds: [], rooms: [] })
    const { sight } = community
    community.setMember(9, [])
    community.setMember(1, [2])
    assert.equal(community.sight, sight)
    community.deleteRole(2)
    assert.notEqual(community.sight, sight)
  })

  it('reaches beyond 64 spaces', () => {
    const community = new Community()
    community.setRole({ id: EVERYONE, position: 0, permissions: Permission.VIEW_SPACE, builtin: true })
    community.setMember(1, [])
    const closed: Override = { targetType: 'role', targetId: EVERYONE, allow: 0n, deny: Permission.VIEW_SPACE }
    for (let id = 1; id <= 300; id++) community.setFeed({ ...feed(id, id % 7 === 0 ? [closed] : []), position: id })
    const { sight } = community
    const seen = sight.spacesIn(sight.of(1, community.roleIds(1))).map(({ id }) => id)
    assert.deepEqual(
      seen,
      Array.from({ length: 300 }, (_, n) => n + 1).filter((id) => id % 7 !== 0),
    )
  })
})
