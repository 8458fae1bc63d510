import { ApiError } from '@vox/protocol'
import type { Kysely, Selectable } from 'kysely'
import type { Devices, Schema } from '../../db/schema.ts'

/** A user's devices, in the order of registration. */
export function devicesOf(db: Kysely<Schema>, userId: number): Promise<Selectable<Devices>[]> {
  return db.selectFrom('devices').selectAll().where('user_id', '=', userId).orderBy('device_number').execute()
}

/** The device with this id, whoever's it is. */
export function findDevice(db: Kysely<Schema>, deviceId: string): Promise<Selectable<Devices> | undefined> {
  return db.selectFrom('devices').selectAll().where('device_id', '=', deviceId).executeTakeFirst()
}

/** Throws `DEVICE_NOT_FOUND` unless the device is the user's. */
export async function demandDevice(db: Kysely<Schema>, userId: number, deviceId: string): Promise<void> {
  const device = await findDevice(db, deviceId)
  if (device?.user_id !== userId) throw new ApiError('DEVICE_NOT_FOUND')
}
