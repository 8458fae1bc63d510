import { type ColumnDefinitionBuilder, sql } from 'kysely'
import type { Ddl, Migration } from './migration.ts'

/** Devices that encrypt, the keys they offer to others, and the messages relayed between them. */
export const keys: Migration = {
  name: '012-keys',
  async up(ddl) {
    await devices(ddl)
    await prekeys(ddl)
    await keyPackages(ddl)
    await backups(ddl)
    await relays(ddl)
    await commits(ddl)
  },
}

type Column = ColumnDefinitionBuilder

const required = (column: Column) => column.notNull()
const user = (column: Column) => column.references('users.user_id').notNull()
const device = (column: Column) => column.references('devices.device_id').onDelete('cascade').notNull()

async function devices(ddl: Ddl): Promise<void> {
  await ddl
    .createTable('devices')
    .addColumn('device_number', ddl.integer, ddl.id)
    .addColumn('device_id', ddl.text, (column) => column.notNull().unique())
    .addColumn('user_id', ddl.integer, user)
    .addColumn('device_name', ddl.text, required)
    .addColumn('created_at', ddl.integer, required)
    .execute()
  await ddl.schema.createIndex('devices_of_user').on('devices').column('user_id').execute()
}

async function prekeys(ddl: Ddl): Promise<void> {
  await ddl
    .createTable('prekeys')
    .addColumn('device_id', ddl.text, (column) => device(column).primaryKey())
    .addColumn('identity_key', ddl.text, required)
    .addColumn('signed_prekey', ddl.text, required)
    .execute()
  await ddl
    .createTable('one_time_prekeys')
    .addColumn('prekey_id', ddl.integer, ddl.id)
    .addColumn('device_id', ddl.text, device)
    .addColumn('key_data', ddl.text, required)
    .execute()
  await ddl.schema
    .createIndex('one_time_prekeys_of_device')
    .on('one_time_prekeys')
    .columns(['device_id', 'prekey_id'])
    .execute()
  await handouts(ddl, 'prekey_handouts')
}

async function keyPackages(ddl: Ddl): Promise<void> {
  await ddl
    .createTable('key_packages')
    .addColumn('package_id', ddl.integer, ddl.id)
    .addColumn('device_id', ddl.text, device)
    .addColumn('key_data', ddl.text, required)
    .addColumn('reference', ddl.text, (column) => column.notNull().unique())
    .addColumn('signature_key', ddl.text, required)
    .addColumn('last_resort', ddl.boolean, required)
    .addColumn('expires_at', ddl.integer, required)
    .execute()
  await ddl.schema
    .createIndex('key_packages_of_device')
    .on('key_packages')
    .columns(['device_id', 'package_id'])
    .execute()
  await handouts(ddl, 'key_package_handouts', (table) =>
    table
      .addColumn('device_id', ddl.text, required)
      .addColumn('reference', ddl.text, required)
      .addColumn('last_resort', ddl.boolean, required)
      .addColumn('welcomes', ddl.integer, (column) => column.notNull().defaultTo(0)),
  )
  await ddl.schema
    .createIndex('key_package_handouts_of_reference')
    .on('key_package_handouts')
    .column('reference')
    .execute()
}

type Table = ReturnType<Ddl['createTable']>

/** Who was given whose keys, and when. */
async function handouts(ddl: Ddl, name: string, further = (table: Table) => table): Promise<void> {
  const table = ddl
    .createTable(name)
    .addColumn('handout_id', ddl.integer, ddl.id)
    .addColumn('owner_id', ddl.integer, user)
    .addColumn('receiver_id', ddl.integer, user)
    .addColumn('handed_at', ddl.integer, required)
  await further(table).execute()
  await ddl.schema
    .createIndex(`${name}_of_receiver`)
    .on(name)
    .columns(['receiver_id', 'owner_id', 'handed_at'])
    .execute()
}

async function backups(ddl: Ddl): Promise<void> {
  await ddl
    .createTable('key_backups')
    .addColumn('user_id', ddl.integer, (column) => user(column).primaryKey())
    .addColumn('encrypted_blob', ddl.text, required)
    .addColumn('updated_at', ddl.integer, required)
    .execute()
}

/**
 * Relays are found by their recipients, those of an encrypted feed by the feed. What they carry may be long, so it stands
 * last: SQLite reads all that precedes a column.
 */
async function relays(ddl: Ddl): Promise<void> {
  await ddl
    .createTable('relays')
    .addColumn('relay_id', ddl.integer, (column) => column.primaryKey().notNull())
    .addColumn('mls_type', ddl.text, required)
    .addColumn('group_id', ddl.text)
    .addColumn('dm_id', ddl.integer)
    .addColumn('feed_id', ddl.integer, (column) => column.references('feeds.feed_id').onDelete('cascade'))
    .addColumn('sender_id', ddl.integer, user)
    .addColumn('data', ddl.text, required)
    .execute()
  await ddl.schema
    .createIndex('relays_of_feed')
    .on('relays')
    .columns(['feed_id', 'relay_id'])
    .where(sql.ref('feed_id'), 'is not', null)
    .execute()
  await ddl
    .createTable('relay_recipients')
    .addColumn('user_id', ddl.integer, user)
    .addColumn('relay_id', ddl.integer, (column) => column.references('relays.relay_id').onDelete('cascade').notNull())
    .addColumn('sender_id', ddl.integer, user)
    .addColumn('waiting', ddl.boolean, required)
    .addPrimaryKeyConstraint('relay_recipients_key', ['user_id', 'relay_id'])
    .execute()
  await ddl.schema.createIndex('relay_recipients_of_relay').on('relay_recipients').column('relay_id').execute()
  await ddl.schema
    .createIndex('relay_recipients_waiting')
    .on('relay_recipients')
    .columns(['user_id', 'relay_id'])
    .where(sql<boolean>`waiting`)
    .execute()
}

/** A relay that won an epoch is kept for as long as that is remembered. */
async function commits(ddl: Ddl): Promise<void> {
  await ddl
    .createTable('dm_commits')
    .addColumn('dm_id', ddl.integer, (column) => column.references('dms.dm_id').onDelete('cascade').notNull())
    .addColumn('epoch', ddl.integer, required)
    .addColumn('relay_id', ddl.integer, (column) => column.references('relays.relay_id').notNull())
    .addPrimaryKeyConstraint('dm_commits_key', ['dm_id', 'epoch'])
    .execute()
  await ddl.schema.createIndex('dm_commits_of_relay').on('dm_commits').column('relay_id').execute()
}
