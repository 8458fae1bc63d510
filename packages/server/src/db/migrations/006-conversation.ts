import type { ColumnDefinitionBuilder } from 'kysely'
import type { Ddl, Migration } from './migration.ts'

/** What people do with messages: mention somebody in them, react to them, pin them. */
export const conversation: Migration = {
  name: '006-conversation',
  async up(ddl) {
    await ddl.schema.alterTable('messages').addColumn('mentions', ddl.text).execute()
    await reactions(ddl)
    await pins(ddl)
  },
}

type Column = ColumnDefinitionBuilder

const required = (column: Column) => column.notNull()
const user = (column: Column) => column.references('users.user_id').notNull()
const partOf = (parent: string) => (column: Column) => column.references(parent).onDelete('cascade').notNull()

async function reactions(ddl: Ddl): Promise<void> {
  await ddl
    .createTable('message_reactions')
    .addColumn('reaction_id', ddl.integer, ddl.id)
    .addColumn('msg_id', ddl.integer, partOf('messages.msg_id'))
    .addColumn('user_id', ddl.integer, user)
    .addColumn('emoji', ddl.text, required)
    .addUniqueConstraint('message_reactions_once', ['msg_id', 'emoji', 'user_id'])
    .execute()
}

async function pins(ddl: Ddl): Promise<void> {
  await ddl
    .createTable('pins')
    .addColumn('msg_id', ddl.integer, (column) => partOf('messages.msg_id')(column).primaryKey())
    .addColumn('feed_id', ddl.integer, partOf('feeds.feed_id'))
    .addColumn('pinned_at', ddl.integer, required)
    .execute()
  await ddl.schema.createIndex('pins_of_feed').on('pins').column('feed_id').execute()
}
