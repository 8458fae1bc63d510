/** Webhooks, bots and their commands (spec 06, section 13.11; spec 04, section 11.5). */
import { CommandObject } from '../../endpoints/commands.ts'
import { Fields, Id, JsonObject, List, Maybe, Nullable, OneOf, Snowflake, Text } from '../../schema.ts'
import { Change, event, InOnePlace } from '../event.ts'

/** A webhook was created. Its token is told to nobody here. */
export const webhookCreate = event('webhook_create', Fields({ webhook_id: Id, feed_id: Id, name: Text() }), 'webhooks')

/** What really changed in a webhook. */
export const webhookUpdate = event(
  'webhook_update',
  Change({ webhook_id: Id }, { name: Maybe(Text()), avatar: Maybe(Nullable(Text())) }),
  'webhooks',
)

/** A webhook was deleted. */
export const webhookDelete = event('webhook_delete', Fields({ webhook_id: Id }), 'webhooks')

/** A bot has registered these commands. `bot_id` is the id of the bot's record, not of its user. */
export const botCommandsUpdate = event(
  'bot_commands_update',
  Fields({ bot_id: Id, commands: List(CommandObject, { min: 1 }) }),
  'bots',
)

/** These commands of a bot are gone. */
export const botCommandsDelete = event(
  'bot_commands_delete',
  Fields({ bot_id: Id, command_names: List(Text(), { min: 1 }) }),
  'bots',
)

/**
 * What an interaction says: a slash command has `command` and `params`, a component (type `button`, menus too) has
 * `component_id`, `msg_id`, `component_type` and `values`.
 */
const interaction = {
  id: Text(),
  interaction_id: Text(),
  type: OneOf('slash_command', 'button'),
  bot_id: Id,
  user_id: Id,
  feed_id: Nullable(Id),
  dm_id: Nullable(Id),
  thread_id: Nullable(Id),
  command: Maybe(Text()),
  params: Maybe(JsonObject),
  component_id: Maybe(Text()),
  component_type: Maybe(OneOf('button', 'select')),
  values: Maybe(List(Text())),
  msg_id: Maybe(Snowflake),
}

/** Somebody uses a bot. Clients look for the keys either in `d` or in `interaction`, so they are in both. */
export const interactionCreate = event(
  'interaction_create',
  InOnePlace({ ...interaction, interaction: InOnePlace(interaction) }),
)
