import { endpoint } from '../endpoint.ts'
import { Fields, Flag, Id, List, Maybe, Nullable, OneOf, refine, type Static, Text, UserSegment } from '../schema.ts'
import { BOT_TARGET_ERRORS } from './common.ts'

/** Most commands a bot may have, and most parameters of a command (spec 04, section 1.9). */
export const MAX_COMMANDS = 100
const MAX_PARAMS = 25

const MAX_CHOICES = 25
const MAX_CHOICE = 100

const ParamType = OneOf('string', 'integer', 'boolean', 'user', 'feed', 'role')

/** A parameter as it is shown. What it says is for clients; the server enforces none of it. */
const CommandParam = Fields({
  name: Text(),
  description: Nullable(Text()),
  required: Flag,
  type: Nullable(ParamType),
  choices: Nullable(List(Text())),
})

/** A command as it is shown (spec 04, section 11.3). */
export const CommandObject = Fields({ name: Text(), description: Nullable(Text()), params: List(CommandParam) })
/** A command as it is shown. */
export type CommandObject = Static<typeof CommandObject>

const named = (excluded: string) =>
  refine(Text({ min: 1, max: 'command_name_max' }), (name) =>
    /\p{White_Space}/u.test(name) || name.includes(excluded)
      ? `must contain neither white space nor ${excluded}`
      : undefined,
  )

const Description = Text({ max: 'command_description_max' })

const NewParam = Fields({
  name: named('='),
  description: Maybe(Description),
  required: Maybe(Flag),
  type: Maybe(ParamType),
  choices: Maybe(List(Text({ max: MAX_CHOICE }), { max: MAX_CHOICES })),
})

/** A command as a bot registers it; parameter names are unique within it (spec 04, section 11.3). */
export const NewCommand = Fields({
  name: named('/'),
  description: Maybe(Description),
  params: Maybe(
    refine(List(NewParam, { max: MAX_PARAMS }), (params) =>
      new Set(params.map(({ name }) => name)).size < params.length ? 'names a parameter twice' : undefined,
    ),
  ),
})
/** A command as a bot registers it. */
export type NewCommand = Static<typeof NewCommand>

/** The bot itself, its owner or an administrator. */
const ofBot = {
  path: '/bots/:user_id/commands',
  auth: 'session',
  requires: { permission: 'ADMINISTRATOR', unlessSelf: true, unlessOwner: true },
  params: Fields({ user_id: UserSegment() }),
} as const

/** Adds commands, all or none; a name is unique on the whole server (spec 04, section 11.3). */
export const registerCommands = endpoint({
  ...ofBot,
  method: 'PUT',
  summary: 'Register commands',
  body: Fields({ commands: List(NewCommand, { max: MAX_COMMANDS }) }),
  reply: { 200: Fields({ ok: Flag, commands: List(CommandObject) }) },
  errors: [...BOT_TARGET_ERRORS, 'PAYLOAD_TOO_LARGE', 'CMD_ALREADY_REGISTERED', 'INVALID_OPERATION'],
})

/** The commands of a bot in the order of registration (spec 04, section 11.3). */
export const listBotCommands = endpoint({
  ...ofBot,
  method: 'GET',
  summary: 'Commands of a bot',
  reply: { 200: Fields({ commands: List(CommandObject) }) },
  errors: BOT_TARGET_ERRORS,
})

/** Removes commands, all or none (spec 04, section 11.3). */
export const deregisterCommands = endpoint({
  ...ofBot,
  method: 'DELETE',
  summary: 'Deregister commands',
  body: Fields({ command_names: List(Text(), { max: MAX_COMMANDS }) }),
  reply: { 200: Fields({ ok: Flag }) },
  errors: [...BOT_TARGET_ERRORS, 'CMD_NOT_FOUND'],
})

/** The commands of all active bots in the order of registration (spec 04, section 11.3). */
export const listCommands = endpoint({
  method: 'GET',
  path: '/commands',
  summary: 'Commands of all bots',
  auth: 'session',
  reply: {
    200: Fields({ commands: List(Fields({ ...CommandObject.properties, bot_id: Id, bot_user_id: Id })) }),
  },
})
