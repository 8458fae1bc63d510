import type { ColumnDefinitionBuilder } from 'kysely'
import type { Ddl, Migration } from './migration.ts'

/** What the second factor and passkeys need. */
export const accounts: Migration = {
  name: '002-accounts',
  async up(ddl) {
    await failures(ddl)
    await totp(ddl)
    await passkeys(ddl)
    await recoveryCodes(ddl)
  },
}

type Column = ColumnDefinitionBuilder

const required = (column: Column) => column.notNull()
const user = (column: Column) => column.references('users.user_id').notNull()
/** What a set-up has prepared goes with its ticket. */
const setup = (column: Column) => column.references('auth_sessions.session_id').onDelete('cascade')

async function failures(ddl: Ddl): Promise<void> {
  await ddl.schema
    .alterTable('auth_sessions')
    .addColumn('failures', ddl.integer, (column) => column.notNull().defaultTo(0))
    .execute()
  await ddl
    .createTable('second_factor_failures')
    .addColumn('failure_id', ddl.integer, ddl.id)
    .addColumn('user_id', ddl.integer, user)
    .addColumn('failed_at', ddl.integer, required)
    .execute()
  await ddl.schema
    .createIndex('second_factor_failures_of_user')
    .on('second_factor_failures')
    .columns(['user_id', 'failed_at'])
    .execute()
}

async function totp(ddl: Ddl): Promise<void> {
  await ddl
    .createTable('totp_secrets')
    .addColumn('user_id', ddl.integer, (column) => user(column).primaryKey())
    .addColumn('secret', ddl.text, required)
    .addColumn('setup_id', ddl.integer, (column) => setup(column).unique())
    .addColumn('last_step', ddl.integer)
    .execute()
}

async function passkeys(ddl: Ddl): Promise<void> {
  await ddl
    .createTable('passkeys')
    .addColumn('passkey_id', ddl.integer, ddl.id)
    .addColumn('user_id', ddl.integer, user)
    .addColumn('credential_id', ddl.text, (column) => column.notNull().unique())
    .addColumn('name', ddl.text, required)
    .addColumn('public_key', ddl.text, required)
    .addColumn('sign_count', ddl.integer, required)
    .addColumn('transports', ddl.text, required)
    .addColumn('registered_at', ddl.integer, required)
    .addColumn('last_used_at', ddl.integer)
    .execute()
  await ddl.schema.createIndex('passkeys_of_user').on('passkeys').column('user_id').execute()
  await ddl
    .createTable('webauthn_challenges')
    .addColumn('challenge_id', ddl.text, (column) => column.primaryKey().notNull())
    .addColumn('user_id', ddl.integer, user)
    .addColumn('setup_id', ddl.integer, (column) => setup(column).unique())
    .addColumn('challenge', ddl.text, required)
    .addColumn('rp_id', ddl.text, required)
    .addColumn('origins', ddl.text, required)
    .addColumn('expires_at', ddl.integer, required)
    .execute()
  await ddl.schema.createIndex('webauthn_challenges_of_user').on('webauthn_challenges').column('user_id').execute()
  await ddl.schema.createIndex('webauthn_challenges_expiry').on('webauthn_challenges').column('expires_at').execute()
}

async function recoveryCodes(ddl: Ddl): Promise<void> {
  await ddl
    .createTable('recovery_codes')
    .addColumn('recovery_code_id', ddl.integer, ddl.id)
    .addColumn('user_id', ddl.integer, user)
    .addColumn('code_hash', ddl.text, required)
    .addColumn('used', ddl.boolean, (column) => column.notNull().defaultTo(false))
    .execute()
  await ddl.schema.createIndex('recovery_codes_of_user').on('recovery_codes').column('user_id').execute()
}
