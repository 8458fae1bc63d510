/**
 * What the community picture costs on a large server: 50,000 members, 200 roles, 500 feeds with overrides.
 *
 *   npx node bench/community.ts
 *
 * Two kinds of communities bracket the real ones: in the first, members share a few hundred combinations of roles; in
 * the second, every member has a combination of their own, which is the worst case for what the picture keeps per
 * combination. The ceiling beside each time is the least that any implementation must do: one look-up per answer.
 */
import assert from 'node:assert/strict'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { DEFAULT_EVERYONE_PERMISSIONS, Permission, roleUpdate } from '@vox/protocol'
import { Community, type Override, type Role } from '../packages/server/src/community/community.ts'
import type { Feed } from '../packages/server/src/community/layout.ts'
import type { Audience } from '../packages/server/src/events/audience.ts'
import { LocalBus, type Published } from '../packages/server/src/events/bus.ts'
import { SightNotices } from '../packages/server/src/events/sight-notices.ts'
import { numbers } from './support/numbers.ts'

const MEMBERS = 50_000
const ROLES = 200
const FEEDS = 500
const EVERYONE = 1

const everyone: Role = { id: EVERYONE, position: 0, permissions: DEFAULT_EVERYONE_PERMISSIONS, builtin: true }

setFlagsFromString('--expose-gc')
const collectGarbage: () => void = runInNewContext('gc')

const pick = numbers(1)
const roleIds = (count: number) => Array.from({ length: count }, () => 2 + pick(ROLES))

function build(rolesOf: (userId: number) => readonly number[]): Community {
  const picture = new Community()
  picture.setRole(everyone)
  for (let n = 0; n < ROLES; n++)
    picture.setRole({ id: 2 + n, position: n, permissions: 1n << BigInt(pick(20)), builtin: false })
  for (let id = 1; id <= FEEDS; id++) picture.setFeed(feed(id, overrides()))
  for (let userId = 1; userId <= MEMBERS; userId++) picture.setMember(userId, rolesOf(userId))
  return picture
}

const feed = (id: number, overrides: readonly Override[]): Feed => ({
  id,
  name: `feed ${id}`,
  type: 'text',
  topic: null,
  categoryId: null,
  position: id,
  nsfw: false,
  slowmodeSeconds: 0,
  overrides,
})

/** Every third feed is closed to `@everyone` and opened to some roles and users. */
function overrides(): Override[] {
  const closed = pick(3) === 0
  const opened: Override[] = roleIds(5).map((id) => ({
    targetType: 'role',
    targetId: id,
    allow: closed ? Permission.VIEW_SPACE : Permission.ATTACH_FILES,
    deny: 0n,
  }))
  const guests: Override[] = Array.from({ length: 10 }, () => ({
    targetType: 'user',
    targetId: 1 + pick(MEMBERS),
    allow: Permission.VIEW_SPACE,
    deny: 0n,
  }))
  const deny = closed ? Permission.VIEW_SPACE : Permission.MENTION_EVERYONE
  return [{ targetType: 'role', targetId: EVERYONE, allow: 0n, deny }, ...opened, ...guests]
}

/** Middle of several measurements. */
function median(times: number, work: () => void): number {
  const milliseconds = () => {
    const start = performance.now()
    work()
    return performance.now() - start
  }
  const measured = Array.from({ length: times }, milliseconds).sort((a, b) => a - b)
  return measured[Math.floor(times / 2)] ?? 0
}

const print = (what: string, value: number, unit: string, ceiling = '') =>
  console.log(
    `  ${what.padEnd(56)} ${value.toFixed(value < 10 ? 2 : 0).padStart(6)} ${unit}${ceiling && `, ${ceiling}`}`,
  )

function heapMegabytes(): number {
  collectGarbage()
  return process.memoryUsage().heapUsed / 2 ** 20
}

/** Nanoseconds of one look-up in a map of all members. */
function lookUpTime(memberIds: readonly number[]): number {
  const plain = new Map(memberIds.map((userId) => [userId, true]))
  let found = 0
  const time = median(9, () => {
    for (const userId of memberIds) if (plain.get(userId)) found++
  })
  assert.ok(found > 0)
  return (time * 1e6) / MEMBERS
}

function countViewers(picture: Community, memberIds: readonly number[], id: number): number {
  const audience: Audience = { to: 'viewers', space: { type: 'feed', id } }
  return memberIds.filter((userId) => picture.includes(audience, userId)).length
}

const QUESTIONS = Array.from({ length: 1_000_000 }, () => [1 + pick(MEMBERS), 1 + pick(FEEDS)] as const)

function measureQuestions(picture: Community): void {
  const memberIds = [...picture.memberIds()]
  const lookUp = lookUpTime(memberIds)
  const ask = () => QUESTIONS.filter(([userId, id]) => picture.permissionsIn(userId, { type: 'feed', id }) !== 0n)
  const perQuestion = median(3, ask) / (QUESTIONS.length / 1e6)
  print('permission of a random member in a random feed', perQuestion, 'ns', `ceiling ${lookUp.toFixed(0)} ns`)
  const again = median(9, () => countViewers(picture, memberIds, 1))
  const afterChange = median(9, () => {
    picture.setRole(everyone)
    countViewers(picture, memberIds, 1)
  })
  const ceiling = `ceiling ${((lookUp * MEMBERS) / 1e6).toFixed(2)} ms`
  print('audience of a feed among all members', again, 'ms', ceiling)
  print('the same right after a change of @everyone', afterChange, 'ms', ceiling)
  for (let id = 1; id <= FEEDS; id++) countViewers(picture, memberIds, id)
}

function measureChanges(picture: Community): void {
  const change = (what: string, work: () => void) => print(what, median(9, work), 'ms')
  change('change @everyone', () => picture.setRole(everyone))
  change('change the overrides of a feed', () => picture.setFeed(feed(1, [])))
  change('change the roles of a member', () => picture.setMember(1, roleIds(3)))
  change('delete a role', () => picture.deleteRole(2 + pick(ROLES)))
}

/** Changes of permissions with every member connected; delivering what they are told is not measured. */
function measureSight(picture: Community): void {
  const bus = new LocalBus()
  bus.subscribe(
    () => {},
    () => picture.memberIds(),
  )
  const notices = new SightNotices({ community: picture, bus })
  const own: Published = { event: roleUpdate, data: { role_id: EVERYONE }, audience: { to: 'members' } }
  const change = (what: string, effect: () => void, affected?: readonly number[]) =>
    print(
      what,
      median(9, () => notices.publish(effect, own, affected)),
      'ms',
    )
  const everyone = { id: EVERYONE, position: 0, permissions: DEFAULT_EVERYONE_PERMISSIONS, builtin: true }
  const blind = { ...everyone, permissions: everyone.permissions & ~Permission.VIEW_SPACE }
  let sees = true
  change('tell 50,000 listeners of a role that changes no sight', () => picture.setRole(everyone))
  change('tell all of them that most feeds appear or vanish', () => {
    sees = !sees
    picture.setRole(sees ? everyone : blind)
  })
  picture.setRole(everyone)
  change('tell those concerned by the overrides of a feed', () => picture.setFeed(feed(1, overrides())))
  change('tell a member of what a new role shows', () => picture.setMember(1, roleIds(3)), [1])
}

function measure(title: string, rolesOf: (userId: number) => readonly number[]): void {
  console.log(`\n${title}`)
  const before = heapMegabytes()
  const start = performance.now()
  const picture = build(rolesOf)
  print('build the picture', performance.now() - start, 'ms')
  print('its memory, nothing asked yet', heapMegabytes() - before, 'MB')
  measureQuestions(picture)
  print('its memory, everything asked', heapMegabytes() - before, 'MB')
  measureSight(picture)
  measureChanges(picture)
}

console.log(`${MEMBERS} members, ${ROLES} roles, ${FEEDS} feeds with 16 overrides each`)
const combinations = Array.from({ length: 300 }, () => roleIds(1 + pick(6)))
measure('members share 300 combinations of roles', () => combinations[pick(combinations.length)] ?? [])
measure('every member has a combination of their own', () => roleIds(6))
