import type { Migration } from './migration.ts'

/**
 * What a message shows beside its text, and the webhook that posted it. The webhook's name and picture are those of that
 * moment; its id is no reference, because messages outlive their webhook.
 */
export const content: Migration = {
  name: '008-content',
  async up(ddl) {
    for (const column of ['embeds', 'components', 'webhook_name', 'webhook_avatar'])
      await ddl.schema.alterTable('messages').addColumn(column, ddl.text).execute()
    await ddl.schema.alterTable('messages').addColumn('webhook_id', ddl.integer).execute()
  },
}
