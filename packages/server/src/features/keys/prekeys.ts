import type { ReplyOf, Static } from '@vox/protocol'
import type { fetchPrekeys, uploadPrekeys } from '@vox/protocol/endpoints'
import type { Work } from '../../events/work.ts'
import type { Services } from '../../services.ts'
import { hourBefore, keysLeft } from './handouts.ts'
import { demandDevice } from './store.ts'

/** One-time prekeys that are kept per device (spec 05, section 6). */
const MAX_STOCK = 1000

type Upload = Static<NonNullable<typeof uploadPrekeys.body>>

/** Prekeys: to the server nothing but text (spec 05, section 8). */
export class Prekeys {
  readonly #services: Services

  constructor(services: Services) {
    this.#services = services
    const { work, clock, cleanup } = services
    cleanup.add('records of one-time prekeys given away', () =>
      work.run(({ db }) =>
        db.deleteFrom('prekey_handouts').where('handed_at', '<=', hourBefore(clock.now())).execute(),
      ),
    )
  }

  upload(userId: number, device_id: string, { identity_key, signed_prekey, one_time_prekeys }: Upload): Promise<void> {
    return this.#services.work.run(async (job) => {
      await demandDevice(job.db, userId, device_id)
      await dropOrphaned(job, device_id, identity_key)
      await job.db
        .insertInto('prekeys')
        .values({ device_id, identity_key, signed_prekey })
        .onConflict((row) => row.column('device_id').doUpdateSet({ identity_key, signed_prekey }))
        .execute()
      if (one_time_prekeys.length === 0) return
      const stock = one_time_prekeys.map((key_data) => ({ device_id, key_data }))
      await job.db.insertInto('one_time_prekeys').values(stock).execute()
      await dropSurplus(job, device_id)
    })
  }

  /** What somebody needs to write to each of the owner's devices; one-time prekeys are gone from then on. */
  fetch(receiverId: number, ownerId: number): Promise<ReplyOf<typeof fetchPrekeys>> {
    const { work, clock } = this.#services
    return work.run(async (job) => {
      const devices = await job.db
        .selectFrom('devices')
        .innerJoin('prekeys', 'prekeys.device_id', 'devices.device_id')
        .select(['devices.device_id', 'identity_key', 'signed_prekey'])
        .where('user_id', '=', ownerId)
        .orderBy('device_number')
        .execute()
      const now = clock.now()
      const left = await keysLeft(job, 'prekey_handouts', { receiverId, ownerId, now })
      const taken = new Map<string, string>()
      for (const { device_id } of devices) {
        const key = taken.size < left ? await takeOldest(job, device_id) : undefined
        if (key !== undefined) taken.set(device_id, key)
      }
      const handouts = [...taken].map(() => ({ owner_id: ownerId, receiver_id: receiverId, handed_at: now }))
      if (handouts.length > 0) await job.db.insertInto('prekey_handouts').values(handouts).execute()
      return {
        user_id: ownerId,
        devices: devices.map((device) => ({ ...device, one_time_prekey: taken.get(device.device_id) ?? null })),
        prekey_warning: (await hasStock(job, ownerId)) ? null : 'PREKEY_EXHAUSTED',
      }
    })
  }
}

/** With another identity key the private halves of the old one-time prekeys are gone. */
async function dropOrphaned(job: Work, deviceId: string, identityKey: string): Promise<void> {
  await job.db
    .deleteFrom('one_time_prekeys')
    .where('device_id', '=', deviceId)
    .where(({ exists, selectFrom }) =>
      exists(
        selectFrom('prekeys')
          .select('prekeys.device_id')
          .where('prekeys.device_id', '=', deviceId)
          .where('identity_key', '<>', identityKey),
      ),
    )
    .execute()
}

async function dropSurplus(job: Work, deviceId: string): Promise<void> {
  await job.db
    .deleteFrom('one_time_prekeys')
    .where('device_id', '=', deviceId)
    .where('prekey_id', '<=', ({ selectFrom }) =>
      selectFrom('one_time_prekeys')
        .select('prekey_id')
        .where('device_id', '=', deviceId)
        .orderBy('prekey_id', 'desc')
        .limit(1)
        .offset(MAX_STOCK),
    )
    .execute()
}

async function takeOldest(job: Work, deviceId: string): Promise<string | undefined> {
  const taken = await job.db
    .deleteFrom('one_time_prekeys')
    .where('prekey_id', '=', ({ selectFrom }) =>
      selectFrom('one_time_prekeys')
        .select(({ fn }) => fn.min('prekey_id').as('prekey_id'))
        .where('device_id', '=', deviceId),
    )
    .returning('key_data')
    .executeTakeFirst()
  return taken?.key_data
}

async function hasStock(job: Work, ownerId: number): Promise<boolean> {
  const key = await job.db
    .selectFrom('one_time_prekeys')
    .innerJoin('devices', 'devices.device_id', 'one_time_prekeys.device_id')
    .select('prekey_id')
    .where('user_id', '=', ownerId)
    .limit(1)
    .executeTakeFirst()
  return key !== undefined
}
