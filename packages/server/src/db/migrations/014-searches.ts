import { sql } from 'kysely'
import type { Migration } from './migration.ts'

/**
 * The messages of a whole feed, of an author and of a thread in the order of their ids, which is how searches walk
 * through them. Whether an author's message is in a feed, the index says by itself.
 */
export const searches: Migration = {
  name: '014-searches',
  async up({ schema }) {
    await schema.createIndex('messages_of_whole_feed').on('messages').columns(['feed_id', 'msg_id']).execute()
    await schema.dropIndex('messages_of_author').execute()
    await schema.createIndex('messages_of_author').on('messages').columns(['author_id', 'msg_id', 'feed_id']).execute()
    await schema.dropIndex('messages_of_thread').execute()
    await schema
      .createIndex('messages_of_thread')
      .on('messages')
      .columns(['thread_id', 'msg_id'])
      .where(sql.ref('thread_id'), 'is not', null)
      .execute()
  },
}
