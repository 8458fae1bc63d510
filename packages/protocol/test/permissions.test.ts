import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import {
  ALL_PERMISSIONS,
  DEFAULT_EVERYONE_PERMISSIONS,
  holds,
  lowestMissing,
  Permission,
  type PermissionName,
  permissionSet,
} from '../src/index.ts'

/** The bits of spec 01, section 9.1, as the document numbers them. */
const BITS: Readonly<Record<PermissionName, number>> = {
  VIEW_SPACE: 0,
  SEND_MESSAGES: 1,
  SEND_EMBEDS: 2,
  ATTACH_FILES: 3,
  ADD_REACTIONS: 4,
  READ_HISTORY: 5,
  MENTION_EVERYONE: 6,
  USE_EXTERNAL_EMOJI: 7,
  CONNECT: 8,
  SPEAK: 9,
  VIDEO: 10,
  MUTE_MEMBERS: 11,
  DEAFEN_MEMBERS: 12,
  MOVE_MEMBERS: 13,
  PRIORITY_SPEAKER: 14,
  STREAM: 15,
  STAGE_MODERATOR: 16,
  CREATE_THREADS: 17,
  MANAGE_THREADS: 18,
  SEND_IN_THREADS: 19,
  MANAGE_SPACES: 24,
  MANAGE_ROLES: 25,
  MANAGE_EMOJI: 26,
  MANAGE_WEBHOOKS: 27,
  MANAGE_SERVER: 28,
  KICK_MEMBERS: 29,
  BAN_MEMBERS: 30,
  CREATE_INVITES: 31,
  CHANGE_NICKNAME: 32,
  MANAGE_NICKNAMES: 33,
  VIEW_AUDIT_LOG: 34,
  MANAGE_MESSAGES: 35,
  VIEW_REPORTS: 36,
  MANAGE_2FA: 37,
  MANAGE_REPORTS: 38,
  ADMINISTRATOR: 62,
}

const anySet = fc.bigInt({ min: 0n, max: ALL_PERMISSIONS })
const bitsOf = (set: bigint): number[] =>
  Array.from({ length: 63 }, (_, bit) => bit).filter((bit) => (set >> BigInt(bit)) & 1n)

describe('Permission', () => {
  it('numbers the bits as the protocol does', () => {
    const numbers = Object.fromEntries(Object.entries(Permission).map(([name, bit]) => [name, bitsOf(bit)]))
    assert.deepEqual(numbers, Object.fromEntries(Object.entries(BITS).map(([name, bit]) => [name, [bit]])))
  })

  it('gives administrators every bit below 2^63', () => {
    assert.equal(ALL_PERMISSIONS, 9223372036854775807n)
  })

  it('gives @everyone the documented default', () => {
    assert.equal(DEFAULT_EVERYONE_PERMISSIONS, 6443107123n)
    assert.equal(DEFAULT_EVERYONE_PERMISSIONS, 0x1800a0333n)
  })
})

describe('permissionSet', () => {
  it('unites the named bits', () => {
    assert.equal(permissionSet(), 0n)
    assert.equal(permissionSet('VIEW_SPACE', 'CONNECT', 'CONNECT'), 0x101n)
  })
})

describe('holds', () => {
  it('needs every required bit and ignores the others', () => {
    fc.assert(
      fc.property(anySet, anySet, (held, required) => {
        const missing = bitsOf(required).filter((bit) => !bitsOf(held).includes(bit))
        assert.equal(holds(held, required), missing.length === 0)
      }),
    )
  })

  it('is satisfied by anything when nothing is required', () => {
    assert.equal(holds(0n, 0n), true)
  })
})

describe('lowestMissing', () => {
  it('names the lowest bit that is missing', () => {
    const required = permissionSet('MANAGE_MESSAGES', 'READ_HISTORY', 'VIEW_SPACE')
    assert.equal(lowestMissing(permissionSet('VIEW_SPACE'), required), 'read_history')
    assert.equal(lowestMissing(permissionSet('VIEW_SPACE', 'READ_HISTORY'), required), 'manage_messages')
    assert.equal(lowestMissing(0n, Permission.ADMINISTRATOR), 'administrator')
  })

  it('names nothing when nothing is missing or the bit is reserved', () => {
    assert.equal(lowestMissing(ALL_PERMISSIONS, ALL_PERMISSIONS), undefined)
    assert.equal(lowestMissing(0n, 0n), undefined)
    assert.equal(lowestMissing(0n, 1n << 20n), undefined)
  })

  it('agrees with counting the bits', () => {
    const names = Object.fromEntries(Object.entries(BITS).map(([name, bit]) => [bit, name.toLowerCase()]))
    fc.assert(
      fc.property(anySet, anySet, (held, required) => {
        const lowest = bitsOf(required).find((bit) => !bitsOf(held).includes(bit))
        assert.equal(lowestMissing(held, required), lowest === undefined ? undefined : names[lowest])
      }),
    )
  })
})
