import { sql } from 'kysely'
import type { Ddl, Migration } from './migration.ts'

/**
 * Conversations outside of feeds. Their messages and files lie beside those of feeds.
 *
 * That a message belongs to a feed or to a conversation is checked for all messages there are, which reads the table
 * once.
 */
export const directMessages: Migration = {
  name: '009-direct-messages',
  async up(ddl) {
    await conversations(ddl)
    await participants(ddl)
    await messagesAndFiles(ddl)
  },
}

async function conversations(ddl: Ddl): Promise<void> {
  await ddl
    .createTable('dms')
    .addColumn('dm_id', ddl.integer, ddl.id)
    .addColumn('lower_user_id', ddl.integer, (column) => column.references('users.user_id'))
    .addColumn('higher_user_id', ddl.integer, (column) => column.references('users.user_id'))
    .addColumn('name', ddl.text)
    .addColumn('icon', ddl.text)
    .addColumn('created_at', ddl.integer, (column) => column.notNull())
    .addUniqueConstraint('dms_of_pair', ['lower_user_id', 'higher_user_id'])
    .addCheckConstraint('dms_pair_or_group', sql`(lower_user_id is null) = (higher_user_id is null)`)
    .addCheckConstraint('dms_pair_in_order', sql`lower_user_id < higher_user_id`)
    .execute()
}

async function participants(ddl: Ddl): Promise<void> {
  await ddl
    .createTable('dm_participants')
    .addColumn('participant_id', ddl.integer, ddl.id)
    .addColumn('dm_id', ddl.integer, (column) => column.references('dms.dm_id').onDelete('cascade').notNull())
    .addColumn('user_id', ddl.integer, (column) => column.references('users.user_id').notNull())
    .addColumn('hidden', ddl.boolean, (column) => column.notNull().defaultTo(ddl.engine === 'sqlite' ? 0 : false))
    .addColumn('read_msg_id', ddl.integer)
    .addUniqueConstraint('dm_participants_once', ['dm_id', 'user_id'])
    .execute()
  await ddl.schema.createIndex('dm_participants_of_user').on('dm_participants').columns(['user_id', 'dm_id']).execute()
}

async function messagesAndFiles(ddl: Ddl): Promise<void> {
  await ddl.schema
    .alterTable('messages')
    .addColumn('dm_id', ddl.integer, (column) =>
      column.references('dms.dm_id').onDelete('cascade').check(sql`(dm_id is null) <> (feed_id is null)`),
    )
    .execute()
  await ddl.schema
    .createIndex('messages_of_dm')
    .on('messages')
    .columns(['dm_id', 'msg_id'])
    .where(sql.ref('dm_id'), 'is not', null)
    .execute()
  await ddl.schema
    .alterTable('files')
    .addColumn('dm_id', ddl.integer, (column) => column.references('dms.dm_id').onDelete('set null'))
    .execute()
  await ddl.schema
    .createIndex('files_of_dm')
    .on('files')
    .column('dm_id')
    .where(sql.ref('dm_id'), 'is not', null)
    .execute()
}
