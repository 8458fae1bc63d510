import { type Embed, fullEmbed, parseJson, snowflakeTime } from '@vox/protocol'
import type { FileObject, MessageObject } from '@vox/protocol/endpoints'
import type { MessageRow } from './messages.ts'

/** A stored message in its wire form (spec 04, section 1.1). */
export function showMessage(row: MessageRow): MessageObject {
  const embeds = listIn<Embed>(row.embeds).map(fullEmbed)
  return {
    msg_id: row.msg_id,
    feed_id: row.feed_id,
    dm_id: row.dm_id,
    thread_id: row.thread_id,
    author_id: row.author_id,
    body: row.body,
    opaque_blob: row.opaque_blob,
    timestamp: snowflakeTime(row.msg_id),
    reply_to: row.reply_to,
    attachments: listIn<FileObject>(row.files),
    embed: embeds[0] ?? null,
    edit_timestamp: row.edit_timestamp,
    federated: false,
    author_address: null,
    pinned_at: null,
    webhook_id: row.webhook_id,
    mentions: listIn<number>(row.mentions),
    embeds,
    components: listIn(row.components),
    webhook_name: row.webhook_name,
    webhook_avatar: row.webhook_avatar,
  }
}

const listIn = <T>(json: string | null): T[] => (json === null ? [] : (parseJson(json) as T[]))
