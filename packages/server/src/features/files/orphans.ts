import type { Kysely } from 'kysely'
import type { Schema } from '../../db/schema.ts'
import type { Services } from '../../services.ts'

/** How long an object may be without its row: an upload is one for a moment. */
const PATIENCE_MS = 86_400_000

const BATCH = 500

/**
 * Removes stored objects that no row knows (spec 01, section 13.4): what a crash in the middle of an upload or a failed
 * removal left. Objects from before the first account of this database are spared. They are not its remains: somebody
 * started the server with the wrong database.
 */
export async function removeOrphans({ db, storage, clock }: Pick<Services, 'db' | 'storage' | 'clock'>): Promise<void> {
  const since = await beginningOf(db.read)
  const until = clock.now() - PATIENCE_MS
  for await (const keys of batches(storage.keys(), BATCH))
    for (const key of await withoutRow(db.read, keys)) {
      const facts = await storage.facts(key)
      if (facts && facts.storedAt >= since && facts.storedAt < until) await storage.delete(key)
    }
}

async function beginningOf(db: Kysely<Schema>): Promise<number> {
  const first = await db.selectFrom('users').select('created_at').orderBy('user_id').limit(1).executeTakeFirst()
  return first?.created_at ?? Number.POSITIVE_INFINITY
}

async function withoutRow(db: Kysely<Schema>, keys: readonly string[]): Promise<string[]> {
  const rows = await db.selectFrom('files').select('file_id').where('file_id', 'in', keys).execute()
  const known = new Set(rows.map(({ file_id }) => file_id))
  return keys.filter((key) => !known.has(key))
}

async function* batches<T>(items: AsyncIterable<T>, size: number): AsyncGenerator<T[]> {
  let batch: T[] = []
  for await (const item of items) {
    batch.push(item)
    if (batch.length < size) continue
    yield batch
    batch = []
  }
  if (batch.length > 0) yield batch
}
