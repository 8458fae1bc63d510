import type { Insertable } from 'kysely'
import type { Database, Tx } from '../../src/db/database.ts'
import { type DatabaseOptions, openDatabase } from '../../src/db/open.ts'
import type { Feeds, Messages, Roles, Users } from '../../src/db/schema.ts'

/** Opens a database as a server would; `await using` closes it. */
export async function openTestDatabase(
  url: string,
  options: Partial<DatabaseOptions> = {},
): Promise<Database & AsyncDisposable> {
  const database = await openDatabase(url, {
    poolSize: 2,
    maxOverflow: 2,
    poolRecycleSeconds: 1800,
    onError(error) {
      throw error
    },
    onLockLost() {},
    onMigration() {},
    ...options,
  })
  return Object.assign(database, { [Symbol.asyncDispose]: () => database.close() })
}

export async function addUser({ db }: Tx, username: string, values: Partial<Insertable<Users>> = {}): Promise<number> {
  const user = { username, username_key: username, created_at: 0, ...values }
  return (await db.insertInto('users').values(user).returning('user_id').executeTakeFirstOrThrow()).user_id
}

export async function addRole({ db }: Tx, values: Partial<Insertable<Roles>> = {}): Promise<number> {
  const role = { name: 'role', position: 1, permissions: 0n, ...values }
  return (await db.insertInto('roles').values(role).returning('role_id').executeTakeFirstOrThrow()).role_id
}

export async function addFeed({ db }: Tx, values: Partial<Insertable<Feeds>> = {}): Promise<number> {
  const feed = { name: 'feed', type: 'text' as const, position: 0, ...values }
  return (await db.insertInto('feeds').values(feed).returning('feed_id').executeTakeFirstOrThrow()).feed_id
}

export async function addMessage({ db }: Tx, message: Insertable<Messages>): Promise<void> {
  await db.insertInto('messages').values(message).execute()
}
