import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { ALL_PERMISSIONS, DEFAULT_EVERYONE_PERMISSIONS, Permission, permissionSet } from '@vox/protocol'
import fc from 'fast-check'
import { Community, type Override, type Role } from '../../src/community/community.ts'
import type { Feed, Room } from '../../src/community/layout.ts'
import type { Audience, SpaceRef } from '../../src/events/audience.ts'

const { ADMINISTRATOR, SEND_MESSAGES, VIEW_SPACE } = Permission

const feed = (id: number, overrides: readonly Override[]): Feed => ({
  id,
  name: 'feed',
  type: 'text',
  topic: null,
  categoryId: null,
  position: 0,
  nsfw: false,
  slowmodeSeconds: 0,
  overrides,
})

const room = (id: number, overrides: readonly Override[]): Room => ({
  id,
  name: 'room',
  type: 'voice',
  topic: null,
  categoryId: null,
  position: 0,
  userLimit: 0,
  bitrate: 64000,
  overrides,
})

describe('Community', () => {
  const EVERYONE = 1
  const ADMIN = 2
  const ALICE = 10
  const BOB = 11
  const FEED: SpaceRef = { type: 'feed', id: 5 }

  /** Alice holds `Admin`, Bob holds nothing, and feed 5 has these overrides. */
  function community(...overrides: Override[]): Community {
    const fresh = new Community()
    fresh.setRole({ id: EVERYONE, position: 0, permissions: DEFAULT_EVERYONE_PERMISSIONS, builtin: true })
    fresh.setRole({ id: ADMIN, position: 1, permissions: ADMINISTRATOR, builtin: false })
    fresh.setMember(ALICE, [ADMIN])
    fresh.setMember(BOB, [])
    fresh.setFeed(feed(FEED.id, overrides))
    return fresh
  }

  /** Gives Bob further roles without permissions of their own. */
  function assign(picture: Community, ...roleIds: number[]): void {
    for (const id of roleIds) picture.setRole({ id, position: 5, permissions: 0n, builtin: false })
    picture.setMember(BOB, roleIds)
  }

  const override = (target: `role ${number}` | `user ${number}`, sets: { allow?: bigint; deny?: bigint }): Override => {
    const [targetType, targetId] = target.split(' ') as ['role' | 'user', string]
    return { targetType, targetId: Number(targetId), allow: 0n, deny: 0n, ...sets }
  }

  const maySend = (picture: Community, userId: number) => (picture.permissionsIn(userId, FEED) & SEND_MESSAGES) !== 0n

  describe('@everyone is denied sending in a feed', () => {
    const denied = override(`role ${EVERYONE}`, { deny: SEND_MESSAGES })

    it('blocks members there and nowhere else', () => {
      const picture = community(denied)
      assert.equal(maySend(picture, BOB), false)
      assert.equal(picture.permissionsIn(BOB, FEED), DEFAULT_EVERYONE_PERMISSIONS & ~SEND_MESSAGES)
      assert.equal(picture.permissions(BOB), DEFAULT_EVERYONE_PERMISSIONS)
    })

    it('a role allow grants it again', () => {
      const picture = community(denied, override('role 3', { allow: SEND_MESSAGES }))
      assign(picture, 3)
      assert.equal(maySend(picture, BOB), true)
    })

    it('a role allow wins over the deny of another role', () => {
      const picture = community(
        override('role 3', { allow: SEND_MESSAGES }),
        override('role 4', { deny: SEND_MESSAGES }),
      )
      assign(picture, 3, 4)
      assert.equal(maySend(picture, BOB), true)
      assign(picture, 4)
      assert.equal(maySend(picture, BOB), false)
    })

    it('a user allow grants it even against a role deny', () => {
      const picture = community(
        denied,
        override('role 3', { deny: SEND_MESSAGES }),
        override(`user ${BOB}`, { allow: SEND_MESSAGES }),
      )
      assign(picture, 3)
      assert.equal(maySend(picture, BOB), true)
    })

    it('a user deny is final for anybody else', () => {
      const picture = community(
        override('role 3', { allow: SEND_MESSAGES }),
        override(`user ${BOB}`, { deny: SEND_MESSAGES }),
      )
      assign(picture, 3)
      assert.equal(maySend(picture, BOB), false)
    })

    it('never blocks an administrator', () => {
      const everything = override(`user ${ALICE}`, { deny: ALL_PERMISSIONS })
      const picture = community(denied, override(`role ${ADMIN}`, { deny: ALL_PERMISSIONS }), everything)
      assert.equal(picture.permissionsIn(ALICE, FEED), ALL_PERMISSIONS)
    })
  })

  describe('a space that is hidden', () => {
    const hidden = override(`role ${EVERYONE}`, { deny: VIEW_SPACE })

    it('gives no permission at all, and no events', () => {
      const picture = community(hidden, override(`user ${BOB}`, { allow: SEND_MESSAGES }))
      assert.equal(picture.permissionsIn(BOB, FEED), 0n)
      assert.equal(picture.sees(BOB, FEED), false)
      assert.equal(picture.includes({ to: 'viewers', space: FEED }, BOB), false)
      assert.equal(picture.includes({ to: 'viewers', space: FEED }, ALICE), true)
    })

    it('is not the room or the other feed with the same number', () => {
      const picture = community(hidden)
      picture.setRoom(room(FEED.id, []))
      assert.equal(picture.sees(BOB, { type: 'room', id: FEED.id }), true)
    })
  })

  it('resolves an unknown space like one without overrides', () => {
    const picture = community(override(`role ${EVERYONE}`, { deny: VIEW_SPACE }))
    picture.deleteSpace(FEED)
    assert.equal(picture.permissionsIn(BOB, FEED), DEFAULT_EVERYONE_PERMISSIONS)
    picture.setRole({ id: EVERYONE, position: 0, permissions: SEND_MESSAGES, builtin: true })
    assert.equal(picture.permissionsIn(BOB, FEED), 0n)
  })

  it('lets nobody do anything in a deleted feed that still has messages', () => {
    const picture = community()
    picture.setRole({ id: EVERYONE, position: 0, permissions: Permission.ADMINISTRATOR, builtin: true })
    picture.closeFeed(FEED.id)
    assert.deepEqual(
      [picture.permissionsIn(BOB, FEED), picture.sees(BOB, FEED), picture.space(FEED)],
      [0n, false, undefined],
    )
    assert.equal(picture.sees(BOB, { type: 'room', id: FEED.id }), true)
    picture.forgetFeed(FEED.id)
    assert.equal(picture.permissionsIn(BOB, FEED), ALL_PERMISSIONS)
  })

  it('makes an administrator of one space whoever is allowed ADMINISTRATOR there', () => {
    const picture = community(override(`role ${EVERYONE}`, { allow: ADMINISTRATOR, deny: VIEW_SPACE }))
    assert.equal(picture.permissionsIn(BOB, FEED), ALL_PERMISSIONS)
    assert.equal(picture.permissions(BOB), DEFAULT_EVERYONE_PERMISSIONS)
  })

  it('does not take a custom role at position 0 for @everyone', () => {
    const picture = community()
    picture.setRole({ id: 3, position: 0, permissions: Permission.BAN_MEMBERS, builtin: false })
    assert.equal(picture.permissions(BOB), DEFAULT_EVERYONE_PERMISSIONS)
    assert.equal(picture.rank(BOB), Number.POSITIVE_INFINITY)
    picture.setMember(BOB, [3])
    assert.equal(picture.permissions(BOB), DEFAULT_EVERYONE_PERMISSIONS | Permission.BAN_MEMBERS)
    assert.equal(picture.rank(BOB), 0)
  })

  it('counts every bit, reserved ones too', () => {
    const picture = community()
    const reserved = (1n << 20n) | (1n << 61n)
    picture.setRole({ id: 3, position: 3, permissions: reserved, builtin: false })
    picture.setMember(BOB, [3])
    assert.equal(picture.permissions(BOB), DEFAULT_EVERYONE_PERMISSIONS | reserved)
  })

  it('gives nothing to those who are not active members', () => {
    const picture = community(override(`user ${BOB}`, { allow: ALL_PERMISSIONS }))
    picture.deleteMember(BOB)
    assert.equal(picture.isMember(BOB), false)
    assert.equal(picture.permissions(BOB), 0n)
    assert.equal(picture.permissionsIn(BOB, FEED), 0n)
    assert.deepEqual(picture.roleIds(BOB), [])
    assert.equal(picture.rank(BOB), Number.POSITIVE_INFINITY)
    assert.equal(picture.memberCount, 1)
  })

  it('names users who receive an event as well, members or not', () => {
    const picture = community()
    assert.equal(picture.includes({ to: 'holders', permission: ADMINISTRATOR, and: [99] }, 99), true)
    assert.equal(picture.includes({ to: 'holders', permission: ADMINISTRATOR, and: [99] }, BOB), false)
    assert.equal(picture.includes({ to: 'users', users: [99] }, 99), true)
    assert.equal(picture.includes({ to: 'users', users: [99] }, ALICE), false)
  })

  it('names users who do not receive an event, whatever else is said', () => {
    const picture = community()
    assert.equal(picture.includes({ to: 'members', except: [BOB] }, BOB), false)
    assert.equal(picture.includes({ to: 'members', except: [BOB] }, ALICE), true)
    assert.equal(picture.includes({ to: 'users', users: [BOB], and: [BOB], except: [BOB] }, BOB), false)
  })

  it('applies a change to the next question, whatever was asked before', () => {
    const picture = community()
    const asked = () => [picture.permissions(BOB), picture.permissionsIn(BOB, FEED), picture.rank(BOB)]
    const everyone = DEFAULT_EVERYONE_PERMISSIONS
    asked()
    assign(picture, 3)
    assert.deepEqual(asked(), [everyone, everyone, 5])
    picture.setRole({ id: 3, position: 4, permissions: Permission.VIDEO, builtin: false })
    assert.deepEqual(asked(), [everyone | Permission.VIDEO, everyone | Permission.VIDEO, 4])
    picture.setFeed(feed(FEED.id, [override('role 3', { deny: SEND_MESSAGES })]))
    assert.deepEqual(asked()[1], (everyone | Permission.VIDEO) & ~SEND_MESSAGES)
    picture.deleteRole(3)
    assert.deepEqual(asked(), [everyone, everyone, Number.POSITIVE_INFINITY])
    assert.deepEqual(picture.roleIds(BOB), [])
    assert.deepEqual(picture.space(FEED)?.overrides, [])
    assert.deepEqual(picture.layout.feeds.get(FEED.id)?.overrides, [])
    picture.deleteSpace(FEED)
    assert.equal(picture.space(FEED), undefined)
    assert.equal(picture.layout.feeds.size, 0)
  })
})

// --- the model: spec 01, section 9.3, worked out from scratch for every question ------------------------------------

interface World {
  roles: Map<number, Role>
  members: Map<number, number[]>
  overrides: Map<string, Override[]>
}

const EVERYONE_ID = 1
const ROLE_IDS = [2, 3, 4, 5]
const USER_IDS = [1, 2, 3, 4, 5]
const SPACES: readonly SpaceRef[] = [
  { type: 'feed', id: 1 },
  { type: 'feed', id: 2 },
  { type: 'room', id: 1 },
  { type: 'room', id: 12 },
]
const nameOf = (space: SpaceRef) => `${space.type} ${space.id}`
const union = (sets: bigint[]) => sets.reduce((all, set) => all | set, 0n)
const isAdministrator = (set: bigint) => (set & ADMINISTRATOR) !== 0n

function resolve(world: World, userId: number, space?: SpaceRef): bigint {
  const assigned = world.members.get(userId)
  if (!assigned) return 0n
  const held = [EVERYONE_ID, ...assigned].map((id) => world.roles.get(id)?.permissions ?? 0n)
  let result = union(held)
  if (isAdministrator(result)) return ALL_PERMISSIONS
  if (!space) return result
  const steps: ((o: Override) => boolean)[] = [
    (o) => o.targetType === 'role' && o.targetId === EVERYONE_ID,
    (o) => o.targetType === 'role' && assigned.includes(o.targetId),
    (o) => o.targetType === 'user' && o.targetId === userId,
  ]
  for (const step of steps) {
    const overrides = (world.overrides.get(nameOf(space)) ?? []).filter(step)
    result &= ~union(overrides.map((o) => o.deny))
    result |= union(overrides.map((o) => o.allow))
  }
  if (isAdministrator(result)) return ALL_PERMISSIONS
  return result & VIEW_SPACE ? result : 0n
}

function receives(world: World, audience: Audience, userId: number): boolean {
  if (audience.except?.includes(userId)) return false
  if (audience.and?.includes(userId)) return true
  if (audience.to === 'members') return world.members.has(userId)
  if (audience.to === 'viewers') return (resolve(world, userId, audience.space) & VIEW_SPACE) !== 0n
  if (audience.to === 'users') return audience.users.includes(userId)
  return (resolve(world, userId) & audience.permission) === audience.permission
}

type Change =
  | { do: 'setRole'; role: Role }
  | { do: 'deleteRole'; id: number }
  | { do: 'setMember'; userId: number; roleIds: number[] }
  | { do: 'deleteMember'; userId: number }
  | { do: 'setSpace'; space: SpaceRef; overrides: Override[] }
  | { do: 'deleteSpace'; space: SpaceRef }

/** Makes the same change to the picture and to the world it must equal. */
function apply(change: Change, picture: Community, world: World): void {
  switch (change.do) {
    case 'setRole':
      picture.setRole(change.role)
      world.roles.set(change.role.id, change.role)
      break
    case 'deleteRole':
      picture.deleteRole(change.id)
      world.roles.delete(change.id)
      for (const [userId, ids] of world.members)
        world.members.set(
          userId,
          ids.filter((id) => id !== change.id),
        )
      for (const [name, overrides] of world.overrides)
        world.overrides.set(
          name,
          overrides.filter((o) => o.targetType !== 'role' || o.targetId !== change.id),
        )
      break
    case 'setMember':
      picture.setMember(change.userId, change.roleIds)
      world.members.set(change.userId, change.roleIds)
      break
    case 'deleteMember':
      picture.deleteMember(change.userId)
      world.members.delete(change.userId)
      break
    case 'setSpace':
      if (change.space.type === 'feed') picture.setFeed(feed(change.space.id, change.overrides))
      else picture.setRoom(room(change.space.id, change.overrides))
      world.overrides.set(nameOf(change.space), change.overrides)
      break
    case 'deleteSpace':
      picture.deleteSpace(change.space)
      world.overrides.delete(nameOf(change.space))
  }
}

/** Asks the picture everything that can be asked of it. */
function compare(picture: Community, world: World): void {
  assert.deepEqual([...picture.memberIds()].sort(), [...world.members.keys()].sort())
  assert.equal(picture.memberCount, world.members.size)
  assert.deepEqual(new Map([...picture.roles()].map((role) => [role.id, role])), world.roles)
  const audiences: Audience[] = [
    { to: 'members', except: [1, 5] },
    { to: 'holders', permission: permissionSet('SEND_MESSAGES', 'MANAGE_ROLES'), and: [2] },
    { to: 'users', users: [3, 4], and: [4, 5] },
    ...SPACES.map((space): Audience => ({ to: 'viewers', space, and: [1] })),
  ]
  for (const space of SPACES) {
    const stored = space.type === 'feed' ? picture.layout.feeds : picture.layout.rooms
    assert.deepEqual(picture.space(space)?.overrides, world.overrides.get(nameOf(space)))
    assert.deepEqual(stored.get(space.id)?.overrides, world.overrides.get(nameOf(space)))
  }
  for (const userId of USER_IDS) {
    const assigned = world.members.get(userId) ?? []
    assert.deepEqual(picture.roleIds(userId), [...assigned].sort())
    assert.equal(picture.rank(userId), Math.min(...assigned.map((id) => world.roles.get(id)?.position ?? Infinity)))
    assert.equal(picture.permissions(userId), resolve(world, userId))
    for (const space of SPACES) {
      assert.equal(picture.permissionsIn(userId, space), resolve(world, userId, space), `${userId} in ${nameOf(space)}`)
      assert.equal(picture.sees(userId, space), receives(world, { to: 'viewers', space }, userId))
    }
    if (world.members.has(userId)) {
      const seen = SPACES.filter((space) => world.overrides.has(nameOf(space)) && resolve(world, userId, space) !== 0n)
      const { sight } = picture
      assert.deepEqual(sight.spacesIn(sight.of(userId, picture.roleIds(userId))), seen)
    }
    for (const audience of audiences)
      assert.equal(picture.includes(audience, userId), receives(world, audience, userId))
  }
}

/** What decides to which audiences the user belongs. */
const answersAbout = (userId: number, picture: Community) => [
  picture.isMember(userId),
  picture.permissions(userId),
  ...SPACES.map((space) => picture.permissionsIn(userId, space)),
]

const fewBits = fc
  .subarray(['VIEW_SPACE', 'SEND_MESSAGES', 'MANAGE_ROLES', 'CONNECT'] as const)
  .map((names) => permissionSet(...names))
const bits = fc.oneof(
  { weight: 8, arbitrary: fewBits },
  { weight: 1, arbitrary: fewBits.map((set) => set | ADMINISTRATOR) },
  { weight: 1, arbitrary: fc.bigInt({ min: 0n, max: ALL_PERMISSIONS }) },
)
const roleId = fc.constantFrom(...ROLE_IDS)
const userId = fc.constantFrom(...USER_IDS)
const space = fc.constantFrom(...SPACES)
const position = fc.integer({ min: 0, max: 5 })

const target = fc.oneof(
  fc.constantFrom(EVERYONE_ID, ...ROLE_IDS).map((targetId) => ({ targetType: 'role' as const, targetId })),
  userId.map((targetId) => ({ targetType: 'user' as const, targetId })),
)
const overrides = fc.uniqueArray(
  fc.record({ target, allow: bits, deny: bits }).map(({ target: of, ...sets }): Override => ({ ...of, ...sets })),
  { selector: ({ targetType, targetId }) => targetType + targetId, maxLength: 6 },
)

const change: fc.Arbitrary<Change> = fc.oneof(
  fc
    .record({ id: roleId, position, permissions: bits })
    .map((role): Change => ({ do: 'setRole', role: { ...role, builtin: false } })),
  bits.map(
    (permissions): Change => ({ do: 'setRole', role: { id: EVERYONE_ID, position: 0, permissions, builtin: true } }),
  ),
  roleId.map((id): Change => ({ do: 'deleteRole', id })),
  fc.record({ do: fc.constant('setMember' as const), userId, roleIds: fc.uniqueArray(roleId) }),
  fc.record({ do: fc.constant('setMember' as const), userId, roleIds: fc.uniqueArray(roleId) }),
  userId.map((id): Change => ({ do: 'deleteMember', userId: id })),
  fc.record({ do: fc.constant('setSpace' as const), space, overrides }),
  fc.record({ do: fc.constant('setSpace' as const), space, overrides }),
  space.map((ref): Change => ({ do: 'deleteSpace', space: ref })),
)

describe('Community, after any history', () => {
  /** Only what the database would allow: assigned roles and the targets of overrides exist. */
  const possible = (world: World, next: Change): Change => {
    const exists = (id: number) => world.roles.has(id)
    if (next.do === 'setMember') return { ...next, roleIds: next.roleIds.filter(exists) }
    if (next.do !== 'setSpace') return next
    return { ...next, overrides: next.overrides.filter((o) => o.targetType === 'user' || exists(o.targetId)) }
  }

  it('answers every question as a resolution from scratch does', () => {
    fc.assert(
      fc.property(fc.array(change, { minLength: 1, maxLength: 40, size: 'max' }), (history) => {
        const world: World = { roles: new Map(), members: new Map(), overrides: new Map() }
        const picture = new Community()
        for (const next of history) {
          apply(possible(world, next), picture, world)
          compare(picture, world)
        }
      }),
      { numRuns: 500 },
    )
  })

  it('says for whom something changed, and for nobody else does it change', () => {
    fc.assert(
      fc.property(fc.array(change), (history) => {
        const world: World = { roles: new Map(), members: new Map(), overrides: new Map() }
        const picture = new Community()
        for (const next of history) {
          const { position } = picture.changed
          const before = USER_IDS.map((userId) => answersAbout(userId, picture))
          apply(possible(world, next), picture, world)
          const changed = picture.changed.since(position)
          for (const [i, userId] of USER_IDS.entries())
            if (changed && !changed.includes(userId))
              assert.deepEqual(answersAbout(userId, picture), before[i], `${next.do} for ${userId}`)
        }
      }),
    )
  })
})
