import { type ColumnDefinitionBuilder, sql } from 'kysely'
import type { Ddl, Migration } from './migration.ts'

/** Threads, subscriptions, and who posted last in feeds with slow mode. */
export const structure: Migration = {
  name: '004-structure',
  async up(ddl) {
    await threads(ddl)
    await messagesOfThreads(ddl)
    await subscribers(ddl)
    await slowMode(ddl)
  },
}

type Column = ColumnDefinitionBuilder

const required = (column: Column) => column.notNull()
const off = (column: Column) => column.notNull().defaultTo(false)
const user = (column: Column) => column.references('users.user_id').notNull()
const partOf = (parent: string) => (column: Column) => column.references(parent).onDelete('cascade').notNull()

async function threads(ddl: Ddl): Promise<void> {
  await ddl
    .createTable('threads')
    .addColumn('thread_id', ddl.integer, ddl.id)
    .addColumn('parent_feed_id', ddl.integer, partOf('feeds.feed_id'))
    .addColumn('parent_msg_id', ddl.integer, required)
    .addColumn('name', ddl.text, required)
    .addColumn('archived', ddl.boolean, off)
    .addColumn('locked', ddl.boolean, off)
    .addColumn('creator_id', ddl.integer, (column) => column.references('users.user_id'))
    .addColumn('created_at', ddl.integer, required)
    .execute()
  await ddl.schema.createIndex('threads_of_feed').on('threads').columns(['parent_feed_id', 'thread_id']).execute()
}

async function messagesOfThreads(ddl: Ddl): Promise<void> {
  await ddl.schema
    .alterTable('messages')
    .addColumn('thread_id', ddl.integer, (column) => column.references('threads.thread_id').onDelete('cascade'))
    .execute()
  // One index for whole feeds, for what stands in a feed outside of its threads, and for single threads.
  await ddl.schema.dropIndex('messages_of_feed').execute()
  await ddl.schema.createIndex('messages_of_feed').on('messages').columns(['feed_id', 'thread_id', 'msg_id']).execute()
  await ddl.schema
    .createIndex('messages_of_thread')
    .on('messages')
    .column('thread_id')
    .where(sql.ref('thread_id'), 'is not', null)
    .execute()
}

async function subscribers(ddl: Ddl): Promise<void> {
  await ddl
    .createTable('feed_subscribers')
    .addColumn('feed_id', ddl.integer, partOf('feeds.feed_id'))
    .addColumn('user_id', ddl.integer, user)
    .addPrimaryKeyConstraint('feed_subscribers_key', ['feed_id', 'user_id'])
    .execute()
  await ddl.schema.createIndex('feed_subscribers_of_user').on('feed_subscribers').column('user_id').execute()
  await ddl
    .createTable('thread_subscribers')
    .addColumn('thread_id', ddl.integer, partOf('threads.thread_id'))
    .addColumn('user_id', ddl.integer, user)
    .addPrimaryKeyConstraint('thread_subscribers_key', ['thread_id', 'user_id'])
    .execute()
}

async function slowMode(ddl: Ddl): Promise<void> {
  await ddl
    .createTable('slow_mode_posts')
    .addColumn('feed_id', ddl.integer, partOf('feeds.feed_id'))
    .addColumn('user_id', ddl.integer, user)
    .addColumn('msg_id', ddl.integer, required)
    .addPrimaryKeyConstraint('slow_mode_posts_key', ['feed_id', 'user_id'])
    .execute()
}
