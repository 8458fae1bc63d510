import { setImmediate as endOfTurn } from 'node:timers/promises'
import type { Kysely } from 'kysely'
import type { Schema } from '../../db/schema.ts'

/** Enough at once to be quick, few enough to keep nobody waiting and to stay within the time limit of a statement. */
const PART = 2_000

/** Deletes all messages of a feed, those in threads included, of one thread or of a conversation, however many there are. */
export async function eraseMessages(
  db: Kysely<Schema>,
  place: { column: 'feed_id' | 'thread_id' | 'dm_id'; id: number },
): Promise<void> {
  let gone: bigint
  do {
    const { numDeletedRows } = await db
      .deleteFrom('messages')
      .where('msg_id', 'in', (eb) =>
        eb.selectFrom('messages').select('msg_id').where(place.column, '=', place.id).limit(PART),
      )
      .executeTakeFirst()
    gone = numDeletedRows
    await endOfTurn()
  } while (gone > 0n)
}
