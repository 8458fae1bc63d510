import { messageCreate, snowflakeTime, stringifyJson } from '@vox/protocol'
import type { Feed } from '../../community/layout.ts'
import type { Core } from '../../core.ts'
import type { Work } from '../../events/work.ts'
import { type Conversation, reveal } from '../dms/conversation.ts'
import { attach } from '../files/attachments.ts'
import { eventFile, type FileRow, fileObject } from '../files/file.ts'
import { beginThread, threadName } from '../threads/threads.ts'
import { audienceOf, keyOf } from './home.ts'
import { insertMessage, type NewMessage } from './store.ts'

/** What is about to become a message, and where: checked by whoever lets it be posted. */
export type Post = Content & ({ feed: Feed; thread_id: number | null } | { dm: Conversation })

interface Content {
  /** Null for a webhook. */
  author_id: number | null
  body: string | null
  opaque_blob?: string | null
  reply_to?: bigint | null
  files?: readonly FileRow[]
  mentions?: readonly number[]
  /** With the keys that the event is to show of them. */
  embeds?: readonly Record<string, unknown>[]
  components?: readonly Record<string, unknown>[]
  webhook?: { webhook_id: number; name: string; avatar: string | null }
}

/**
 * Stores a message and tells those who see its feed or take part in its conversation. Whatever posts (a member, a bot's
 * answer, a webhook) does it by this, so that a post in a forum begins its thread, a conversation that somebody has
 * closed is in sight again, and search finds all of them. Notifications are not part of it.
 */
export async function post(job: Work, core: Core, message: Post): Promise<NewMessage> {
  const { files = [] } = message
  const row = newMessage(job.nextId(), message)
  await insertMessage(job.db, row)
  await attach(job, row.msg_id, files)
  if ('dm' in message) await reveal(job, message.dm)
  else if (message.feed.type === 'forum' && row.thread_id === null) await beginForumThread(job, core, message.feed, row)
  announce(job, row, message)
  return row
}

function newMessage(msg_id: bigint, { webhook, ...post }: Post): NewMessage {
  const place =
    'dm' in post
      ? { feed_id: null, dm_id: post.dm.dm_id, thread_id: null }
      : { feed_id: post.feed.id, dm_id: null, thread_id: post.thread_id }
  return {
    msg_id,
    ...place,
    author_id: post.author_id,
    body: post.body,
    opaque_blob: post.opaque_blob ?? null,
    reply_to: post.reply_to ?? null,
    mentions: jsonList(post.mentions),
    embeds: jsonList(post.embeds),
    files: jsonList(post.files?.map(fileObject)),
    components: jsonList(post.components),
    webhook_id: webhook?.webhook_id ?? null,
    webhook_name: webhook?.name ?? null,
    webhook_avatar: webhook?.avatar ?? null,
  }
}

const jsonList = (list: readonly unknown[] = []): string | null => (list.length > 0 ? stringifyJson(list) : null)

async function beginForumThread(job: Work, { clock, config }: Core, forum: Feed, message: NewMessage): Promise<void> {
  await beginThread(job, {
    parent_feed_id: forum.id,
    parent_msg_id: message.msg_id,
    name: threadName(message.body, config.limits.channel_name_max),
    creator_id: message.author_id,
    created_at: clock.now(),
  })
}

/** Tells those who see it; keys without a value are left out (spec 06, section 13.1). */
function announce(job: Work, row: NewMessage, post: Post): void {
  const { msg_id, thread_id, author_id, body, opaque_blob, reply_to } = row
  const home = 'dm' in post ? post.dm : { feed_id: post.feed.id }
  const { files = [], mentions = [], embeds = [], components = [], webhook } = post
  job.emit(
    messageCreate,
    {
      msg_id,
      author_id,
      body,
      timestamp: snowflakeTime(msg_id),
      ...keyOf(home),
      ...(thread_id !== null && { thread_id }),
      ...(opaque_blob !== null && { opaque_blob }),
      ...(reply_to !== null && { reply_to }),
      ...(mentions.length > 0 && { mentions: [...mentions] }),
      ...(embeds[0] && { embed: embeds[0] }),
      ...(embeds.length > 1 && { embeds: [...embeds] }),
      ...(components.length > 0 && { components: [...components] }),
      ...(files.length > 0 && { attachments: files.map(eventFile) }),
      ...(webhook && { webhook_id: webhook.webhook_id, webhook_name: webhook.name }),
      ...(webhook?.avatar && { webhook_avatar: webhook.avatar }),
    },
    audienceOf(home),
  )
}
