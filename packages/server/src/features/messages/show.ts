import { parseJson, snowflakeTime } from '@vox/protocol'
import type { FileObject, MessageObject } from '@vox/protocol/endpoints'
import type { Kysely } from 'kysely'
import type { Schema } from '../../db/schema.ts'
import { attachmentsOf } from '../files/attachments.ts'
import type { MessageRow } from './store.ts'

/** Stored messages in their wire form, with their attachments. */
export async function showMessages(db: Kysely<Schema>, rows: readonly MessageRow[]): Promise<MessageObject[]> {
  const attachments = await attachmentsOf(
    db,
    rows.map(({ msg_id }) => msg_id),
  )
  return rows.map((row) => messageObject(row, attachments.get(row.msg_id)))
}

/** A stored message in its wire form (spec 04, section 1.1). */
function messageObject(row: MessageRow, attachments: readonly FileObject[] = []): MessageObject {
  return {
    msg_id: row.msg_id,
    feed_id: row.feed_id,
    dm_id: null,
    thread_id: row.thread_id,
    author_id: row.author_id,
    body: row.body,
    opaque_blob: row.opaque_blob,
    timestamp: snowflakeTime(row.msg_id),
    reply_to: row.reply_to,
    attachments: [...attachments],
    embed: null,
    edit_timestamp: row.edit_timestamp,
    federated: false,
    author_address: null,
    pinned_at: null,
    webhook_id: null,
    mentions: row.mentions === null ? [] : (parseJson(row.mentions) as number[]),
    embeds: [],
    components: [],
    webhook_name: null,
    webhook_avatar: null,
  }
}
