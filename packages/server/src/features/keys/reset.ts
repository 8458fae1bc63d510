import { keyResetNotify } from '@vox/protocol'
import type { Services } from '../../services.ts'
import { contactsOf } from '../dms/participants.ts'
import { forgetEpochsOf } from './epochs.ts'
import { devicesOf } from './store.ts'

/**
 * The user begins afresh: all that others could use to write to the old keys is gone, and whoever writes with the user
 * is told, blocked or not, because it is a matter of security (spec 05, section 12).
 */
export function reset({ work }: Services, userId: number): Promise<void> {
  return work.run(async (job) => {
    const devices = (await devicesOf(job.db, userId)).map(({ device_id }) => device_id)
    if (devices.length > 0)
      for (const table of ['prekeys', 'one_time_prekeys', 'key_packages'] as const)
        await job.db.deleteFrom(table).where('device_id', 'in', devices).execute()
    await job.db
      .deleteFrom('relay_recipients')
      .where('user_id', '=', userId)
      .where(({ exists, selectFrom }) =>
        exists(
          selectFrom('relays')
            .select('mls_type')
            .whereRef('relays.relay_id', '=', 'relay_recipients.relay_id')
            .where('mls_type', '=', 'welcome'),
        ),
      )
      .execute()
    await forgetEpochsOf(job, userId)
    job.emit(keyResetNotify, { user_id: userId }, { to: 'users', users: await contactsOf(job.db, userId) })
  })
}
