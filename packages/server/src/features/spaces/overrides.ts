import { ApiError, holds, Permission, permissionOverrideDelete, permissionOverrideUpdate } from '@vox/protocol'
import type { OverrideObject } from '@vox/protocol/endpoints'
import type { Community, Override } from '../../community/community.ts'
import type { Core } from '../../core.ts'
import type { SpaceRef } from '../../events/audience.ts'
import type { Work } from '../../events/work.ts'
import { demandPermission } from '../../http/pipeline.ts'
import { demandAccount } from '../users/accounts.ts'
import { visibleSpace } from './sight.ts'

/** Overrides a feed or room may have (spec 03, section 20). */
const MAX_OVERRIDES = 500

type Target = Pick<Override, 'targetType' | 'targetId'>
type Rights = Pick<Override, 'allow' | 'deny'>

const NEUTRAL: Rights = { allow: 0n, deny: 0n }

/** Whom a path names; anything but a role or user has an error code of its own. */
export function targetOf({
  target_type: type,
  target_id: targetId,
}: {
  target_type: string
  target_id: number
}): Target {
  if (type !== 'role' && type !== 'user') throw new ApiError('INVALID_TARGET_TYPE')
  return { targetType: type, targetId }
}

/** Roles first, then users, each by id (spec 03, section 10). */
const inListOrder = (overrides: readonly Override[]): Override[] =>
  overrides.toSorted((a, b) => a.targetType.localeCompare(b.targetType) || a.targetId - b.targetId)

const isAbout =
  ({ targetType, targetId }: Target) =>
  (override: Override): boolean =>
    override.targetType === targetType && override.targetId === targetId

/** The overrides that a new space begins with, if the caller may set them all. */
export async function checkInitial(
  job: Work,
  community: Community,
  callerId: number,
  wanted: readonly OverrideObject[],
): Promise<Override[]> {
  if (wanted.length > 0) demandPermission(community.permissions(callerId), Permission.MANAGE_ROLES)
  const overrides = wanted.map(({ allow, deny, ...target }) => ({ ...targetOf(target), allow, deny }))
  for (const override of overrides) {
    await demandTarget(job, community, override)
    demandRight(community, callerId, override, override.allow | override.deny)
  }
  return inListOrder(overrides)
}

/** Stores the overrides of a space that has none for these targets yet. */
export async function insertOverrides(job: Work, space: SpaceRef, overrides: readonly Override[]): Promise<void> {
  if (overrides.length === 0) return
  const rows = overrides.map(({ allow, deny, ...target }) => ({ ...keyOf(space, target), allow, deny }))
  await job.db.insertInto('permission_overrides').values(rows).execute()
}

/** What single roles and users are allowed and denied in single spaces (spec 03, section 10). */
export class OverrideService {
  readonly #services: Core

  constructor(services: Core) {
    this.#services = services
  }

  /** Creates or replaces an override. */
  set(callerId: number, space: SpaceRef, target: Target, rights: Rights): Promise<void> {
    const { work, community } = this.#services
    return work.run(async (job) => {
      const present = this.#present(callerId, space)
      await demandTarget(job, community, target)
      const before = present.find(isAbout(target))
      demandRight(community, callerId, target, changedBits(before, rights))
      if (before && before.allow === rights.allow && before.deny === rights.deny) return
      if (!before && present.length >= MAX_OVERRIDES)
        throw new ApiError('INVALID_OPERATION', { message: `A space has at most ${MAX_OVERRIDES} overrides.` })
      await deleteRow(job, space, target)
      await insertOverrides(job, space, [{ ...target, ...rights }])
      const data = { ...eventTarget(space, target), ...rights }
      const others = present.filter((override) => override !== before)
      job.changePermissions(
        (picture) => setOverrides(picture, space, inListOrder([...others, { ...target, ...rights }])),
        { event: permissionOverrideUpdate, data, audience: { to: 'viewers', space } },
        affectedBy(target),
      )
      job.audit({ type: 'permission_override.update', actor: callerId, target: target.targetId, metadata: data })
    })
  }

  /** Removes an override, if there is one. */
  delete(callerId: number, space: SpaceRef, target: Target): Promise<void> {
    const { work, community } = this.#services
    return work.run(async (job) => {
      const present = this.#present(callerId, space)
      const before = present.find(isAbout(target))
      demandRight(community, callerId, target, changedBits(before, NEUTRAL))
      if (!before) return
      await deleteRow(job, space, target)
      const data = eventTarget(space, target)
      job.changePermissions(
        (picture) =>
          setOverrides(
            picture,
            space,
            present.filter((override) => override !== before),
          ),
        { event: permissionOverrideDelete, data, audience: { to: 'viewers', space } },
        affectedBy(target),
      )
      job.audit({ type: 'permission_override.delete', actor: callerId, target: target.targetId, metadata: data })
    })
  }

  /** The space's overrides, for a caller who may manage roles and sees the space. */
  #present(callerId: number, space: SpaceRef): readonly Override[] {
    const { community } = this.#services
    demandPermission(community.permissions(callerId), Permission.MANAGE_ROLES)
    return visibleSpace(community, callerId, space).overrides
  }
}

async function demandTarget(job: Work, community: Community, { targetType, targetId }: Target): Promise<void> {
  if (targetType === 'user') await demandAccount(job.db, targetId)
  else if (!community.role(targetId))
    throw new ApiError('SPACE_NOT_FOUND', { message: `There is no role ${targetId}.` })
}

/** The target has to be below the caller, and the caller has to hold every bit that changes; administrators are exempt. */
function demandRight(community: Community, callerId: number, target: Target, changed: bigint): void {
  const held = community.permissions(callerId)
  if (holds(held, Permission.ADMINISTRATOR)) return
  if (!isBelow(community, callerId, target)) throw new ApiError('ROLE_HIERARCHY')
  demandPermission(held, changed)
}

/** Lower positions are higher ranks; `@everyone`, and a role that does not exist, are below everybody. */
function isBelow(community: Community, callerId: number, { targetType, targetId }: Target): boolean {
  const rank = community.rank(callerId)
  if (targetType === 'user') return community.rank(targetId) > rank
  const role = community.role(targetId)
  return !role || role.builtin || role.position > rank
}

function changedBits(before: Rights = NEUTRAL, after: Rights): bigint {
  return (before.allow ^ after.allow) | (before.deny ^ after.deny)
}

function keyOf(space: SpaceRef, { targetType, targetId }: Target) {
  return {
    feed_id: space.type === 'feed' ? space.id : null,
    room_id: space.type === 'room' ? space.id : null,
    role_id: targetType === 'role' ? targetId : null,
    user_id: targetType === 'user' ? targetId : null,
  }
}

async function deleteRow(job: Work, space: SpaceRef, { targetType, targetId }: Target): Promise<void> {
  await job.db
    .deleteFrom('permission_overrides')
    .where(space.type === 'feed' ? 'feed_id' : 'room_id', '=', space.id)
    .where(targetType === 'role' ? 'role_id' : 'user_id', '=', targetId)
    .execute()
}

const eventTarget = (space: SpaceRef, { targetType, targetId }: Target) => ({
  space_type: space.type,
  space_id: space.id,
  target_type: targetType,
  target_id: targetId,
})

/** Whose sight of the space a change can touch; of a role, anybody's. */
const affectedBy = ({ targetType, targetId }: Target): number[] | undefined =>
  targetType === 'user' ? [targetId] : undefined

function setOverrides(picture: Community, { type, id }: SpaceRef, overrides: readonly Override[]): void {
  const { feeds, rooms } = picture.layout
  const feed = type === 'feed' && feeds.get(id)
  const room = type === 'room' && rooms.get(id)
  if (feed) picture.setFeed({ ...feed, overrides })
  if (room) picture.setRoom({ ...room, overrides })
}
