import { setImmediate as endOfTurn } from 'node:timers/promises'
import { sql } from 'kysely'
import type { Clock } from '../../clock.ts'
import type { Database, Tx } from '../../db/database.ts'

const DAY_MS = 86_400_000

/** Pages of the index that are written at once: few enough to keep nobody waiting. */
const PART = 100

/**
 * Frees SQLite's index of what has been deleted. A deletion only notes that a message is gone: its runs of three
 * characters stay in the file until that part of the index is written anew, which is done here, part by part. Costs as
 * much writing as the index is large, hence once a day; costs nothing where nothing has been deleted or added since.
 */
export class IndexTidying {
  readonly #db: Database
  readonly #clock: Clock
  #due = 0

  constructor({ db, clock }: { db: Database; clock: Clock }) {
    this.#db = db
    this.#clock = clock
  }

  async run(): Promise<void> {
    const now = this.#clock.now()
    if (this.#db.engine === 'postgres' || now < this.#due) return
    this.#due = now + DAY_MS
    // A negative number begins to merge all there is; a positive one goes on with that.
    for (let pages = -PART; await this.#db.write((tx) => merge(tx, pages)); pages = PART) await endOfTurn()
  }
}

/** Whether there was anything to merge. */
async function merge({ db }: Tx, pages: number): Promise<boolean> {
  const before = await changes(db)
  await sql`insert into message_search (message_search, rank) values ('merge', ${pages})`.execute(db)
  // The statement itself counts as one.
  return (await changes(db)) - before > 1
}

async function changes(db: Tx['db']): Promise<number> {
  const { rows } = await sql<{ changes: number }>`select total_changes() as changes`.execute(db)
  return rows[0]?.changes ?? 0
}
