import type { Kysely } from 'kysely'
import type { Schema } from '../../db/schema.ts'
import type { FileRow } from './file.ts'

/** A file by its id. */
export function findFile(db: Kysely<Schema>, fileId: string): Promise<FileRow | undefined> {
  return db.selectFrom('files').selectAll().where('file_id', '=', fileId).executeTakeFirst()
}

/** Where a file can be seen: in a feed or in a conversation. */
export interface FilePlace {
  feed_id: number | null
  dm_id: number | null
}

/** The feeds and conversations of the messages that a file is attached to. */
export function placesShowing(db: Kysely<Schema>, fileId: string): Promise<FilePlace[]> {
  return db
    .selectFrom('message_attachments')
    .innerJoin('messages', 'messages.msg_id', 'message_attachments.msg_id')
    .select(['messages.feed_id', 'messages.dm_id'])
    .distinct()
    .where('file_id', '=', fileId)
    .execute()
}

/**
 * Whether a picture is the icon of a group that the user takes part in, and its uploader too unless it was uploaded
 * there. Otherwise a picture would open to whoever gives its URL to a group of their own.
 */
export async function isIconOfOwnGroup(db: Kysely<Schema>, file: FileRow, userId: number): Promise<boolean> {
  const group = await db
    .selectFrom('dm_participants as part')
    .innerJoin('dms', 'dms.dm_id', 'part.dm_id')
    .select('dms.dm_id')
    .where('part.user_id', '=', userId)
    .where('icon', '=', file.url)
    .where(({ eb, or, exists, selectFrom }) =>
      or([
        eb('dms.dm_id', '=', file.dm_id),
        exists(
          selectFrom('dm_participants as other')
            .select('other.user_id')
            .whereRef('other.dm_id', '=', 'dms.dm_id')
            .where('other.user_id', '=', file.uploader_id),
        ),
      ]),
    )
    .executeTakeFirst()
  return group !== undefined
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
