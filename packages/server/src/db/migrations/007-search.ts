import { sql } from 'kysely'
import type { Migration } from './migration.ts'

/** Finding messages by their words, and how far people have read. */
export const search: Migration = {
  name: '007-search',
  async up(ddl) {
    for (const statement of WORDS[ddl.engine]) await ddl.run(sql.raw(statement))
    await ddl
      .createTable('feed_reads')
      .addColumn('feed_id', ddl.integer, (column) => column.references('feeds.feed_id').onDelete('cascade').notNull())
      .addColumn('user_id', ddl.integer, (column) => column.references('users.user_id').notNull())
      .addColumn('msg_id', ddl.integer, (column) => column.notNull())
      .addPrimaryKeyConstraint('feed_reads_key', ['feed_id', 'user_id'])
      .execute()
    await ddl.schema.createIndex('feed_reads_of_user').on('feed_reads').column('user_id').execute()
  },
}

/**
 * PostgreSQL keeps an index of words by itself. On SQLite triggers keep one of the folded texts (`vox_fold`, see
 * db/sqlite.ts), so whatever writes messages, it follows.
 */
const WORDS = {
  postgres: [`create index messages_by_words on messages using gin (to_tsvector('english', body))`],
  sqlite: [
    `create virtual table message_search using fts5 (folded, tokenize = 'trigram case_sensitive 1')`,
    `insert into message_search (rowid, folded) select msg_id, vox_fold(body) from messages where body is not null`,
    `create trigger message_search_sent after insert on messages when new.body is not null begin
      insert into message_search (rowid, folded) values (new.msg_id, vox_fold(new.body));
    end`,
    `create trigger message_search_edited after update of body on messages begin
      delete from message_search where rowid = old.msg_id;
      insert into message_search (rowid, folded) select new.msg_id, vox_fold(new.body) where new.body is not null;
    end`,
    `create trigger message_search_deleted after delete on messages begin
      delete from message_search where rowid = old.msg_id;
    end`,
  ],
}
