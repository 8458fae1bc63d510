import { sql } from 'kysely'
import type { Logger } from 'pino'
import type { Clock, Timer } from '../../clock.ts'
import type { Database } from '../../db/database.ts'

/** How often texts enter the index, and how many at once: few enough to keep nobody waiting. */
const PERIOD_MS = 250
const PART = 250

interface Surroundings {
  db: Database
  clock: Clock
  log: Logger
}

/** The highest message in SQLite's index; texts above it have yet to enter. */
export const lastIndexed = sql<bigint>`coalesce((select max(id) from message_search_docsize), 0)`

/** Brings the texts of new messages into SQLite's index; PostgreSQL does that by itself (db/migrations/007-search.ts). */
export class Indexer implements AsyncDisposable {
  readonly #surroundings: Surroundings
  readonly #timer: Timer | undefined
  #running: Promise<void> | undefined

  constructor(surroundings: Surroundings) {
    this.#surroundings = surroundings
    if (surroundings.db.engine === 'postgres') return
    this.#timer = surroundings.clock.every(PERIOD_MS, () => {
      this.#running ??= this.#run()
    })
  }

  async #run(): Promise<void> {
    const { db, log } = this.#surroundings
    try {
      const pending = await sql`select 1 from message_texts where msg_id > ${lastIndexed} limit 1`.execute(db.read)
      if (pending.rows.length > 0)
        await db.write(async (tx) => {
          await sql`
            insert into message_search (rowid, folded)
            select msg_id, folded from message_texts where msg_id > ${lastIndexed} order by msg_id limit ${PART}
          `.execute(tx.db)
        })
    } catch (err) {
      log.warn({ err }, 'new messages could not be put into the search index; trying again')
    } finally {
      this.#running = undefined
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#timer?.cancel()
    await this.#running
  }
}
