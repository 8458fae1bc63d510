import { prepared } from '../../db/prepared.ts'
import type { MessageRow } from './messages.ts'

/** A message that is about to be stored. */
export type NewMessage = Omit<MessageRow, 'edit_timestamp'>

/** Stores a message. */
export const insertMessage = prepared((db, p: NewMessage) =>
  db.insertInto('messages').values({
    msg_id: p.msg_id,
    feed_id: p.feed_id,
    dm_id: p.dm_id,
    thread_id: p.thread_id,
    author_id: p.author_id,
    body: p.body,
    opaque_blob: p.opaque_blob,
    reply_to: p.reply_to,
    mentions: p.mentions,
    embeds: p.embeds,
    files: p.files,
    components: p.components,
    webhook_id: p.webhook_id,
    webhook_name: p.webhook_name,
    webhook_avatar: p.webhook_avatar,
  }),
)
