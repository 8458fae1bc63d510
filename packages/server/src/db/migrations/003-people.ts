import type { ColumnDefinitionBuilder } from 'kysely'
import type { Ddl, Migration } from './migration.ts'

/** Bans, friends, blocks, invites and reports, and what finding by author and actor needs. */
export const people: Migration = {
  name: '003-people',
  async up(ddl) {
    await bans(ddl)
    await relations(ddl)
    await invites(ddl)
    await reports(ddl)
    await indexes(ddl)
  },
}

type Column = ColumnDefinitionBuilder

const required = (column: Column) => column.notNull()
const user = (column: Column) => column.references('users.user_id').notNull()
const maybeUser = (column: Column) => column.references('users.user_id')
const onePerUser = (column: Column) => user(column).primaryKey()

async function bans(ddl: Ddl): Promise<void> {
  await ddl
    .createTable('bans')
    .addColumn('user_id', ddl.integer, onePerUser)
    .addColumn('reason', ddl.text)
    .addColumn('banned_by', ddl.integer, maybeUser)
    .addColumn('created_at', ddl.integer, required)
    .execute()
}

async function relations(ddl: Ddl): Promise<void> {
  await ddl
    .createTable('friends')
    .addColumn('user_id', ddl.integer, user)
    .addColumn('friend_id', ddl.integer, user)
    .addColumn('status', ddl.text, required)
    .addColumn('since', ddl.integer, required)
    .addPrimaryKeyConstraint('friends_key', ['user_id', 'friend_id'])
    .execute()
  await ddl
    .createTable('blocks')
    .addColumn('user_id', ddl.integer, user)
    .addColumn('blocked_id', ddl.integer, user)
    .addPrimaryKeyConstraint('blocks_key', ['user_id', 'blocked_id'])
    .execute()
  await ddl
    .createTable('dm_settings')
    .addColumn('user_id', ddl.integer, onePerUser)
    .addColumn('dm_permission', ddl.text, required)
    .execute()
}

async function invites(ddl: Ddl): Promise<void> {
  await ddl
    .createTable('invites')
    .addColumn('code', ddl.text, (column) => column.primaryKey().notNull())
    .addColumn('creator_id', ddl.integer, user)
    .addColumn('feed_id', ddl.integer, (column) => column.references('feeds.feed_id').onDelete('set null'))
    .addColumn('max_uses', ddl.integer)
    .addColumn('uses', ddl.integer, (column) => column.notNull().defaultTo(0))
    .addColumn('expires_at', ddl.integer)
    .addColumn('created_at', ddl.integer, required)
    .execute()
  await ddl.schema.createIndex('invites_of_creator').on('invites').column('creator_id').execute()
  await ddl.schema.createIndex('invites_of_feed').on('invites').column('feed_id').execute()
  await ddl
    .createTable('invite_uses')
    .addColumn('code', ddl.text, (column) => column.references('invites.code').onDelete('cascade').notNull())
    .addColumn('user_id', ddl.integer, user)
    .addPrimaryKeyConstraint('invite_uses_key', ['code', 'user_id'])
    .execute()
}

async function reports(ddl: Ddl): Promise<void> {
  await ddl
    .createTable('reports')
    .addColumn('report_id', ddl.integer, ddl.id)
    .addColumn('reporter_id', ddl.integer, user)
    .addColumn('reported_user_id', ddl.integer, user)
    .addColumn('reason', ddl.text, required)
    .addColumn('description', ddl.text)
    .addColumn('feed_id', ddl.integer)
    .addColumn('dm_id', ddl.integer)
    .addColumn('msg_id', ddl.integer)
    .addColumn('evidence', ddl.text)
    .addColumn('created_at', ddl.integer, required)
    .addColumn('action', ddl.text)
    .addColumn('resolved_at', ddl.integer)
    .addColumn('resolved_by', ddl.integer, maybeUser)
    .execute()
  await ddl
    .createTable('warnings')
    .addColumn('warning_id', ddl.integer, ddl.id)
    .addColumn('user_id', ddl.integer, user)
    .addColumn('reason', ddl.text, required)
    .execute()
  await ddl.schema.createIndex('warnings_of_user').on('warnings').column('user_id').execute()
}

async function indexes(ddl: Ddl): Promise<void> {
  await ddl.schema.createIndex('messages_of_author').on('messages').columns(['author_id', 'msg_id']).execute()
  await ddl.schema.createIndex('audit_log_by_type').on('audit_log').columns(['event_type', 'entry_id']).execute()
  await ddl.schema.createIndex('audit_log_by_actor').on('audit_log').columns(['actor_id', 'entry_id']).execute()
  await ddl.schema.createIndex('audit_log_by_target').on('audit_log').columns(['target_id', 'entry_id']).execute()
}
