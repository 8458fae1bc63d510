import { sql } from 'kysely'
import type { Migration } from './migration.ts'

/**
 * Whoever was away is remembered by the first relay they missed, not relay by relay: those of an encrypted feed may have
 * all members as recipients. What was handed out long ago is found without reading the rest.
 */
export const relayBacklogs: Migration = {
  name: '013-relay-backlogs',
  async up(ddl) {
    await ddl
      .createTable('relay_backlogs')
      .addColumn('user_id', ddl.integer, (column) => column.references('users.user_id').primaryKey())
      .addColumn('first_missed', ddl.integer, (column) => column.notNull())
      .execute()
    await ddl.run(sql`insert into relay_backlogs (user_id, first_missed)
      select user_id, min(relay_id) from relay_recipients where waiting group by user_id`)
    await ddl.schema.dropIndex('relay_recipients_waiting').execute()
    await ddl.schema.alterTable('relay_recipients').dropColumn('waiting').execute()
    for (const table of ['prekey_handouts', 'key_package_handouts'])
      await ddl.schema.createIndex(`${table}_by_time`).on(table).column('handed_at').execute()
  },
}
