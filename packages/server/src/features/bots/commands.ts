import { ApiError, botCommandsDelete, botCommandsUpdate, parseJson, stringifyJson } from '@vox/protocol'
import { type CommandObject, MAX_COMMANDS, type NewCommand } from '@vox/protocol/endpoints'
import type { Kysely } from 'kysely'
import type { Schema } from '../../db/schema.ts'
import type { Work } from '../../events/work.ts'
import type { Services } from '../../services.ts'
import { demandBot } from './store.ts'

/** Most that one registration may have, bytes of compact JSON (spec 04, section 1.9). */
const MAX_REGISTRATION = 256 * 1024

/** The slash commands of bots (spec 04, section 11.3). */
export class Commands {
  readonly #services: Services

  constructor(services: Services) {
    this.#services = services
  }

  register(userId: number, definitions: readonly NewCommand[]): Promise<CommandObject[]> {
    const { work, community } = this.#services
    const size = Buffer.byteLength(stringifyJson(definitions))
    return work.run(async (job) => {
      const { botId } = await demandBot(job.db, community, userId)
      if (size > MAX_REGISTRATION)
        throw new ApiError('PAYLOAD_TOO_LARGE', { message: 'The commands of a request may have at most 256 KiB.' })
      const commands = definitions.map(completed)
      if (commands.length === 0) return commands
      await insert(job, botId, commands)
      if ((await commandsOf(job.db, botId).execute()).length > MAX_COMMANDS)
        throw new ApiError('INVALID_OPERATION', { message: `A bot may have at most ${MAX_COMMANDS} commands.` })
      job.emit(botCommandsUpdate, { bot_id: botId, commands }, { to: 'members' })
      return commands
    })
  }

  async ofBot(userId: number): Promise<CommandObject[]> {
    const { db, community } = this.#services
    const { botId } = await demandBot(db.read, community, userId)
    return (await commandsOf(db.read, botId).execute()).map(commandObject)
  }

  deregister(userId: number, names: readonly string[]): Promise<void> {
    const { work, community } = this.#services
    return work.run(async (job) => {
      const { botId } = await demandBot(job.db, community, userId)
      const command_names = [...new Set(names)]
      if (command_names.length === 0) return
      const removed = await removeCommands(job, botId, command_names)
      if (removed.length < command_names.length) throw new ApiError('CMD_NOT_FOUND')
      job.emit(botCommandsDelete, { bot_id: botId, command_names }, { to: 'members' })
    })
  }
}

/** The commands of all active bots, with whose they are. */
export async function allCommands(db: Kysely<Schema>) {
  const rows = await db
    .selectFrom('bot_commands')
    .innerJoin('bots', 'bots.bot_id', 'bot_commands.bot_id')
    .innerJoin('users', 'users.user_id', 'bots.user_id')
    .select(['name', 'description', 'params', 'bots.bot_id', 'bots.user_id'])
    .where('users.active', '=', true)
    .where('users.joined_at', 'is not', null)
    .orderBy('command_id')
    .execute()
  return rows.map((row) => ({ ...commandObject(row), bot_id: row.bot_id, bot_user_id: row.user_id }))
}

/** Removes all commands of a bot, or those of these names; which ones it had. */
export async function removeCommands(job: Work, botId: number, names?: readonly string[]): Promise<string[]> {
  const removed = await job.db
    .deleteFrom('bot_commands')
    .where('bot_id', '=', botId)
    .$if(names !== undefined, (rows) => rows.where('name', 'in', names ?? []))
    .returning('name')
    .execute()
  return removed.map(({ name }) => name)
}

/** The constraint decides, so that of two registrations of one name the second fails, whoever makes it. */
async function insert(job: Work, botId: number, commands: readonly CommandObject[]): Promise<void> {
  const inserted = await job.db
    .insertInto('bot_commands')
    .values(commands.map((command) => ({ bot_id: botId, ...command, params: stringifyJson(command.params) })))
    .onConflict((taken) => taken.doNothing())
    .returning('command_id')
    .execute()
  if (inserted.length < commands.length) throw new ApiError('CMD_ALREADY_REGISTERED')
}

const commandsOf = (db: Kysely<Schema>, botId: number) =>
  db
    .selectFrom('bot_commands')
    .select(['name', 'description', 'params'])
    .where('bot_id', '=', botId)
    .orderBy('command_id')

/** A definition with everything that was left out. */
function completed({ name, description, params = [] }: NewCommand): CommandObject {
  return {
    name,
    description: description ?? null,
    params: params.map((param) => ({
      name: param.name,
      description: param.description ?? null,
      required: param.required ?? false,
      type: param.type ?? null,
      choices: param.choices ?? null,
    })),
  }
}

/** A stored command in its wire form. */
function commandObject({ name, description, params }: Stored): CommandObject {
  return { name, description, params: parseJson(params) as CommandObject['params'] }
}

interface Stored {
  name: string
  description: string | null
  params: string
}
