import { ApiError, messageDelete, type Static, snowflakeTime } from '@vox/protocol'
import type { MessageObject, MessageSent, ReactionGroup, sendDmMessage } from '@vox/protocol/endpoints'
import type { Work } from '../../events/work.ts'
import type { Services } from '../../services.ts'
import { resolveAttachments } from '../files/attachments.ts'
import { invocationIn } from '../interactions/invocation.ts'
import { checkBlobLength, checkBodyLength, saysNothing } from '../messages/content.ts'
import { checkEdit, type Edit, type Edited, replaceContent } from '../messages/editing.ts'
import { mentionsAmong } from '../messages/mentions.ts'
import { demandMessage, type HistoryRange, history, type MessageRow, USUAL_PAGE } from '../messages/messages.ts'
import { notifyOfMessage } from '../messages/notifications.ts'
import { post } from '../messages/posting.ts'
import { react, reactionsTo, unreact } from '../messages/reactions.ts'
import { showMessage } from '../messages/show.ts'
import { type Conversation, demandOwn, demandUnblocked, everyoneIn, idsOf } from './conversation.ts'

type NewDirectMessage = Static<NonNullable<typeof sendDmMessage.body>>

/** Path of a message. */
interface Target {
  dm_id: number
  msg_id: bigint
}

/**
 * Messages of conversations and reactions to them (spec 05, sections 3 and 4). That readers take part has been checked;
 * what writes checks again in its job, because by then they may have been removed.
 */
export class DirectMessages {
  readonly #services: Services

  constructor(services: Services) {
    this.#services = services
  }

  async list(dmId: number, range: Partial<HistoryRange>): Promise<MessageObject[]> {
    const { db, config } = this.#services
    const limit = Math.min(range.limit ?? USUAL_PAGE, config.limits.page_limit_messages)
    return (await history(db.read, { dmId }, { ...range, limit })).map(showMessage)
  }

  async get(target: Target): Promise<MessageObject> {
    const { read } = this.#services.db
    return showMessage(await demandMessage(read, target, target.msg_id))
  }

  async send(authorId: number, dmId: number, message: NewDirectMessage): Promise<MessageSent> {
    const { work, community, interactions } = this.#services
    const { body = null, opaque_blob = null, reply_to = null, attachments: fileIds = [] } = message
    const sent = await work.run(async (job) => {
      const dm = await demandOwn(job, dmId, authorId)
      demandUnblocked(community, dm, authorId)
      this.#checkContent(message)
      const place = { feed_id: null, dm_id: dmId, thread_id: null }
      const invocation = await invocationIn(job, community, { userId: authorId, place, body })
      if (invocation) return invocation
      const files = await resolveAttachments(job, community, { authorId, home: dm, fileIds })
      const mentions = message.mentions && mentionsAmong(idsOf(dm), message.mentions)
      const content = { author_id: authorId, body, opaque_blob, reply_to, files, mentions: mentions ?? [] }
      const row = await post(job, this.#services, { dm, ...content })
      const { msg_id } = row
      const sent = { message: { ...row, author_id: authorId }, mentions: mentions ?? [] }
      await notifyOfMessage(job, community, dm, sent)
      return { msg_id, timestamp: snowflakeTime(msg_id), interaction_id: null, mentions: mentions ?? null }
    })
    return 'use' in sent ? interactions.call(sent) : sent
  }

  edit(editorId: number, target: Target, edit: Edit): Promise<Edited> {
    const { work, community, clock, config } = this.#services
    checkEdit(edit, config.limits)
    return work.run(async (job) => {
      const { dm, message } = await demandAuthored(job, target, editorId)
      demandUnblocked(community, dm, editorId)
      return replaceContent(job, dm, message, edit, clock.now())
    })
  }

  delete(callerId: number, target: Target): Promise<void> {
    return this.#services.work.run(async (job) => {
      const { dm, message } = await demandAuthored(job, target, callerId)
      const { dm_id } = dm
      const { msg_id } = message
      await job.db.deleteFrom('messages').where('msg_id', '=', msg_id).execute()
      job.emit(messageDelete, { msg_id, dm_id }, everyoneIn(dm))
    })
  }

  async reactions(target: Target): Promise<ReactionGroup[]> {
    const { read } = this.#services.db
    return reactionsTo(read, await demandMessage(read, target, target.msg_id))
  }

  react(user_id: number, target: Target, emoji: string): Promise<void> {
    const { work, community } = this.#services
    return work.run(async (job) => {
      const { dm, message } = await demandVisible(job, target, user_id)
      demandUnblocked(community, dm, user_id)
      await react(job, community, dm, message, { user_id, emoji })
    })
  }

  unreact(user_id: number, target: Target, emoji: string): Promise<void> {
    return this.#services.work.run(async (job) => {
      const { dm, message } = await demandVisible(job, target, user_id)
      await unreact(job, dm, message, { user_id, emoji })
    })
  }

  #checkContent(message: NewDirectMessage): void {
    const { limits } = this.#services.config
    if (saysNothing(message)) throw new ApiError('EMPTY_MESSAGE')
    checkBodyLength(message.body, limits)
    checkBlobLength(message.opaque_blob, limits)
  }
}

/** A message with its conversation, for those who take part in it. */
async function demandVisible(
  job: Work,
  { dm_id, msg_id }: Target,
  userId: number,
): Promise<{ dm: Conversation; message: MessageRow }> {
  const dm = await demandOwn(job, dm_id, userId)
  return { dm, message: await demandMessage(job.db, dm, msg_id) }
}

/** A message with its conversation, for its author, who is the only one with a right to it. */
async function demandAuthored(job: Work, target: Target, userId: number) {
  const found = await demandVisible(job, target, userId)
  if (found.message.author_id !== userId)
    throw new ApiError('FORBIDDEN', { message: 'Only the author may change a direct message.' })
  return found
}
