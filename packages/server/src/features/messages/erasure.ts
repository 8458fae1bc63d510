import type { Kysely } from 'kysely'
import { DatabaseUnavailable } from '../../db/database.ts'
import type { Schema } from '../../db/schema.ts'
import type { Work } from '../../events/work.ts'
import type { Services } from '../../services.ts'

/** Messages that one job deletes: whoever writes meanwhile does not notice. */
const SLICE = 500

interface Place {
  column: 'feed_id' | 'thread_id' | 'dm_id'
  id: number
}

/** Deletes some messages of a place; whether none is left. */
export async function eraseSlice(db: Kysely<Schema>, { column, id }: Place): Promise<boolean> {
  const { numDeletedRows } = await db
    .deleteFrom('messages')
    .where('msg_id', 'in', (eb) => eb.selectFrom('messages').select('msg_id').where(column, '=', id).limit(SLICE))
    .executeTakeFirst()
  return Number(numDeletedRows) < SLICE
}

/** Places that nobody sees any more. */
interface Doomed {
  /** For the log. */
  name: string
  column: Place['column']
  find(db: Kysely<Schema>): Promise<number[]>
  /** Deletes one that has no messages left. */
  end(job: Work, id: number): Promise<void>
}

/**
 * Erases places with all their messages. Since nobody sees them any more, large ones may go bit by bit, a job each,
 * while others write in between; and what a stop or a lost database interrupts is found again, at the next start or
 * within the hour.
 */
export class Erasure {
  readonly #services: Services
  readonly #doomed: Doomed
  #mayBeMore = false
  #isRunning = false

  constructor(services: Services, doomed: Doomed) {
    this.#services = services
    this.#doomed = doomed
    services.cleanup.add(doomed.name, async () => this.#begin())
    this.#begin()
  }

  /** Erases a place in a job; whether all of it is gone. If not, the rest follows, and {@link Doomed.find} has to find it. */
  async erase(job: Work, id: number): Promise<boolean> {
    const isGone = await this.#eraseSlice(job, id)
    if (!isGone) job.afterCommit(() => this.#begin())
    return isGone
  }

  async #eraseSlice(job: Work, id: number): Promise<boolean> {
    const { column, end } = this.#doomed
    if (!(await eraseSlice(job.db, { column, id }))) return false
    await end(job, id)
    return true
  }

  #begin(): void {
    this.#mayBeMore = true
    if (!this.#isRunning) void this.#run()
  }

  async #run(): Promise<void> {
    const { db, log } = this.#services
    this.#isRunning = true
    try {
      while (this.#mayBeMore) {
        this.#mayBeMore = false
        for (const id of await this.#doomed.find(db.readAside)) await this.#eraseAll(id)
      }
    } catch (err) {
      if (!(err instanceof DatabaseUnavailable)) log.error({ err }, `erasing ${this.#doomed.name} failed`)
    }
    this.#isRunning = false
  }

  async #eraseAll(id: number): Promise<void> {
    let isGone = false
    while (!isGone) isGone = await this.#services.work.run((job) => this.#eraseSlice(job, id))
  }
}
