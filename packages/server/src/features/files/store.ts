import type { Kysely } from 'kysely'
import type { Schema } from '../../db/schema.ts'
import type { FileRow } from './file.ts'

/** A file by its id. */
export function findFile(db: Kysely<Schema>, fileId: string): Promise<FileRow | undefined> {
  return db.selectFrom('files').selectAll().where('file_id', '=', fileId).executeTakeFirst()
}

/** The feeds of the messages that a file is attached to. */
export async function feedsShowing(db: Kysely<Schema>, fileId: string): Promise<(number | null)[]> {
  const rows = await db
    .selectFrom('message_attachments')
    .innerJoin('messages', 'messages.msg_id', 'message_attachments.msg_id')
    .select('messages.feed_id')
    .distinct()
    .where('file_id', '=', fileId)
    .execute()
  return rows.map(({ feed_id }) => feed_id)
}

/** Whether a file is the image of an emoji or sticker. */
export async function isPicture(db: Kysely<Schema>, fileId: string): Promise<boolean> {
  const found = await db
    .selectFrom('emoji')
    .select('file_id')
    .where('file_id', '=', fileId)
    .unionAll(db.selectFrom('stickers').select('file_id').where('file_id', '=', fileId))
    .executeTakeFirst()
  return found !== undefined
}
