import { ApiError, deviceListUpdate, type Static } from '@vox/protocol'
import type { registerDevice } from '@vox/protocol/endpoints'
import { seconds } from '../../clock.ts'
import type { Work } from '../../events/work.ts'
import type { Services } from '../../services.ts'
import { usableUntil } from './key-packages.ts'
import { devicesOf, findDevice } from './store.ts'

type NewDevice = Static<NonNullable<typeof registerDevice.body>>

/** The devices of users (spec 05, section 7). */
export class Devices {
  readonly #services: Services

  constructor(services: Services) {
    this.#services = services
  }

  register(userId: number, { device_id, device_name }: NewDevice): Promise<void> {
    const { work, clock, config } = this.#services
    return work.run(async (job) => {
      const known = await findDevice(job.db, device_id)
      if (known && known.user_id !== userId) throw new ApiError('DEVICE_ID_CONFLICT')
      if (known) return
      const others = await devicesOf(job.db, userId)
      if (others.length >= config.limits.max_devices) throw new ApiError('DEVICE_LIMIT_REACHED')
      const device = { device_id, user_id: userId, device_name, created_at: clock.now() }
      await job.db.insertInto('devices').values(device).execute()
      announce(job, userId, [...others, device])
    })
  }

  async list(userId: number) {
    const { db, clock } = this.#services
    const devices = await db.read
      .selectFrom('devices')
      .select(({ selectFrom }) => [
        'device_id',
        'device_name',
        'created_at',
        selectFrom('key_packages')
          .select(({ fn }) => fn.countAll<number>().as('count'))
          .whereRef('key_packages.device_id', '=', 'devices.device_id')
          .where('expires_at', '>', usableUntil(clock.now()))
          .$asScalar()
          .$notNull()
          .as('key_package_count'),
        selectFrom('one_time_prekeys')
          .select(({ fn }) => fn.countAll<number>().as('count'))
          .whereRef('one_time_prekeys.device_id', '=', 'devices.device_id')
          .$asScalar()
          .$notNull()
          .as('one_time_prekey_count'),
      ])
      .where('user_id', '=', userId)
      .orderBy('device_number')
      .execute()
    return devices.map((device) => ({ ...device, created_at: seconds(device.created_at) }))
  }

  /** Removes a device; its keys go with it. */
  remove(userId: number, deviceId: string): Promise<void> {
    return this.#services.work.run(async (job) => {
      const devices = await devicesOf(job.db, userId)
      const others = devices.filter(({ device_id }) => device_id !== deviceId)
      if (others.length === devices.length) throw new ApiError('SPACE_NOT_FOUND', { message: 'No such device.' })
      await job.db.deleteFrom('devices').where('device_id', '=', deviceId).execute()
      announce(job, userId, others)
    })
  }
}

/** Tells the user's sessions what devices there are now. */
function announce(job: Work, userId: number, devices: readonly NewDevice[]): void {
  const list = devices.map(({ device_id, device_name }) => ({ device_id, device_name }))
  job.emit(deviceListUpdate, { devices: list }, { to: 'users', users: [userId] })
}
