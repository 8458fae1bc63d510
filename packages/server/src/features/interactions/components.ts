import { ApiError, codePoints, holds, Permission, parseJson } from '@vox/protocol'
import type { Kysely } from 'kysely'
import type { Core } from '../../core.ts'
import type { Schema } from '../../db/schema.ts'
import { takesPart } from '../dms/participants.ts'
import type { MessageRow } from '../messages/messages.ts'
import type { ComponentUse, Invocation } from './interaction.ts'

const MAX_ID = 100
const READABLE = Permission.VIEW_SPACE | Permission.READ_HISTORY

/** What somebody does with a component. */
interface Press {
  msg_id: bigint
  component_id: string
  values?: readonly string[]
}

/** A component as messages keep it. */
interface Stored {
  type: 'button' | 'select'
  custom_id: string
  options?: readonly { value: string }[]
}

/** The invocation that a press is, by somebody who sees the message (spec 04, section 11.7). */
export async function invocationBy(core: Core, userId: number, press: Press): Promise<Invocation> {
  const { db, community } = core
  const message = await findMessage(db.read, press.msg_id)
  if (!message || !(await isReadable(core, userId, message))) throw new ApiError('MESSAGE_NOT_FOUND')
  const { msg_id, author_id, feed_id, dm_id, thread_id } = message
  const bot = author_id === null ? undefined : community.accounts.bots.get(author_id)
  if (!bot || author_id === null) throw new ApiError('NOT_BOT_MESSAGE')
  return {
    bot_id: bot.botId,
    botUserId: author_id,
    user_id: userId,
    place: { feed_id, dm_id, thread_id },
    use: { type: 'button', msg_id, ...pressed(message, press) },
  }
}

/** Anything goes under a message without components: bots of older servers draw theirs by other means. */
function pressed(message: MessageRow, { component_id, values = [] }: Press): Omit<ComponentUse, 'type' | 'msg_id'> {
  if (codePoints(component_id) > MAX_ID) throw invalid(`component_id: must have at most ${MAX_ID} characters`)
  if (message.components === null)
    return { component_id, component_type: values.length > 0 ? 'select' : 'button', values: [...values] }
  const components = parseJson(message.components) as Stored[]
  const component = components.find(({ custom_id }) => custom_id === component_id)
  if (!component) throw invalid('component_id: is none of the message')
  const options = new Set(component.options?.map(({ value }) => value))
  if (!values.every((value) => options.has(value))) throw invalid('values: must be among the options')
  return { component_id, component_type: component.type, values: [...values] }
}

const invalid = (message: string): ApiError => new ApiError('VALIDATION_ERROR', { message })

async function isReadable({ db, community }: Core, userId: number, { feed_id, dm_id }: MessageRow): Promise<boolean> {
  if (feed_id !== null) return holds(community.permissionsIn(userId, { type: 'feed', id: feed_id }), READABLE)
  return dm_id !== null && takesPart(db.read, userId, dm_id)
}

function findMessage(db: Kysely<Schema>, msgId: bigint): Promise<MessageRow | undefined> {
  return db.selectFrom('messages').selectAll().where('msg_id', '=', msgId).executeTakeFirst()
}
