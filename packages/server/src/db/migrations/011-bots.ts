import type { ColumnDefinitionBuilder } from 'kysely'
import type { Migration } from './migration.ts'

/** Accounts behind which programs are, and the commands they answer to. */
export const bots: Migration = {
  name: '011-bots',
  async up(ddl) {
    await ddl
      .createTable('bots')
      .addColumn('bot_id', ddl.integer, ddl.id)
      .addColumn('user_id', ddl.integer, (column) => user(column).unique())
      .addColumn('owner_id', ddl.integer, user)
      .addColumn('interaction_url', ddl.text)
      .addColumn('interaction_secret', ddl.text, required)
      .addColumn('created_at', ddl.integer, required)
      .execute()
    await ddl
      .createTable('bot_commands')
      .addColumn('command_id', ddl.integer, ddl.id)
      .addColumn('bot_id', ddl.integer, (column) => column.references('bots.bot_id').onDelete('cascade').notNull())
      .addColumn('name', ddl.text, (column) => column.notNull().unique())
      .addColumn('description', ddl.text)
      .addColumn('params', ddl.text, required)
      .execute()
    await ddl.schema.createIndex('bot_commands_of_bot').on('bot_commands').column('bot_id').execute()
  },
}

type Column = ColumnDefinitionBuilder

const required = (column: Column) => column.notNull()
const user = (column: Column) => column.references('users.user_id').notNull()
