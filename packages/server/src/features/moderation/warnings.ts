import { notificationCreate } from '@vox/protocol'
import type { Work } from '../../events/work.ts'
import type { Services } from '../../services.ts'

/**
 * Warnings by moderators. Each is stored first and taken out again when it is sent, which is at once if the user has a
 * live session, else after the presence snapshot of the next one. So it is sent once, whatever happens between.
 */
export class Warnings {
  readonly #services: Services

  constructor(services: Services) {
    this.#services = services
    services.gateway.onCaughtUp((userId) => {
      this.deliver(userId).catch((err) => services.log.error({ err }, 'warnings could not be delivered'))
    })
  }

  /** Stores a warning; `deliver` is to be called when that is committed. */
  async add(job: Work, userId: number, reason: string): Promise<void> {
    await job.db.insertInto('warnings').values({ user_id: userId, reason }).execute()
  }

  /** Sends what the user has not been told yet, if somebody is there to be told. */
  async deliver(userId: number): Promise<void> {
    const { db, work, gateway } = this.#services
    const waiting = await db.read
      .selectFrom('warnings')
      .select('warning_id')
      .where('user_id', '=', userId)
      .limit(1)
      .executeTakeFirst()
    if (!waiting) return
    await work.run(async (job) => {
      if (!gateway.isConnected(userId)) return
      const warnings = await job.db
        .deleteFrom('warnings')
        .where('user_id', '=', userId)
        .returning(['warning_id', 'reason'])
        .execute()
      for (const { reason } of warnings.sort((a, b) => a.warning_id - b.warning_id))
        job.emit(
          notificationCreate,
          { user_id: userId, type: 'warning', body_preview: reason },
          { to: 'users', users: [userId] },
        )
    })
  }
}
