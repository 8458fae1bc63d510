/** Permission bits (spec 01, section 9.1). A permission set is a `bigint` from 0 to 2^63 − 1. */
export const Permission = {
  VIEW_SPACE: 1n << 0n,
  SEND_MESSAGES: 1n << 1n,
  SEND_EMBEDS: 1n << 2n,
  ATTACH_FILES: 1n << 3n,
  ADD_REACTIONS: 1n << 4n,
  READ_HISTORY: 1n << 5n,
  MENTION_EVERYONE: 1n << 6n,
  USE_EXTERNAL_EMOJI: 1n << 7n,
  CONNECT: 1n << 8n,
  SPEAK: 1n << 9n,
  VIDEO: 1n << 10n,
  MUTE_MEMBERS: 1n << 11n,
  DEAFEN_MEMBERS: 1n << 12n,
  MOVE_MEMBERS: 1n << 13n,
  PRIORITY_SPEAKER: 1n << 14n,
  STREAM: 1n << 15n,
  STAGE_MODERATOR: 1n << 16n,
  CREATE_THREADS: 1n << 17n,
  MANAGE_THREADS: 1n << 18n,
  SEND_IN_THREADS: 1n << 19n,
  MANAGE_SPACES: 1n << 24n,
  MANAGE_ROLES: 1n << 25n,
  MANAGE_EMOJI: 1n << 26n,
  MANAGE_WEBHOOKS: 1n << 27n,
  MANAGE_SERVER: 1n << 28n,
  KICK_MEMBERS: 1n << 29n,
  BAN_MEMBERS: 1n << 30n,
  CREATE_INVITES: 1n << 31n,
  CHANGE_NICKNAME: 1n << 32n,
  MANAGE_NICKNAMES: 1n << 33n,
  VIEW_AUDIT_LOG: 1n << 34n,
  MANAGE_MESSAGES: 1n << 35n,
  VIEW_REPORTS: 1n << 36n,
  MANAGE_2FA: 1n << 37n,
  MANAGE_REPORTS: 1n << 38n,
  ADMINISTRATOR: 1n << 62n,
} as const

/** Name of a permission bit. */
export type PermissionName = keyof typeof Permission

/** Every bit, reserved ones included: what an administrator resolves to. */
export const ALL_PERMISSIONS = (1n << 63n) - 1n

/** What `@everyone` holds on a fresh server (0x1800A0333). */
export const DEFAULT_EVERYONE_PERMISSIONS = permissionSet(
  'VIEW_SPACE',
  'SEND_MESSAGES',
  'ADD_REACTIONS',
  'READ_HISTORY',
  'CONNECT',
  'SPEAK',
  'CREATE_THREADS',
  'SEND_IN_THREADS',
  'CREATE_INVITES',
  'CHANGE_NICKNAME',
)

/** The union of the named bits. */
export function permissionSet(...names: PermissionName[]): bigint {
  return names.reduce((set, name) => set | Permission[name], 0n)
}

/** Whether `held` has every bit of `required`. */
export function holds(held: bigint, required: bigint): boolean {
  return (held & required) === required
}

/**
 * Lower-case name of the lowest bit that `required` has and `held` lacks, for `missing_permission` of an error
 * (spec 01, section 5.1); undefined when nothing is missing or the bit has no name.
 */
export function lowestMissing(held: bigint, required: bigint): string | undefined {
  const missing = required & ~held
  const lowest = missing & -missing
  return Object.entries(Permission)
    .find(([, bit]) => bit === lowest)?.[0]
    .toLowerCase()
}
