import type { Kysely } from 'kysely'
import type { Schema } from './schema.ts'

/** The largest snowflake in the database, above which new ones have to begin; 0 when there is none. */
export async function largestSnowflake(db: Kysely<Schema>): Promise<bigint> {
  const rows = await db
    .selectFrom('messages')
    .select(({ fn }) => fn.max<bigint | null>('msg_id').as('msg_id'))
    .unionAll(db.selectFrom('event_log').select(({ fn }) => fn.max<bigint | null>('event_id').as('msg_id')))
    .unionAll(db.selectFrom('audit_log').select(({ fn }) => fn.max<bigint | null>('entry_id').as('msg_id')))
    .unionAll(db.selectFrom('relays').select(({ fn }) => fn.max<bigint | null>('relay_id').as('msg_id')))
    .execute()
  let largest = 0n
  for (const { msg_id } of rows) if (msg_id !== null && msg_id > largest) largest = msg_id
  return largest
}
