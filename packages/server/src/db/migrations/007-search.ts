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
 * PostgreSQL keeps an index of words by itself. On SQLite triggers keep the folded texts (`vox_fold`, see db/sqlite.ts),
 * so whatever writes messages, they follow. Putting a text into the index of its parts costs more than all the rest of
 * sending a message; so new texts enter it a little later and in their order (features/search/indexer.ts), and those
 * above the highest one in there are searched without it.
 */
const WORDS = {
  postgres: [`create index messages_by_words on messages using gin (to_tsvector('english', body))`],
  sqlite: [
    `create table message_texts (msg_id integer primary key not null, folded text not null) strict`,
    `insert into message_texts select msg_id, vox_fold(body) from messages where body is not null`,
    `create virtual table message_search
      using fts5 (folded, tokenize = 'trigram case_sensitive 1', content = '', contentless_delete = 1)`,
    `create trigger message_search_sent after insert on messages when new.body is not null begin
      insert into message_texts values (new.msg_id, vox_fold(new.body));
    end`,
    `create trigger message_search_edited after update of body on messages begin
      delete from message_search where rowid = old.msg_id;
      delete from message_texts where msg_id = old.msg_id;
      insert into message_texts select new.msg_id, vox_fold(new.body) where new.body is not null;
      insert into message_search (rowid, folded) select msg_id, folded from message_texts
        where msg_id = new.msg_id and msg_id < (select max(id) from message_search_docsize);
    end`,
    `create trigger message_search_deleted after delete on messages begin
      delete from message_search where rowid = old.msg_id;
      delete from message_texts where msg_id = old.msg_id;
    end`,
  ],
}
