import type { ColumnDefinitionBuilder } from 'kysely'
import type { Ddl, Migration } from './migration.ts'

/** Uploaded files, and what shows them: messages, emoji, stickers. */
export const files: Migration = {
  name: '005-files',
  async up(ddl) {
    await uploads(ddl)
    await attachments(ddl)
    await pictures(ddl, 'emoji', 'emoji_id')
    await pictures(ddl, 'stickers', 'sticker_id')
  },
}

type Column = ColumnDefinitionBuilder

const required = (column: Column) => column.notNull()
const user = (column: Column) => column.references('users.user_id').notNull()
const partOf = (parent: string) => (column: Column) => column.references(parent).onDelete('cascade').notNull()

async function uploads(ddl: Ddl): Promise<void> {
  await ddl
    .createTable('files')
    .addColumn('file_id', ddl.text, (column) => column.primaryKey().notNull())
    .addColumn('name', ddl.text, required)
    .addColumn('size', ddl.integer, required)
    .addColumn('mime', ddl.text, required)
    .addColumn('url', ddl.text, required)
    .addColumn('uploader_id', ddl.integer, user)
    .addColumn('feed_id', ddl.integer, (column) => column.references('feeds.feed_id').onDelete('set null'))
    .addColumn('created_at', ddl.integer, required)
    .addColumn('width', ddl.integer)
    .addColumn('height', ddl.integer)
    .execute()
  await ddl.schema.createIndex('files_of_feed').on('files').column('feed_id').execute()
}

async function attachments(ddl: Ddl): Promise<void> {
  await ddl
    .createTable('message_attachments')
    .addColumn('msg_id', ddl.integer, partOf('messages.msg_id'))
    .addColumn('file_id', ddl.text, partOf('files.file_id'))
    .addColumn('position', ddl.integer, required)
    .addPrimaryKeyConstraint('message_attachments_key', ['msg_id', 'file_id'])
    .execute()
  await ddl.schema.createIndex('message_attachments_of_file').on('message_attachments').column('file_id').execute()
}

async function pictures(ddl: Ddl, table: string, id: string): Promise<void> {
  await ddl
    .createTable(table)
    .addColumn(id, ddl.integer, ddl.id)
    .addColumn('name', ddl.text, (column) => column.notNull().unique())
    .addColumn('file_id', ddl.text, (column) => column.references('files.file_id').notNull().unique())
    .addColumn('creator_id', ddl.integer, user)
    .execute()
}
