import { sql } from 'kysely'
import { among } from '../../db/prepared.ts'
import type { Work } from '../../events/work.ts'
import type { Backlog, BacklogSource } from '../../gateway/backlog.ts'
import type { Services } from '../../services.ts'
import { MAX_KEPT, MAX_PER_SENDER, readableIds } from './mailbox.ts'
import { type Relay, relayEvent } from './relay.ts'

/** Characters of relays that may be on their way to a client, and are lost if its connection is. */
const ON_THE_WAY = 2 * 1024 * 1024

/** The relays after one, up to another. */
interface Span {
  after: bigint
  last: bigint
}

/**
 * Relays for users of whom nobody was there: all from the first one that they missed on are told to the next new
 * session, the oldest first, before anything else (spec 05, section 13.4). A session that breaks off leaves to the next
 * one what it was not given, and what may have been lost on the way.
 *
 * Who may have missed any is known in memory, so that all others connect without a query. A relay puts its recipients
 * there while its job runs, not when it has committed: whoever connects in between waits in the lane behind that job.
 */
export class WaitingRelays implements BacklogSource {
  readonly #services: Services
  readonly #users = new Set<number>()
  /** Until the backlogs of an earlier run have been looked through, everybody may be owed something. */
  #isLoaded = false

  constructor(services: Services) {
    this.#services = services
    this.#load().catch((err) => services.log.error({ err }, 'users with waiting relays could not be looked up'))
  }

  /** The relay of this job is for these users: whoever of them has no session misses it. */
  async miss(job: Work, relayId: bigint, userIds: readonly number[]): Promise<void> {
    const away = userIds.filter((userId) => !this.#services.gateway.hasSession(userId))
    if (away.length === 0) return
    for (const userId of away) this.#users.add(userId)
    const backlogs = job.db
      .selectFrom('users')
      .select(['user_id', sql<bigint>`${relayId}`.as('first_missed')])
      .where(among(job.db, sql.ref('user_id'), away))
    await job.db
      .insertInto('relay_backlogs')
      .columns(['user_id', 'first_missed'])
      .expression(backlogs)
      .onConflict((conflict) => conflict.doNothing())
      .execute()
  }

  mayOwe(userId: number): boolean {
    return !this.#isLoaded || this.#users.has(userId)
  }

  async begin(userId: number, open: (backlog: Backlog | undefined) => void): Promise<void> {
    const opening = Promise.withResolvers<void>()
    await this.#services.work.run(async (job) => {
      const missed = await this.#firstMissed(job, userId)
      if (missed === undefined) this.#users.delete(userId)
      const backlog =
        missed === undefined ? undefined : this.#backlog(userId, { after: missed - 1n, last: job.nextId() })
      // As a change, because jobs after this one look at who has a session.
      job.change(() => opening.resolve(attempt(() => open(backlog))))
    })
    return opening.promise
  }

  #backlog(userId: number, { after, last }: Span): Backlog {
    let arrived = after
    let onTheWay = 0
    return {
      next: async (count) => {
        const relays = await this.#owed(userId, { after, last }, count)
        if (relays.length === 0) this.#settle(userId, last, 'all')
        after = relays.at(-1)?.relay_id ?? last
        onTheWay += charactersIn(relays)
        if (onTheWay >= ON_THE_WAY) {
          this.#settle(userId, arrived, 'part')
          arrived = after
          onTheWay = 0
        }
        return relays.map(relayEvent)
      },
    }
  }

  /** The first relays of those that are still owed: at most as many as are kept for one user, the newest. */
  #owed(userId: number, { after, last }: Span, count: number): Promise<Relay[]> {
    const { read } = this.#services.db
    const readable = read
      .selectFrom('relays')
      .select(['relay_id', sql<number>`row_number() over (partition by sender_id order by relay_id desc)`.as('nth')])
      .where('relay_id', 'in', readableIds(this.#services, userId, after))
      .where('relay_id', '<=', last)
    const kept = read
      .selectFrom(readable.as('readable'))
      .select('relay_id')
      .orderBy((row) => row('nth', '>', MAX_PER_SENDER))
      .orderBy('relay_id', 'desc')
      .limit(MAX_KEPT)
    const owed = read.selectFrom('relays').selectAll().where('relay_id', 'in', kept)
    return owed.orderBy('relay_id').limit(count).execute()
  }

  /** Everything up to this relay has been handed over, which is all that was missed or a part of it. */
  #settle(userId: number, upTo: bigint, what: 'all' | 'part'): void {
    const { work, log, gateway } = this.#services
    const settling = work.run(async (job) => {
      await job.db
        .updateTable('relay_backlogs')
        .set({ first_missed: upTo + 1n })
        .where('user_id', '=', userId)
        .where('first_missed', '<=', upTo)
        .execute()
      // If its session has ended meanwhile, the user may have missed others since.
      if (what === 'part' || !gateway.hasSession(userId)) return
      const settled = job.db
        .deleteFrom('relay_backlogs')
        .where('user_id', '=', userId)
        .where('first_missed', '=', upTo + 1n)
      await settled.execute()
      if ((await this.#firstMissed(job, userId)) === undefined) this.#users.delete(userId)
    })
    settling.catch((err) => {
      this.#users.add(userId)
      log.error({ err }, 'relays could not be marked as delivered')
    })
  }

  /** The first relay that the user has missed. */
  async #firstMissed({ db }: Work, userId: number): Promise<bigint | undefined> {
    const backlog = await db
      .selectFrom('relay_backlogs')
      .select('first_missed')
      .where('user_id', '=', userId)
      .executeTakeFirst()
    return backlog?.first_missed
  }

  async #load(): Promise<void> {
    await this.#services.work.run(async ({ db }) => {
      const backlogs = await db.selectFrom('relay_backlogs').select('user_id').execute()
      for (const { user_id } of backlogs) this.#users.add(user_id)
      this.#isLoaded = true
    })
  }
}

const charactersIn = (relays: readonly Relay[]): number => relays.reduce((sum, { data }) => sum + data.length, 0)

/** The outcome of a call as a promise. */
const attempt = async (call: () => void): Promise<void> => call()
