import { type ColumnDefinitionBuilder, sql } from 'kysely'
import type { Ddl, Migration } from './migration.ts'

/** Accounts, configuration, structure, permissions, messages and the two logs. */
export const foundation: Migration = {
  name: '001-foundation',
  async up(ddl) {
    await accounts(ddl)
    await configuration(ddl)
    await roles(ddl)
    await spaces(ddl)
    await overrides(ddl)
    await messages(ddl)
    await logs(ddl)
  },
}

type Column = ColumnDefinitionBuilder

const key = (column: Column) => column.primaryKey().notNull()
const required = (column: Column) => column.notNull()
const off = (column: Column) => column.notNull().defaultTo(false)
const on = (column: Column) => column.notNull().defaultTo(true)
const user = (column: Column) => column.references('users.user_id')
const partOf = (parent: string) => (column: Column) => column.references(parent).onDelete('cascade')

async function accounts(ddl: Ddl): Promise<void> {
  await ddl
    .createTable('users')
    .addColumn('user_id', ddl.integer, ddl.id)
    .addColumn('username', ddl.text, required)
    .addColumn('username_key', ddl.text, required)
    .addColumn('display_name', ddl.text)
    .addColumn('avatar', ddl.text)
    .addColumn('bio', ddl.text)
    .addColumn('nickname', ddl.text)
    .addColumn('password_hash', ddl.text)
    .addColumn('home_domain', ddl.text)
    .addColumn('federated', ddl.boolean, off)
    .addColumn('active', ddl.boolean, on)
    .addColumn('created_at', ddl.integer, required)
    .addColumn('joined_at', ddl.integer)
    .execute()
  await ddl.schema
    .createIndex('users_local_name')
    .unique()
    .on('users')
    .column('username_key')
    .where(sql.ref('home_domain'), 'is', null)
    .execute()
  await ddl.schema
    .createIndex('users_remote_name')
    .unique()
    .on('users')
    .columns(['home_domain', 'username'])
    .where(sql.ref('home_domain'), 'is not', null)
    .execute()

  await ddl
    .createTable('auth_sessions')
    .addColumn('session_id', ddl.integer, ddl.id)
    .addColumn('user_id', ddl.integer, (column) => user(column).notNull())
    .addColumn('token_hash', ddl.text, (column) => column.notNull().unique())
    .addColumn('kind', ddl.text, required)
    .addColumn('created_at', ddl.integer, required)
    .addColumn('expires_at', ddl.integer, required)
    .execute()
  await ddl.schema.createIndex('auth_sessions_of_user').on('auth_sessions').column('user_id').execute()
  await ddl.schema.createIndex('auth_sessions_expiry').on('auth_sessions').column('expires_at').execute()
}

async function configuration(ddl: Ddl): Promise<void> {
  await ddl.createTable('settings').addColumn('key', ddl.text, key).addColumn('value', ddl.text, required).execute()
  await ddl.createTable('server_marks').addColumn('name', ddl.text, key).execute()
}

async function roles(ddl: Ddl): Promise<void> {
  await ddl
    .createTable('roles')
    .addColumn('role_id', ddl.integer, ddl.id)
    .addColumn('name', ddl.text, required)
    .addColumn('color', ddl.integer)
    .addColumn('position', ddl.integer, required)
    .addColumn('permissions', ddl.integer, required)
    .addColumn('builtin', ddl.boolean, off)
    .addColumn('hoist', ddl.boolean, off)
    .addColumn('mentionable', ddl.boolean, off)
    .execute()
  await ddl
    .createTable('role_members')
    .addColumn('role_id', ddl.integer, (column) => partOf('roles.role_id')(column).notNull())
    .addColumn('user_id', ddl.integer, (column) => user(column).notNull())
    .addPrimaryKeyConstraint('role_members_key', ['role_id', 'user_id'])
    .execute()
  await ddl.schema.createIndex('role_members_of_user').on('role_members').column('user_id').execute()
}

async function spaces(ddl: Ddl): Promise<void> {
  await ddl
    .createTable('categories')
    .addColumn('category_id', ddl.integer, ddl.id)
    .addColumn('name', ddl.text, required)
    .addColumn('position', ddl.integer, required)
    .execute()
  await ddl
    .createTable('feeds')
    .addColumn('feed_id', ddl.integer, ddl.id)
    .addColumn('name', ddl.text, required)
    .addColumn('type', ddl.text, required)
    .addColumn('topic', ddl.text)
    .addColumn('category_id', ddl.integer, category)
    .addColumn('position', ddl.integer, required)
    .addColumn('nsfw', ddl.boolean, off)
    .addColumn('slowmode_seconds', ddl.integer, (column) => column.notNull().defaultTo(0))
    .execute()
  await ddl
    .createTable('rooms')
    .addColumn('room_id', ddl.integer, ddl.id)
    .addColumn('name', ddl.text, required)
    .addColumn('type', ddl.text, required)
    .addColumn('topic', ddl.text)
    .addColumn('category_id', ddl.integer, category)
    .addColumn('position', ddl.integer, required)
    .addColumn('user_limit', ddl.integer, (column) => column.notNull().defaultTo(0))
    .addColumn('bitrate', ddl.integer, (column) => column.notNull().defaultTo(64_000))
    .execute()
}

const category = (column: Column) => column.references('categories.category_id').onDelete('set null')

async function overrides(ddl: Ddl): Promise<void> {
  await ddl
    .createTable('permission_overrides')
    .addColumn('override_id', ddl.integer, ddl.id)
    .addColumn('feed_id', ddl.integer, partOf('feeds.feed_id'))
    .addColumn('room_id', ddl.integer, partOf('rooms.room_id'))
    .addColumn('role_id', ddl.integer, partOf('roles.role_id'))
    .addColumn('user_id', ddl.integer, user)
    .addColumn('allow', ddl.integer, required)
    .addColumn('deny', ddl.integer, required)
    .addCheckConstraint('one_space', sql`(feed_id is null) <> (room_id is null)`)
    .addCheckConstraint('one_target', sql`(role_id is null) <> (user_id is null)`)
    // Nulls are distinct, so each of these is about its own kind of pair only.
    .addUniqueConstraint('override_of_role_in_feed', ['feed_id', 'role_id'])
    .addUniqueConstraint('override_of_user_in_feed', ['feed_id', 'user_id'])
    .addUniqueConstraint('override_of_role_in_room', ['room_id', 'role_id'])
    .addUniqueConstraint('override_of_user_in_room', ['room_id', 'user_id'])
    .execute()
  await ddl.schema.createIndex('permission_overrides_of_role').on('permission_overrides').column('role_id').execute()
}

/** Messages without feed or author come later; SQLite cannot make a column nullable afterwards. */
async function messages(ddl: Ddl): Promise<void> {
  await ddl
    .createTable('messages')
    .addColumn('msg_id', ddl.integer, key)
    .addColumn('feed_id', ddl.integer, partOf('feeds.feed_id'))
    .addColumn('author_id', ddl.integer, user)
    .addColumn('body', ddl.text)
    .addColumn('opaque_blob', ddl.text)
    .addColumn('reply_to', ddl.integer)
    .addColumn('edit_timestamp', ddl.integer)
    .execute()
  await ddl.schema.createIndex('messages_of_feed').on('messages').columns(['feed_id', 'msg_id']).execute()
}

async function logs(ddl: Ddl): Promise<void> {
  await ddl
    .createTable('event_log')
    .addColumn('event_id', ddl.integer, key)
    .addColumn('type', ddl.text, required)
    .addColumn('payload', ddl.text, required)
    .addColumn('feed_id', ddl.integer)
    .addColumn('room_id', ddl.integer)
    .addColumn('permission', ddl.integer)
    .execute()
  await ddl.schema.createIndex('event_log_by_type').on('event_log').columns(['type', 'event_id']).execute()
  await ddl
    .createTable('audit_log')
    .addColumn('entry_id', ddl.integer, key)
    .addColumn('event_type', ddl.text, required)
    .addColumn('actor_id', ddl.integer, user)
    .addColumn('target_id', ddl.integer)
    .addColumn('metadata', ddl.text)
    .execute()
}
