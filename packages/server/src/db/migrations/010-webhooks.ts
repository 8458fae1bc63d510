import { type ColumnDefinitionBuilder, sql } from 'kysely'
import type { Migration } from './migration.ts'

/** What may post into a feed without an account; it goes with the feed. And the way to messages that show embeds. */
export const webhooks: Migration = {
  name: '010-webhooks',
  async up(ddl) {
    await ddl
      .createTable('webhooks')
      .addColumn('webhook_id', ddl.integer, ddl.id)
      .addColumn('feed_id', ddl.integer, (column) => column.references('feeds.feed_id').onDelete('cascade').notNull())
      .addColumn('name', ddl.text, required)
      .addColumn('avatar', ddl.text)
      .addColumn('token_hash', ddl.text, (column) => column.notNull().unique())
      .addColumn('created_at', ddl.integer, required)
      .execute()
    await ddl.schema.createIndex('webhooks_of_feed').on('webhooks').column('feed_id').execute()
    // Files ask whether they are the picture of one.
    await ddl.schema.createIndex('webhooks_by_avatar').on('webhooks').column('avatar').execute()
    await ddl.run(sql`create index messages_with_embeds on messages (msg_id) where embeds is not null`)
  },
}

const required = (column: ColumnDefinitionBuilder) => column.notNull()
