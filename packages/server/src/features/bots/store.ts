import { ApiError } from '@vox/protocol'
import type { BotObject } from '@vox/protocol/endpoints'
import type { Kysely } from 'kysely'
import { seconds } from '../../clock.ts'
import type { Bot } from '../../community/accounts.ts'
import type { Community } from '../../community/community.ts'
import type { Schema } from '../../db/schema.ts'
import { demandAccount } from '../users/accounts.ts'

/**
 * The bot behind an account.
 *
 * @throws ApiError `USER_NOT_FOUND` if there is no such account, `FORBIDDEN` if it is none of a bot.
 */
export async function demandBot(db: Kysely<Schema>, { accounts }: Community, userId: number): Promise<Bot> {
  const bot = accounts.bots.get(userId)
  if (bot) return bot
  await demandAccount(db, userId)
  throw new ApiError('FORBIDDEN', { message: 'The account is none of a bot.' })
}

/** Bots with what is public of their accounts, as a query to be narrowed down. */
export function botRows(db: Kysely<Schema>) {
  return db
    .selectFrom('bots')
    .innerJoin('users', 'users.user_id', 'bots.user_id')
    .select(['bot_id', 'bots.user_id', 'username', 'display_name', 'avatar', 'owner_id', 'interaction_url'])
    .select('bots.created_at')
}

type BotRow = Awaited<ReturnType<ReturnType<typeof botRows>['executeTakeFirstOrThrow']>>

/** A bot in its wire form. */
export const botObject = (row: BotRow): BotObject => ({ ...row, created_at: seconds(row.created_at) })

/** The bot of an account of which it is known that it is one. */
export async function readBot(db: Kysely<Schema>, userId: number): Promise<BotObject> {
  return botObject(await botRows(db).where('bots.user_id', '=', userId).executeTakeFirstOrThrow())
}
