import { sql } from 'kysely'
import type { Migration } from './migration.ts'

/**
 * What a message shows of its files stands in the message itself: gathered from the files whenever the message is read,
 * it took most of the time of reading. And the way to messages that show files.
 */
export const shownFiles: Migration = {
  name: '016-shown-files',
  async up(ddl) {
    await ddl.schema.alterTable('messages').addColumn('files', ddl.text).execute()
    const [list, object] =
      ddl.engine === 'sqlite' ? ['json_group_array', 'json_object'] : ['json_agg', 'json_build_object']
    await ddl.run(sql`
      update messages set files = (
        select cast(${sql.raw(list)}(${sql.raw(object)}(
          'file_id', f.file_id, 'name', f.name, 'size', f.size, 'mime', f.mime, 'url', f.url,
          'uploader_id', f.uploader_id, 'width', f.width, 'height', f.height, 'created_at', f.created_at / 1000
        ) order by a.position) as text)
        from message_attachments as a join files as f on f.file_id = a.file_id where a.msg_id = messages.msg_id
      ) where msg_id in (select msg_id from message_attachments)`)
    await ddl.run(sql`create index messages_with_files on messages (msg_id) where files is not null`)
  },
}
