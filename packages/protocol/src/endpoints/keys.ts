import { endpoint } from '../endpoint.ts'
import { MAX_KEY_PACKAGE_BYTES } from '../mls/index.ts'
import { Fields, Id, Integer, List, Maybe, Nullable, OneOf, Seconds, Text, UserSegment } from '../schema.ts'
import { DeviceParams } from './devices.ts'

/** Keys of one kind in a single call (spec 05, section 6). */
const MAX_KEYS_PER_CALL = 500

const Prekey = Text({ max: 4096 })

/** Path segment of any user, whether there is one or not. */
const OwnerParams = Fields({ user_id: UserSegment('VALIDATION_ERROR') })

/** Replaces a device's identity and signed prekey and adds one-time prekeys (spec 05, section 8.1). */
export const uploadPrekeys = endpoint({
  method: 'PUT',
  path: '/keys/prekeys/:device_id',
  summary: 'Upload prekeys of a device',
  auth: 'session',
  refusesGuests: true,
  params: DeviceParams,
  body: Fields({
    identity_key: Prekey,
    signed_prekey: Prekey,
    one_time_prekeys: List(Prekey, { max: MAX_KEYS_PER_CALL }),
  }),
  reply: { 204: null },
  errors: ['FORBIDDEN', 'DEVICE_NOT_FOUND'],
})

/** Takes the oldest one-time prekey of each device of a user (spec 05, section 8.2). */
export const fetchPrekeys = endpoint({
  method: 'GET',
  path: '/keys/prekeys/:user_id',
  summary: "Fetch prekeys of a user's devices",
  auth: 'session',
  params: OwnerParams,
  reply: {
    200: Fields({
      user_id: Id,
      devices: List(
        Fields({
          device_id: Text(),
          identity_key: Text(),
          signed_prekey: Text(),
          one_time_prekey: Nullable(Text()),
        }),
      ),
      prekey_warning: Nullable(OneOf('PREKEY_EXHAUSTED')),
    }),
  },
})

/** The base64 of the largest key package, with the head of an MLSMessage. */
const MAX_KEY_PACKAGE_TEXT = 4 * Math.ceil((MAX_KEY_PACKAGE_BYTES + 4) / 3)

/** Adds MLS key packages to the stock of a device (spec 05, section 9.1). */
export const uploadKeyPackages = endpoint({
  method: 'POST',
  path: '/keys/mls/:device_id/key-packages',
  summary: 'Upload MLS key packages of a device',
  auth: 'session',
  refusesGuests: true,
  params: DeviceParams,
  body: Fields({ key_packages: List(Text({ max: MAX_KEY_PACKAGE_TEXT }), { max: MAX_KEYS_PER_CALL }) }),
  reply: { 201: Fields({ key_package_count: Integer() }) },
  errors: ['FORBIDDEN', 'DEVICE_NOT_FOUND'],
})

/** Takes the oldest key package of each device of a user, or of one of them (spec 05, section 9.2). */
export const fetchKeyPackages = endpoint({
  method: 'GET',
  path: '/keys/mls/:user_id/key-packages',
  summary: "Fetch MLS key packages of a user's devices",
  auth: 'session',
  params: OwnerParams,
  query: Fields({ device_id: Maybe(Text()) }),
  reply: { 200: Fields({ key_packages: List(Text()) }) },
})

/** Replaces the caller's key backup (spec 05, section 11.1). */
export const storeKeyBackup = endpoint({
  method: 'PUT',
  path: '/keys/backup',
  summary: 'Store your key backup',
  auth: 'session',
  refusesGuests: true,
  body: Fields({ encrypted_blob: Text({ max: 'key_backup_max' }) }),
  reply: { 204: null },
  errors: ['FORBIDDEN'],
})

/** The caller's key backup (spec 05, section 11.2). */
export const getKeyBackup = endpoint({
  method: 'GET',
  path: '/keys/backup',
  summary: 'Your key backup',
  auth: 'session',
  reply: { 200: Fields({ encrypted_blob: Text(), updated_at: Seconds }) },
  errors: ['KEY_BACKUP_NOT_FOUND'],
  noStore: true,
})

/** Deletes the keys of all the caller's devices and tells everybody the caller writes with (spec 05, section 12). */
export const resetKeys = endpoint({
  method: 'POST',
  path: '/keys/reset',
  summary: 'Delete the keys of all your devices',
  auth: 'session',
  refusesGuests: true,
  reply: { 204: null },
  errors: ['FORBIDDEN'],
})
