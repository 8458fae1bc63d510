import type { DataOf, interactionCreate } from '@vox/protocol'

/** How long an interaction may be answered (spec 04, section 11.5). */
export const LIFETIME_MS = 15_000

/** Where somebody uses a bot, and where it answers: a feed or a conversation, and the thread of a feed. */
export interface Place {
  feed_id: number | null
  dm_id: number | null
  thread_id: number | null
}

/** A slash command, with what was given to it. */
export interface CommandUse {
  type: 'slash_command'
  command: string
  params: Record<string, string | true>
}

/** A button that was pressed, or a menu from which something was chosen. */
export interface ComponentUse {
  type: 'button'
  component_id: string
  component_type: 'button' | 'select'
  values: string[]
  msg_id: bigint
}

/** What somebody wants of a bot, before it is told. */
export interface Invocation {
  bot_id: number
  /** The account of the bot, the only one that may answer. */
  botUserId: number
  user_id: number
  place: Place
  use: CommandUse | ComponentUse
}

/** An invocation that waits for its answer. Plain data, so that it can be kept outside of the process as well. */
export interface Interaction extends Invocation {
  /** 16 random bytes. */
  id: string
  /** Unix milliseconds. */
  expiresAt: number
  /** The user is told if the bot lets the time pass; not of one that was told by a callback, whose failure shows. */
  tellsSilence: boolean
}

/** What the bot is told, by event or callback. */
export function payloadOf({ id, bot_id, user_id, place, use }: Interaction): DataOf<typeof interactionCreate> {
  const { type, ...details } = use
  const interaction = { id, interaction_id: id, type, bot_id, user_id, ...place, ...details }
  return { ...interaction, interaction }
}
