import {
  ApiError,
  fullEmbed,
  holds,
  messageBulkDelete,
  messageDelete,
  Permission,
  shownComponent,
  snowflakeTime,
} from '@vox/protocol'
import type { MessageObject, MessageSent, SendMessage } from '@vox/protocol/endpoints'
import type { Feed } from '../../community/layout.ts'
import { viewersOfFeed } from '../../events/audience.ts'
import type { Work } from '../../events/work.ts'
import { demandPermission } from '../../http/pipeline.ts'
import type { Services } from '../../services.ts'
import { resolveAttachments } from '../files/attachments.ts'
import { invocationIn } from '../interactions/invocation.ts'
import { existingFeed } from '../spaces/sight.ts'
import { findThread } from '../threads/threads.ts'
import { checkBlobLength, checkBodyLength, saysNothing } from './content.ts'
import { checkEdit, type Edit, type Edited, replaceContent } from './editing.ts'
import { acceptedEmbeds, givenEmbeds } from './embeds.ts'
import { acceptedMentions } from './mentions.ts'
import {
  demandMessage,
  findMessage,
  type HistoryRange,
  history,
  type MessageRow,
  type Place,
  USUAL_PAGE,
} from './messages.ts'
import { notifyOfMessage } from './notifications.ts'
import { post } from './posting.ts'
import { showMessage } from './show.ts'
import { demandPause, isSlowed, notePost } from './slow-mode.ts'

/** Messages of feeds and of their threads (spec 04, sections 2 and 3). */
export class MessageService {
  readonly #services: Services

  constructor(services: Services) {
    this.#services = services
  }

  async list(place: Place, range: Partial<HistoryRange>): Promise<MessageObject[]> {
    const { read } = this.#services.db
    existingFeed(this.#services.community, place.feedId)
    if (place.threadId !== null) await this.#thread(read, place.feedId, place.threadId)
    const limit = Math.min(range.limit ?? USUAL_PAGE, this.#limits.page_limit_messages)
    return (await history(read, place, { ...range, limit })).map(showMessage)
  }

  async get(feedId: number, msgId: bigint): Promise<MessageObject> {
    const { read } = this.#services.db
    return showMessage(await demandMessage(read, { feed_id: feedId }, msgId))
  }

  async send(authorId: number, place: Place, message: SendMessage): Promise<MessageSent> {
    const { work, community, clock, interactions } = this.#services
    const { body = null, opaque_blob = null, reply_to = null, attachments: fileIds = [] } = message
    const sent = await work.run(async (job) => {
      const held = community.permissionsIn(authorId, { type: 'feed', id: place.feedId })
      const feed = await this.#checkSendable(job, held, place, message)
      const slowed = isSlowed(feed, held)
      if (slowed) await demandPause(job, feed, authorId, clock.now())
      const where = { feed_id: feed.id, dm_id: null, thread_id: place.threadId }
      const invocation = await invocationIn(job, community, { userId: authorId, place: where, body })
      if (invocation) return invocation
      const mentions = message.mentions && acceptedMentions(message.mentions, held)
      const embeds = acceptedEmbeds(message, held)
      const files = await resolveAttachments(job, community, { authorId, home: { feed_id: feed.id }, fileIds })
      const isBot = community.accounts.bots.has(authorId)
      const row = await post(job, this.#services, {
        feed,
        thread_id: place.threadId,
        author_id: authorId,
        body,
        opaque_blob,
        reply_to,
        files,
        mentions: mentions ?? [],
        embeds: isBot ? embeds.map(fullEmbed) : embeds,
        components: isBot ? (message.components ?? []).map(shownComponent) : [],
      })
      const { msg_id } = row
      if (slowed) await notePost(job, feed.id, authorId, msg_id)
      const sent = { message: { ...row, author_id: authorId }, mentions: mentions ?? [] }
      await notifyOfMessage(job, community, { feed_id: feed.id }, sent)
      return { msg_id, timestamp: snowflakeTime(msg_id), interaction_id: null, mentions: mentions ?? null }
    })
    return 'use' in sent ? interactions.call(sent) : sent
  }

  async edit(editorId: number, feedId: number, msgId: bigint, edit: Edit): Promise<Edited> {
    checkEdit(edit, this.#limits)
    return this.#services.work.run(async (job) => {
      const before = await this.#editable(job, editorId, feedId, msgId)
      return replaceContent(job, { feed_id: feedId }, before, edit, this.#services.clock.now())
    })
  }

  async delete(callerId: number, feedId: number, msgId: bigint): Promise<void> {
    await this.#services.work.run(async (job) => {
      const message = await findMessage(job.db, { feed_id: feedId }, msgId)
      const isOwn = message?.author_id === callerId
      if (!isOwn) this.#demandModerator(callerId, feedId, message)
      await job.db.deleteFrom('messages').where('msg_id', '=', msgId).execute()
      job.emit(messageDelete, { msg_id: msgId, feed_id: feedId }, viewersOfFeed(feedId))
      if (!isOwn)
        job.audit({
          type: 'message.delete',
          actor: callerId,
          ...(message?.author_id && { target: message.author_id }),
          metadata: { feed_id: feedId, msg_id: msgId },
        })
    })
  }

  async bulkDelete(callerId: number, feedId: number, msgIds: readonly bigint[]): Promise<void> {
    existingFeed(this.#services.community, feedId)
    if (msgIds.length === 0) return
    await this.#services.work.run(async (job) => {
      const deleted = await job.db
        .deleteFrom('messages')
        .where('feed_id', '=', feedId)
        .where('msg_id', 'in', msgIds)
        .returning('msg_id')
        .execute()
      if (deleted.length === 0) return
      const msg_ids = deleted.map(({ msg_id }) => msg_id).sort((a, b) => (a < b ? -1 : 1))
      job.emit(messageBulkDelete, { feed_id: feedId, msg_ids }, viewersOfFeed(feedId))
      job.audit({ type: 'message.bulk_delete', actor: callerId, metadata: { feed_id: feedId, msg_ids } })
    })
  }

  /** Steps 3 to 6 of sending (spec 04, sections 2.3 and 3.2), after the permission, which may have gone by now. */
  async #checkSendable(job: Work, held: bigint, { feedId, threadId }: Place, message: SendMessage): Promise<Feed> {
    const { body, opaque_blob } = message
    demandPermission(held, threadId === null ? Permission.SEND_MESSAGES : Permission.SEND_IN_THREADS)
    const feed = existingFeed(this.#services.community, feedId)
    const thread = threadId === null ? undefined : await this.#thread(job.db, feedId, threadId)
    if (thread?.locked) throw new ApiError('THREAD_LOCKED')
    if (saysNothing(message) && givenEmbeds(message).length === 0) throw new ApiError('EMPTY_MESSAGE')
    checkBodyLength(body, this.#limits)
    checkBlobLength(opaque_blob, this.#limits)
    if (feed.type === 'announcement' && !thread && !holds(held, Permission.MANAGE_SPACES))
      throw new ApiError('FORBIDDEN', { message: 'Only those who manage spaces post in announcement feeds.' })
    return feed
  }

  /** The message, for its author; in a thread the right to write there suffices (spec 04, section 2.4). */
  async #editable(job: Work, editorId: number, feedId: number, msgId: bigint): Promise<MessageRow> {
    const held = this.#services.community.permissionsIn(editorId, { type: 'feed', id: feedId })
    const message = await findMessage(job.db, { feed_id: feedId }, msgId)
    if (!message?.thread_id) demandPermission(held, Permission.SEND_MESSAGES)
    if (!message) throw new ApiError('MESSAGE_NOT_FOUND')
    if (message.author_id !== editorId)
      throw new ApiError('FORBIDDEN', { message: 'Only the author may edit a message.' })
    return message
  }

  /** Whoever cannot see the feed must not learn which ids exist there, so the permission comes first. */
  #demandModerator(callerId: number, feedId: number, message: MessageRow | undefined): void {
    const held = this.#services.community.permissionsIn(callerId, { type: 'feed', id: feedId })
    if (!message && holds(held, Permission.VIEW_SPACE)) throw new ApiError('MESSAGE_NOT_FOUND')
    demandPermission(held, Permission.MANAGE_MESSAGES)
  }

  async #thread(db: Work['db'], feedId: number, threadId: number) {
    const thread = await findThread(db, threadId)
    if (thread?.parent_feed_id !== feedId) throw new ApiError('SPACE_NOT_FOUND')
    return thread
  }

  get #limits() {
    return this.#services.config.limits
  }
}
