import { holds, Permission } from '@vox/protocol'

/** Stands for everyone in a list of mentions. */
export const EVERYONE = 0

/** The mentions that an author with these permissions may make: each once, everyone only with `MENTION_EVERYONE`. */
export function acceptedMentions(wanted: readonly number[], held: bigint): number[] {
  const mayMentionEveryone = holds(held, Permission.MENTION_EVERYONE)
  return [...new Set(wanted)].filter((id) => id !== EVERYONE || mayMentionEveryone)
}

/** The mentions that participants of a conversation may make: of these users, each once, and of everyone. */
export function mentionsAmong(userIds: readonly number[], wanted: readonly number[]): number[] {
  return [...new Set(wanted)].filter((id) => id === EVERYONE || userIds.includes(id))
}
