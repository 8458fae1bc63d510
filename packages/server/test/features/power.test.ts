import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import { ApiError, DEFAULT_EVERYONE_PERMISSIONS, holds, Permission, permissionSet } from '@vox/protocol'
import fc from 'fast-check'
import { sql } from 'kysely'
import pino from 'pino'
import { systemClock } from '../../src/clock.ts'
import type { Role } from '../../src/community/community.ts'
import { type Core, openCore } from '../../src/core.ts'
import type { SpaceRef } from '../../src/events/audience.ts'
import { AssignmentService } from '../../src/features/roles/assignments.ts'
import { RoleService } from '../../src/features/roles/roles.ts'
import { OverrideService } from '../../src/features/spaces/overrides.ts'
import { sqlite } from '../support/engines.ts'

/*
 * Whatever members try with roles, assignments and overrides, in whatever order: nobody gets a permission by the deed
 * of somebody who does not hold it, nobody rises or acts on somebody above, and there always is an administrator.
 */

const { ADMINISTRATOR, MANAGE_ROLES } = Permission
const EVERYONE = 1
const ADMIN = 2
const FEED: SpaceRef = { type: 'feed', id: 1 }
/** The first two are administrators, the next three have a rank and may manage roles, the last has nothing. */
const USERS = [1, 2, 3, 4, 5, 6]

/** What somebody tries; roles are chosen by their place among those that exist, so that most attempts are about something. */
type Attempt =
  | { do: 'create'; permissions: bigint; position: number }
  | { do: 'edit'; role: number; permissions?: bigint; position?: number }
  | { do: 'delete'; role: number }
  | { do: 'assign' | 'revoke'; role: number; userId: number }
  | { do: 'override'; to: 'role' | 'user'; role: number; userId: number; allow: bigint; deny: bigint }
  | { do: 'lift'; to: 'role' | 'user'; role: number; userId: number }

const bits = fc
  .subarray(['VIEW_SPACE', 'SEND_MESSAGES', 'MANAGE_ROLES', 'MANAGE_MESSAGES', 'BAN_MEMBERS', 'ADMINISTRATOR'] as const)
  .map((names) => permissionSet(...names))
const position = fc.integer({ min: 0, max: 40 })
const role = fc.nat(9)
const userId = fc.constantFrom(...USERS)
const to = fc.constantFrom('role' as const, 'user' as const)

const attempt: fc.Arbitrary<Attempt> = fc.oneof(
  fc.record({ do: fc.constant('create' as const), permissions: bits, position }),
  fc.record({ do: fc.constant('edit' as const), role, permissions: bits, position }, { requiredKeys: ['do', 'role'] }),
  fc.record({ do: fc.constant('delete' as const), role }),
  fc.record({ do: fc.constantFrom('assign' as const, 'revoke' as const), role, userId }),
  fc.record({ do: fc.constantFrom('assign' as const, 'revoke' as const), role, userId }),
  fc.record({ do: fc.constant('override' as const), to, role, userId, allow: bits, deny: bits }),
  fc.record({ do: fc.constant('lift' as const), to, role, userId }),
)

const history = fc.array(fc.record({ callerId: userId, attempt }), { minLength: 1, maxLength: 25, size: 'max' })

const opened = new AsyncDisposableStack()
let core: Core
let roles: RoleService
let assignments: AssignmentService
let overrides: OverrideService

before(async () => {
  const env = { VOX_DATABASE_URL: await sqlite.freshUrl() }
  core = await openCore({ env, log: pino({ level: 'silent' }), clock: systemClock }, opened)
  roles = new RoleService(core)
  assignments = new AssignmentService(core)
  overrides = new OverrideService(core)
  await core.work.run(async ({ db }) => {
    for (const id of USERS)
      await db
        .insertInto('users')
        .values({ username: `${id}`, username_key: `${id}`, created_at: 0 })
        .execute()
    await db.insertInto('feeds').values({ name: 'feed', type: 'text', position: 0 }).execute()
  })
})
after(() => opened.disposeAsync())

const STAFF: readonly (Omit<Role, 'builtin'> & { held: readonly number[] })[] = [
  { id: EVERYONE, position: 0, permissions: DEFAULT_EVERYONE_PERMISSIONS, held: [] },
  { id: ADMIN, position: 1, permissions: ADMINISTRATOR, held: [1, 2] },
  { id: 3, position: 10, permissions: MANAGE_ROLES | Permission.MANAGE_MESSAGES, held: [3, 4] },
  { id: 4, position: 20, permissions: MANAGE_ROLES, held: [5] },
  { id: 5, position: 30, permissions: Permission.BAN_MEMBERS, held: [] },
]

/** Begins again with the same staff. */
function reset(): Promise<void> {
  return core.work.run(async (job) => {
    await job.db.deleteFrom('roles').execute()
    await job.db.deleteFrom('permission_overrides').execute()
    for (const { id, position, permissions, held } of STAFF) {
      await sql`insert into roles (role_id, name, position, permissions, builtin)
        values (${id}, 'role', ${position}, ${permissions}, ${id === EVERYONE})`.execute(job.db)
      for (const user_id of held) await job.db.insertInto('role_members').values({ role_id: id, user_id }).execute()
    }
    job.change((picture) => {
      for (const { id } of [...picture.roles()]) picture.deleteRole(id)
      for (const { id, position, permissions } of STAFF)
        picture.setRole({ id, position, permissions, builtin: id === EVERYONE })
      for (const userId of USERS)
        picture.setMember(
          userId,
          STAFF.filter(({ held }) => held.includes(userId)).map(({ id }) => id),
        )
      const rest = { topic: null, categoryId: null, position: 0, nsfw: false, slowmodeSeconds: 0 }
      picture.setFeed({ id: FEED.id, name: 'feed', type: 'text', ...rest, overrides: [] })
    })
  })
}

/** Whether it was allowed. */
async function isAllowed(callerId: number, wanted: Attempt): Promise<boolean> {
  try {
    await perform(callerId, wanted)
    return true
  } catch (error) {
    if (error instanceof ApiError && error.status < 500) return false
    throw error
  }
}

function perform(callerId: number, wanted: Attempt): Promise<unknown> {
  switch (wanted.do) {
    case 'create': {
      const { permissions, position } = wanted
      return roles.create(callerId, { name: 'new', permissions, position })
    }
    case 'edit': {
      const { do: _, role, ...patch } = wanted
      return roles.edit(callerId, idOf(role), patch)
    }
    case 'delete':
      return roles.delete(callerId, idOf(wanted.role))
    case 'assign':
    case 'revoke':
      return assignments[wanted.do](callerId, wanted.userId, idOf(wanted.role))
    case 'override':
      return overrides.set(callerId, FEED, targetOf(wanted), wanted)
    case 'lift':
      return overrides.delete(callerId, FEED, targetOf(wanted))
  }
}

function idOf(place: number): number {
  const ids = [...core.community.roles()].map(({ id }) => id)
  return ids[place % ids.length] ?? EVERYONE
}

function targetOf({ to, role, userId }: { to: 'role' | 'user'; role: number; userId: number }) {
  return to === 'role' ? { targetType: to, targetId: idOf(role) } : { targetType: to, targetId: userId }
}

/** All that decides about power, as it is now. */
function powers() {
  const { community } = core
  return {
    roles: new Map([...community.roles()].map((role) => [role.id, role])),
    held: new Map(USERS.map((id) => [id, community.permissions(id)])),
    ranks: new Map(USERS.map((id) => [id, community.rank(id)])),
    overrides: community.space(FEED)?.overrides ?? [],
  }
}

type Powers = ReturnType<typeof powers>

const get = (map: ReadonlyMap<number, bigint>, id: number) => map.get(id) ?? 0n

function checkDeed(callerId: number, then: Powers, now: Powers): void {
  const held = get(then.held, callerId)
  const rank = then.ranks.get(callerId) ?? Number.POSITIVE_INFINITY
  const isAdministrator = holds(held, ADMINISTRATOR)
  for (const id of USERS) {
    const gained = get(now.held, id) & ~get(then.held, id)
    assert.ok(holds(held, gained), `${id} got ${gained} from ${callerId}, who does not hold it`)
    const rises = Number(now.ranks.get(id)) < Number(then.ranks.get(id))
    if (rises && !isAdministrator) assert.ok(Number(now.ranks.get(id)) > rank, `${callerId} lifted ${id} too high`)
  }
  if (isAdministrator) return
  for (const [id, before] of then.roles) {
    const after = now.roles.get(id)
    if (after?.permissions === before.permissions && after.position === before.position) continue
    assert.ok(!before.builtin && before.position > rank, `${callerId} changed the role ${id} above`)
    assert.ok((after?.position ?? rank + 1) > rank, `${callerId} moved the role ${id} above`)
  }
  for (const [id, { position }] of now.roles) if (!then.roles.has(id)) assert.ok(position > rank)
  checkOverrides(callerId, then, now)
}

/** Every bit that an override gained or lost is one that the caller holds, and its target is below the caller. */
function checkOverrides(callerId: number, then: Powers, now: Powers): void {
  const rank = then.ranks.get(callerId) ?? Number.POSITIVE_INFINITY
  const gone = [...then.roles.keys()].filter((id) => !now.roles.has(id))
  for (const { targetType, targetId } of [...then.overrides, ...now.overrides]) {
    const find = ({ overrides }: Powers) =>
      overrides.find((override) => override.targetType === targetType && override.targetId === targetId)
    const [before, after] = [find(then), find(now)]
    const changed = ((before?.allow ?? 0n) ^ (after?.allow ?? 0n)) | ((before?.deny ?? 0n) ^ (after?.deny ?? 0n))
    if ((before && after && changed === 0n) || (targetType === 'role' && gone.includes(targetId))) continue
    assert.ok(holds(get(then.held, callerId), changed), `${callerId} overrode ${changed} without holding it`)
    const target = targetType === 'role' ? then.roles.get(targetId) : undefined
    const isBelow = target ? target.builtin || target.position > rank : Number(then.ranks.get(targetId)) > rank
    assert.ok(isBelow, `${callerId} overrode the ${targetType} ${targetId} above`)
  }
}

function checkAdministrators({ community }: Core): void {
  const isAdministrator = (id: number) => holds(community.permissions(id), ADMINISTRATOR)
  assert.ok(USERS.some(isAdministrator), 'nobody is administrator any more')
}

describe('power', () => {
  it('comes from those who have it, and from nobody else', async () => {
    const tally = { allowed: 0, refused: 0 }
    await fc.assert(
      fc.asyncProperty(history, async (deeds) => {
        await reset()
        for (const { callerId, attempt } of deeds) {
          const then = powers()
          const allowed = await isAllowed(callerId, attempt)
          tally[allowed ? 'allowed' : 'refused']++
          const now = powers()
          if (allowed) checkDeed(callerId, then, now)
          else assert.deepEqual(now, then)
          checkAdministrators(core)
        }
      }),
      { numRuns: 2000, seed: 3, endOnFailure: false },
    )
    // Otherwise the histories would show nothing.
    assert.ok(tally.allowed > 5000 && tally.refused > 5000, JSON.stringify(tally))
  })
})
