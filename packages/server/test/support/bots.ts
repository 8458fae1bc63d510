import assert from 'node:assert/strict'
import { Client } from './server.ts'

/** A bot's account with its token. */
export type Bot = Client & { userId: number; botId: number; secret: string }

/** Makes a bot, by default without a callback. */
export async function createBot(
  admin: Client,
  username: string,
  wishes: { interaction_url?: string; commands?: readonly string[] } = {},
): Promise<Bot> {
  const { commands = [], ...rest } = wishes
  const { status, body } = await admin.post('/bots', { username, ...rest })
  assert.equal(status, 201, JSON.stringify(body))
  const secrets = { userId: body.user_id, botId: body.bot_id, secret: body.interaction_secret }
  const bot = Object.assign(new Client(admin.url, body.token), secrets)
  if (commands.length > 0) await registerCommands(bot, ...commands)
  return bot
}

/** Registers commands of these names for the bot. */
export async function registerCommands(bot: Client, ...names: readonly string[]): Promise<void> {
  const { status } = await bot.put('/bots/@me/commands', { commands: names.map((name) => ({ name })) })
  assert.equal(status, 200)
}
