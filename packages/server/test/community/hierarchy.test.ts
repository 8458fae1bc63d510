import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { ApiError, Permission } from '@vox/protocol'
import { Community } from '../../src/community/community.ts'
import { demandAbove, demandAdministratorRemains, isAbove, type Loss } from '../../src/community/hierarchy.ts'

const [EVERYONE, ADMIN, MODERATOR, HELPER, SECOND_ADMIN] = [1, 2, 3, 4, 5]
const [ALICE, BOB, CAROL, DAVE] = [10, 11, 12, 13]

/** A community with these roles and members; `@everyone` stands highest by number, which must mean nothing. */
function community(members: Record<number, number[]>): Community {
  const picture = new Community()
  picture.setRole({ id: EVERYONE, position: 0, permissions: 0n, builtin: true })
  picture.setRole({ id: ADMIN, position: 1, permissions: Permission.ADMINISTRATOR, builtin: false })
  picture.setRole({ id: MODERATOR, position: 10, permissions: Permission.KICK_MEMBERS, builtin: false })
  picture.setRole({ id: HELPER, position: 20, permissions: 0n, builtin: false })
  picture.setRole({ id: SECOND_ADMIN, position: 30, permissions: Permission.ADMINISTRATOR, builtin: false })
  for (const [userId, roleIds] of Object.entries(members)) picture.setMember(Number(userId), roleIds)
  return picture
}

describe('rank', () => {
  it('counts by the lowest position held, and must be strictly higher', () => {
    const picture = community({ [ALICE]: [MODERATOR, HELPER], [BOB]: [HELPER], [CAROL]: [MODERATOR], [DAVE]: [] })
    assert.ok(isAbove(picture, ALICE, BOB))
    assert.ok(!isAbove(picture, BOB, ALICE))
    assert.ok(!isAbove(picture, ALICE, CAROL))
    assert.ok(!isAbove(picture, ALICE, ALICE))
    assert.ok(isAbove(picture, BOB, DAVE))
  })

  it('of somebody without roles is below everybody and above nobody, also above those who have left', () => {
    const picture = community({ [ALICE]: [HELPER], [BOB]: [], [CAROL]: [] })
    assert.ok(!isAbove(picture, BOB, CAROL))
    assert.ok(!isAbove(picture, BOB, DAVE))
    assert.ok(isAbove(picture, ALICE, DAVE))
  })

  it('does not bind administrators, however low their role', () => {
    const picture = community({ [ALICE]: [SECOND_ADMIN], [BOB]: [ADMIN], [CAROL]: [MODERATOR] })
    assert.ok(isAbove(picture, ALICE, BOB))
    assert.ok(isAbove(picture, ALICE, CAROL))
    assert.ok(isAbove(picture, CAROL, ALICE))
  })

  it('is demanded with ROLE_HIERARCHY', () => {
    const picture = community({ [ALICE]: [MODERATOR], [BOB]: [HELPER] })
    demandAbove(picture, ALICE, BOB)
    assert.throws(() => demandAbove(picture, BOB, ALICE), refusal('ROLE_HIERARCHY'))
  })
})

describe('the last administrator', () => {
  const refuses = (picture: Community, loss: Loss) =>
    assert.throws(() => demandAdministratorRemains(picture, loss), refusal('INVALID_TARGET'))
  const admits = (picture: Community, loss: Loss) => demandAdministratorRemains(picture, loss)

  it('can lose neither the role, nor its bit, nor the membership', () => {
    const picture = community({ [ALICE]: [ADMIN], [BOB]: [MODERATOR] })
    refuses(picture, { userId: ALICE })
    refuses(picture, { roleId: ADMIN })
    refuses(picture, { userId: ALICE, roleId: ADMIN })
  })

  it('is no obstacle to what takes no administrator away', () => {
    const picture = community({ [ALICE]: [ADMIN, HELPER], [BOB]: [MODERATOR] })
    admits(picture, { userId: BOB })
    admits(picture, { userId: DAVE })
    admits(picture, { roleId: MODERATOR })
    admits(picture, { roleId: SECOND_ADMIN })
    admits(picture, { userId: BOB, roleId: ADMIN })
    admits(picture, { userId: ALICE, roleId: HELPER })
    admits(community({ [ALICE]: [] }), { userId: ALICE })
  })

  it('is not the last when another holds the same role or a second one', () => {
    const same = community({ [ALICE]: [ADMIN], [BOB]: [ADMIN] })
    admits(same, { userId: ALICE })
    admits(same, { userId: ALICE, roleId: ADMIN })
    refuses(same, { roleId: ADMIN })
    const other = community({ [ALICE]: [ADMIN], [BOB]: [SECOND_ADMIN] })
    admits(other, { roleId: ADMIN })
    const twice = community({ [ALICE]: [ADMIN, SECOND_ADMIN] })
    admits(twice, { userId: ALICE, roleId: ADMIN })
    admits(twice, { roleId: SECOND_ADMIN })
    refuses(twice, { userId: ALICE })
  })

  it('is a person of this server: bots and guests do not count', () => {
    const picture = community({ [ALICE]: [ADMIN], [BOB]: [ADMIN], [CAROL]: [ADMIN] })
    picture.accounts.bots.set(BOB, { botId: 1, ownerId: ALICE, interactionUrl: null })
    picture.accounts.remote.add(CAROL)
    refuses(picture, { userId: ALICE })
    admits(picture, { userId: BOB })
    admits(picture, { userId: CAROL })
  })

  it('is an active member: those who left do not count', () => {
    const picture = community({ [ALICE]: [ADMIN], [BOB]: [ADMIN] })
    picture.deleteMember(BOB)
    refuses(picture, { userId: ALICE })
  })
})

function refusal(code: string) {
  return (error: unknown) => error instanceof ApiError && error.code === code
}
