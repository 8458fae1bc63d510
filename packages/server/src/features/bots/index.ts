import {
  createBot,
  deleteBot,
  deregisterCommands,
  getBot,
  listBotCommands,
  listBots,
  listCommands,
  registerCommands,
  renewBotToken,
  updateBot,
} from '@vox/protocol/endpoints'
import type { Mount } from '../../http/pipeline.ts'
import type { Services } from '../../services.ts'
import { BotAccounts } from './accounts.ts'
import { allCommands, Commands } from './commands.ts'

/** Bots: accounts behind which programs are, and the commands they answer to. */
export function bots(services: Services, on: Mount): void {
  const accounts = new BotAccounts(services)
  const commands = new Commands(services)

  on(createBot, ({ caller, body }) => accounts.create(caller.userId, body))
  on(listBots, async () => ({ bots: await accounts.list() }))
  on(getBot, ({ params }) => accounts.read(params.user_id))
  on(updateBot, ({ caller, params, body }) => accounts.update(caller.userId, params.user_id, body))
  on(renewBotToken, ({ params }) => accounts.renewToken(params.user_id))
  on(deleteBot, ({ caller, params }) => accounts.delete(caller.userId, params.user_id))

  on(registerCommands, async ({ params, body }) => ({
    ok: true,
    commands: await commands.register(params.user_id, body.commands),
  }))
  on(listBotCommands, async ({ params }) => ({ commands: await commands.ofBot(params.user_id) }))
  on(deregisterCommands, async ({ params, body }) => {
    await commands.deregister(params.user_id, body.command_names)
    return { ok: true }
  })
  on(listCommands, async () => ({ commands: await allCommands(services.db.read) }))
}
