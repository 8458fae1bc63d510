import { sql } from 'kysely'
import type { Work } from '../../events/work.ts'
import type { Backlog, BacklogSource } from '../../gateway/backlog.ts'
import type { Services } from '../../services.ts'
import { oldestKept } from './mailbox.ts'
import { relayEvent } from './relay.ts'

/** In the words of the index: SQLite does not see that a comparison with `true` means the same. */
const isWaiting = sql<boolean>`waiting`

/**
 * Relays for users of whom nobody was there: they are marked as waiting and told to the next new session, the oldest
 * first, before anything else (spec 05, section 13.4). The marks go when all have been handed over, so a session that
 * breaks off before leaves them to the next one.
 *
 * Who may have any is known in memory, so that all others connect without a query. A relay puts its recipients there
 * while its job runs, not when it has committed: whoever connects in between waits in the lane behind that job.
 */
export class WaitingRelays implements BacklogSource {
  readonly #services: Services
  readonly #users = new Set<number>()
  /** Until the marks of an earlier run have been looked through, everybody may be owed something. */
  #isLoaded = false

  constructor(services: Services) {
    this.#services = services
    this.#load().catch((err) => services.log.error({ err }, 'users with waiting relays could not be looked up'))
  }

  /** Whether nobody of the user is there to be told; then the relay of this job waits. */
  isAway(userId: number): boolean {
    if (this.#services.gateway.hasSession(userId)) return false
    this.#users.add(userId)
    return true
  }

  mayOwe(userId: number): boolean {
    return !this.#isLoaded || this.#users.has(userId)
  }

  async begin(userId: number, open: (backlog: Backlog | undefined) => void): Promise<void> {
    const opening = Promise.withResolvers<void>()
    await this.#services.work.run(async (job) => {
      const last = await this.#lastWaiting(job, userId)
      if (last === null) this.#users.delete(userId)
      // As a change, because jobs after this one look at who has a session.
      job.change(() => opening.resolve(attempt(() => open(last === null ? undefined : this.#backlog(userId, last)))))
    })
    return opening.promise
  }

  /** What waits for the user, up to a relay after which everything is told live. */
  #backlog(userId: number, last: bigint): Backlog {
    const { db, clock } = this.#services
    let after = oldestKept(clock.now()) - 1n
    return {
      next: async (count) => {
        const relays = await db.read
          .selectFrom('relay_recipients')
          .innerJoin('relays', 'relays.relay_id', 'relay_recipients.relay_id')
          .selectAll('relays')
          .where('user_id', '=', userId)
          .where(isWaiting)
          .where('relay_recipients.relay_id', '>', after)
          .where('relay_recipients.relay_id', '<=', last)
          .orderBy('relay_recipients.relay_id')
          .limit(count)
          .execute()
        after = relays.at(-1)?.relay_id ?? last
        if (relays.length === 0) this.#handedOver(userId, last)
        return relays.map(relayEvent)
      },
    }
  }

  async #lastWaiting({ db }: Work, userId: number): Promise<bigint | null> {
    const { relay_id } = await db
      .selectFrom('relay_recipients')
      .select(({ fn }) => fn.max<bigint | null>('relay_id').as('relay_id'))
      .where('user_id', '=', userId)
      .where(isWaiting)
      .where('relay_id', '>=', oldestKept(this.#services.clock.now()))
      .executeTakeFirstOrThrow()
    return relay_id
  }

  #handedOver(userId: number, last: bigint): void {
    const { work, log } = this.#services
    const marking = work.run(async (job) => {
      await job.db
        .updateTable('relay_recipients')
        .set({ waiting: false })
        .where('user_id', '=', userId)
        .where(isWaiting)
        .where('relay_id', '<=', last)
        .execute()
      if ((await this.#lastWaiting(job, userId)) === null) this.#users.delete(userId)
    })
    marking.catch((err) => {
      this.#users.add(userId)
      log.error({ err }, 'relays could not be marked as delivered')
    })
  }

  async #load(): Promise<void> {
    await this.#services.work.run(async ({ db }) => {
      const rows = await db.selectFrom('relay_recipients').select('user_id').distinct().where(isWaiting).execute()
      for (const { user_id } of rows) this.#users.add(user_id)
      this.#isLoaded = true
    })
  }
}

/** The outcome of a call as a promise. */
const attempt = async (call: () => void): Promise<void> => call()
