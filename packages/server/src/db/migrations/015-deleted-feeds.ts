import type { Migration } from './migration.ts'

/** Feeds that are deleted for everybody but still hold messages, which are erased bit by bit. */
export const deletedFeeds: Migration = {
  name: '015-deleted-feeds',
  async up({ schema, boolean, engine }) {
    await schema
      .alterTable('feeds')
      .addColumn('deleted', boolean, (column) => column.notNull().defaultTo(engine === 'sqlite' ? 0 : false))
      .execute()
  },
}
