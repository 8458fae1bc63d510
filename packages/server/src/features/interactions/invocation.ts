import { parseJson } from '@vox/protocol'
import type { CommandObject } from '@vox/protocol/endpoints'
import type { Kysely } from 'kysely'
import type { Community } from '../../community/community.ts'
import { prepared } from '../../db/prepared.ts'
import type { Schema } from '../../db/schema.ts'
import type { Work } from '../../events/work.ts'
import { takesPart } from '../dms/participants.ts'
import { commandLine, paramsOf } from './command-line.ts'
import type { Invocation, Place } from './interaction.ts'

const commandNamed = prepared((db, p: { name: string }) =>
  db
    .selectFrom('bot_commands')
    .innerJoin('bots', 'bots.bot_id', 'bot_commands.bot_id')
    .select(['bots.bot_id', 'bots.user_id', 'params'])
    .where('name', '=', p.name),
)

/** A message about to be sent. */
interface Sending {
  userId: number
  place: Place
  body: string | null
}

/**
 * The command that a message calls, if it is one of a bot that is there to hear it (spec 04, section 11.4). What bots
 * write calls nothing, so that no two of them keep each other busy.
 */
export async function invocationIn(
  { db }: Work,
  community: Community,
  { userId, place, body }: Sending,
): Promise<Invocation | undefined> {
  const line = commandLine(body)
  if (!line || community.accounts.bots.has(userId)) return undefined
  const [command] = await commandNamed(db, { name: line.name })
  if (!command || !(await isPresent(db, community, command.user_id, place))) return undefined
  const declared = (parseJson(command.params) as CommandObject['params']).map(({ name }) => name)
  return {
    bot_id: command.bot_id,
    botUserId: command.user_id,
    user_id: userId,
    place,
    use: { type: 'slash_command', command: line.name, params: paramsOf(line.words, declared) },
  }
}

/** Whether somebody, bot or not, is active and sees what is in a place, so as to learn of what is done there. */
export async function isPresent(
  db: Kysely<Schema>,
  community: Community,
  userId: number,
  { feed_id, dm_id }: Place,
): Promise<boolean> {
  if (feed_id !== null) return community.sees(userId, { type: 'feed', id: feed_id })
  return dm_id !== null && community.isMember(userId) && takesPart(db, userId, dm_id)
}
