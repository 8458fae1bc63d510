import { endpoint } from '../endpoint.ts'
import { Fields, Flag, Integer, List, Maybe, Nullable, OneOf, refine, Seconds, Text } from '../schema.ts'

/** Clients put device ids into paths as they are. */
const UNFIT_FOR_PATHS = /[/?#%\p{White_Space}\p{Cc}]/u

/** Chosen by the client, unique over all users (spec 05, section 7.1). */
const NewDeviceId = refine(Text({ min: 1, max: 'device_id_max' }), (id) => {
  if (UNFIT_FOR_PATHS.test(id)) return 'must not contain /, ?, #, %, white space or control characters'
  return id === 'pair' ? 'must not be pair, which has another meaning in paths' : undefined
})

const DeviceName = Text({ max: 'device_name_max' })

/** Path segment of a device. */
export const DeviceParams = Fields({ device_id: Text() })

/** Registers a device; one that is the caller's already stays as it is (spec 05, section 7.1). */
export const registerDevice = endpoint({
  method: 'POST',
  path: '/keys/devices',
  summary: 'Register a device for encryption',
  auth: 'session',
  refusesGuests: true,
  body: Fields({ device_id: NewDeviceId, device_name: DeviceName }),
  reply: { 201: Fields({ device_id: Text() }) },
  errors: ['FORBIDDEN', 'DEVICE_ID_CONFLICT', 'DEVICE_LIMIT_REACHED'],
})

/** The caller's devices, oldest first, with what others can still fetch of each (spec 05, section 7.2). */
export const listDevices = endpoint({
  method: 'GET',
  path: '/keys/devices',
  summary: 'Your devices',
  auth: 'session',
  reply: {
    200: Fields({
      devices: List(
        Fields({
          device_id: Text(),
          device_name: Text(),
          created_at: Nullable(Seconds),
          key_package_count: Integer(),
          one_time_prekey_count: Integer(),
        }),
      ),
    }),
  },
})

/** Removes a device with all its keys; its sessions go on (spec 05, section 7.3). */
export const removeDevice = endpoint({
  method: 'DELETE',
  path: '/keys/devices/:device_id',
  summary: 'Remove a device',
  auth: 'session',
  refusesGuests: true,
  params: DeviceParams,
  reply: { 204: null },
  errors: ['FORBIDDEN', 'SPACE_NOT_FOUND'],
})

/** Asks the caller's other devices to let this one in (spec 05, section 10.1). */
export const startPairing = endpoint({
  method: 'POST',
  path: '/keys/devices/pair',
  summary: 'Ask to be paired with your other devices',
  auth: 'session',
  refusesGuests: true,
  body: Fields({
    device_name: DeviceName,
    method: OneOf('cpace', 'qr'),
    temp_public_key: Maybe(Text({ max: 1024 })),
  }),
  reply: { 201: Fields({ pair_id: Text() }) },
  errors: ['FORBIDDEN'],
})

/** Approves or denies a pairing; an approved one can still be denied (spec 05, section 10.2). */
export const answerPairing = endpoint({
  method: 'POST',
  path: '/keys/devices/pair/:pair_id/respond',
  summary: 'Approve or deny a pairing',
  auth: 'session',
  refusesGuests: true,
  params: Fields({ pair_id: Text() }),
  body: Fields({ approved: Flag }),
  reply: { 204: null },
  errors: ['FORBIDDEN', 'REQUEST_NOT_FOUND'],
})
