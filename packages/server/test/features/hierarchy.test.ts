import assert from 'node:assert/strict'
import { it } from 'node:test'
import { ApiError, holds, Permission } from '@vox/protocol'
import fc from 'fast-check'
import pino from 'pino'
import { systemClock } from '../../src/clock.ts'
import type { Community } from '../../src/community/community.ts'
import { type Core, openCore } from '../../src/core.ts'
import { registerAccount } from '../../src/features/auth/registration.ts'
import { AssignmentService } from '../../src/features/roles/assignments.ts'
import { RoleService } from '../../src/features/roles/roles.ts'
import { OverrideService } from '../../src/features/spaces/overrides.ts'
import type { Services } from '../../src/services.ts'
import { forEachEngine } from '../support/engines.ts'

const MEMBERS = 7
const STEPS = 5000

/** Bits among which the game is played: enough to be different, few enough to meet. */
const BITS = [
  Permission.MANAGE_ROLES,
  Permission.MANAGE_SPACES,
  Permission.KICK_MEMBERS,
  Permission.BAN_MEMBERS,
  Permission.MANAGE_MESSAGES,
  Permission.ADMINISTRATOR,
]

const member = fc.integer({ min: 1, max: MEMBERS })
const roleId = fc.integer({ min: 1, max: 14 })
const position = fc.integer({ min: 0, max: 12 })
const bits = fc.subarray(BITS).map((chosen) => chosen.reduce((set, bit) => set | bit, 0n))

/** One thing that one member tries. */
const step = fc.oneof(
  fc.record({ do: fc.constant('create' as const), by: member, position, bits }),
  fc.record({ do: fc.constant('edit' as const), by: member, role: roleId, bits }),
  fc.record({ do: fc.constant('move' as const), by: member, role: roleId, position }),
  fc.record({ do: fc.constant('delete' as const), by: member, role: roleId }),
  fc.record({ do: fc.constant('assign' as const), by: member, role: roleId, to: member }),
  fc.record({ do: fc.constant('assign' as const), by: member, role: roleId, to: member }),
  fc.record({ do: fc.constant('revoke' as const), by: member, role: roleId, from: member }),
  fc.record({ do: fc.constant('override' as const), by: member, user: member, bits }),
)
type Step = typeof step extends fc.Arbitrary<infer S> ? S : never

forEachEngine('whatever members try with roles', (engine) => {
  it('nobody rises by it, reaches above, or takes the last administrator', async () => {
    await using opened = new AsyncDisposableStack()
    const env = { VOX_DATABASE_URL: await engine.freshUrl() }
    const passwordCost = { memory: 8, passes: 1, parallelism: 1 }
    const core = await openCore({ env, log: pino({ level: 'silent' }), clock: systemClock, passwordCost }, opened)
    await populate(core)
    const deeds = new Deeds(core as unknown as Services)
    let done = 0
    for (const attempt of fc.sample(step, { numRuns: engine.name === 'sqlite' ? STEPS : STEPS / 5, seed: 20261123 })) {
      const before = snapshot(core.community)
      if (!(await succeeds(deeds, attempt))) continue
      done++
      checkFair(attempt, before, core.community)
    }
    assert.ok(done > 50, `only ${done} attempts succeeded`)
  })
})

async function populate(core: Core): Promise<void> {
  const services = core as unknown as Services
  for (let n = 1; n <= MEMBERS; n++)
    await registerAccount(services, { username: `user${n}`, password: 'correct horse' })
  const roles = new RoleService(services)
  const assignments = new AssignmentService(services)
  for (let n = 2; n <= 5; n++) {
    const { role_id } = await roles.create(1, {
      name: `rank ${n}`,
      position: n * 2,
      permissions: Permission.MANAGE_ROLES | (n < 5 ? (BITS[n] ?? 0n) : 0n),
    })
    await assignments.assign(1, n, role_id)
  }
  await core.work.run(async (job) => {
    await job.db
      .insertInto('feeds')
      .values({ name: 'feed', type: 'text', topic: null, category_id: null, position: 0 })
      .execute()
    job.change((picture) =>
      picture.setFeed({
        id: 1,
        name: 'feed',
        type: 'text',
        topic: null,
        categoryId: null,
        position: 0,
        nsfw: false,
        slowmodeSeconds: 0,
        overrides: [],
      }),
    )
  })
}

/** The services, called as the endpoints call them. */
class Deeds {
  readonly #roles: RoleService
  readonly #assignments: AssignmentService
  readonly #overrides: OverrideService

  constructor(services: Services) {
    this.#roles = new RoleService(services)
    this.#assignments = new AssignmentService(services)
    this.#overrides = new OverrideService(services)
  }

  do(attempt: Step): Promise<unknown> {
    switch (attempt.do) {
      case 'create':
        return this.#roles.create(attempt.by, { name: 'x', position: attempt.position, permissions: attempt.bits })
      case 'edit':
        return this.#roles.edit(attempt.by, attempt.role, { permissions: attempt.bits })
      case 'move':
        return this.#roles.edit(attempt.by, attempt.role, { position: attempt.position })
      case 'delete':
        return this.#roles.delete(attempt.by, attempt.role)
      case 'assign':
        return this.#assignments.assign(attempt.by, attempt.to, attempt.role)
      case 'revoke':
        return this.#assignments.revoke(attempt.by, attempt.from, attempt.role)
      case 'override':
        return this.#overrides.set(
          attempt.by,
          { type: 'feed', id: 1 },
          { targetType: 'user', targetId: attempt.user },
          { allow: attempt.bits, deny: 0n },
        )
    }
  }
}

async function succeeds(deeds: Deeds, attempt: Step): Promise<boolean> {
  try {
    await deeds.do(attempt)
    return true
  } catch (error) {
    assert.ok(error instanceof ApiError, String(error))
    return false
  }
}

interface Standing {
  permissions: bigint
  rank: number
}

interface Snapshot {
  standings: Map<number, Standing>
  positions: Map<number, number>
  builtin: Set<number>
}

function snapshot(community: Community): Snapshot {
  const ids = [...community.memberIds()]
  const roles = [...community.roles()]
  return {
    standings: new Map(ids.map((id) => [id, { permissions: community.permissions(id), rank: community.rank(id) }])),
    positions: new Map(roles.map(({ id, position: at }) => [id, at])),
    builtin: new Set(roles.filter((role) => role.builtin).map(({ id }) => id)),
  }
}

function checkFair(attempt: Step, before: Snapshot, community: Community): void {
  const story = JSON.stringify(attempt, (_, value) => (typeof value === 'bigint' ? `${value}` : value))
  const actor = before.standings.get(attempt.by)
  assert.ok(actor)
  for (const [id, { permissions }] of before.standings) {
    const gained = community.permissions(id) & ~permissions
    assert.ok(holds(actor.permissions, gained), `somebody gained what the giver did not hold: ${story}`)
    if (id === attempt.by) assert.equal(gained, 0n, `somebody rose by their own hand: ${story}`)
  }
  if (!holds(actor.permissions, Permission.ADMINISTRATOR)) checkReach(attempt, actor, before, story)
  const administrators = [...before.standings.keys()].filter((id) =>
    holds(community.permissions(id), Permission.ADMINISTRATOR),
  )
  assert.ok(administrators.length > 0, `the last administrator went: ${story}`)
}

/** Whoever is no administrator touches only roles and members below. */
function checkReach(attempt: Step, actor: Standing, before: Snapshot, story: string): void {
  if ('role' in attempt) {
    assert.ok((before.positions.get(attempt.role) ?? -1) > actor.rank, `a role above was touched: ${story}`)
    assert.ok(!before.builtin.has(attempt.role), `@everyone was touched: ${story}`)
  }
  if (attempt.do === 'create' && attempt.position > 0)
    assert.ok(attempt.position > actor.rank, `a role was created above: ${story}`)
  if (attempt.do === 'move') assert.ok(attempt.position > actor.rank, `a role was moved above: ${story}`)
  if (attempt.do === 'override')
    assert.ok((before.standings.get(attempt.user)?.rank ?? -1) > actor.rank, `a member above was touched: ${story}`)
}
