import { endpoint } from '../endpoint.ts'
import { accepting, Fields, Flag, Id, Integer, List, Maybe, Nullable, OneOf, Seconds, Text } from '../schema.ts'
import { Assertion, Attestation, CreationOptions } from './webauthn.ts'

const Method = Text({ description: '`totp` or `webauthn`' })
const Code = Maybe(Text({ max: 'mfa_code_max' }))
const RecoveryCodes = List(Text({ description: '`XXXX-XXXX`; shown this once' }))

/** Which second factors the caller has (spec 02, section 6.1). */
export const getSecondFactor = endpoint({
  method: 'GET',
  path: '/auth/2fa',
  summary: 'See your second factors',
  auth: 'session',
  reply: { 200: Fields({ totp_enabled: Flag, webauthn_enabled: Flag, recovery_codes_left: Integer() }) },
})

/** Begins the set-up of TOTP or of a passkey (spec 02, section 6.3). */
export const setUpSecondFactor = endpoint({
  method: 'POST',
  path: '/auth/2fa/setup',
  summary: 'Begin to set up TOTP or a passkey',
  auth: 'session',
  body: Fields({ method: Method }),
  reply: {
    200: Fields({
      setup_id: Text(),
      method: OneOf('totp', 'webauthn'),
      totp_secret: Nullable(Text({ description: 'base32; shown this once' })),
      totp_uri: Nullable(Text({ description: 'for a QR code' })),
      creation_options: Nullable(CreationOptions),
    }),
  },
  errors: ['INVALID_METHOD', '2FA_ALREADY_ENABLED', 'WEBAUTHN_NOT_CONFIGURED', 'FORBIDDEN', 'DEVICE_LIMIT_REACHED'],
  noStore: true,
})

/** Ends a set-up (spec 02, section 6.3). */
export const confirmSecondFactor = endpoint({
  method: 'POST',
  path: '/auth/2fa/setup/confirm',
  summary: 'Prove that the second factor works, and enable it',
  auth: 'session',
  body: Fields({
    setup_id: Text({ max: 'mfa_ticket_max' }),
    code: Code,
    attestation: Maybe(Attestation),
    credential_name: Maybe(Text({ max: 64 })),
  }),
  reply: { 200: Fields({ success: Flag, recovery_codes: RecoveryCodes }) },
  errors: [
    '2FA_SETUP_EXPIRED',
    ['2FA_SETUP_EXPIRED', 400],
    'FORBIDDEN',
    '2FA_INVALID_CODE',
    ['2FA_INVALID_CODE', 400],
    ['WEBAUTHN_FAILED', 400],
    'DEVICE_LIMIT_REACHED',
  ],
  noStore: true,
})

const proofErrors = ['INVALID_METHOD', '2FA_NOT_ENABLED', '2FA_MAX_ATTEMPTS', '2FA_INVALID_CODE'] as const

/** Removes TOTP or all passkeys, and ends all other sessions (spec 02, section 6.4). */
export const removeSecondFactor = endpoint({
  method: 'DELETE',
  path: '/auth/2fa',
  summary: 'Remove TOTP or all passkeys',
  auth: 'session',
  body: Fields({ method: Method, code: Code, assertion: Maybe(Assertion) }),
  reply: { 200: Fields({ success: Flag }) },
  errors: proofErrors,
})

/** Replaces the recovery codes (spec 02, section 12.2). */
export const renewRecoveryCodes = endpoint({
  method: 'POST',
  path: '/auth/2fa/recovery-codes',
  summary: 'Get a new set of recovery codes',
  auth: 'session',
  body: Fields({ method: Method, code: Code, assertion: Maybe(Assertion) }),
  reply: { 200: Fields({ recovery_codes: RecoveryCodes }) },
  errors: proofErrors,
  noStore: true,
})

/** The caller's passkeys, oldest first (spec 02, section 7.6). */
export const listPasskeys = endpoint({
  method: 'GET',
  path: '/auth/webauthn/credentials',
  summary: 'List your passkeys',
  auth: 'session',
  reply: {
    200: List(Fields({ credential_id: Text(), name: Text(), registered_at: Seconds, last_used_at: Nullable(Seconds) })),
  },
})

/** Removes one passkey; no proof is asked for (spec 02, section 7.7). */
export const deletePasskey = endpoint({
  method: 'DELETE',
  path: '/auth/webauthn/credentials/:credential_id',
  summary: 'Remove a passkey',
  auth: 'session',
  params: Fields({ credential_id: Text() }),
  reply: { 200: Fields({ success: Flag }) },
  errors: ['WEBAUTHN_CREDENTIAL_NOT_FOUND'],
})

/** Takes every second factor from a user who is locked out (spec 02, section 10). */
export const resetSecondFactor = endpoint({
  method: 'POST',
  path: '/admin/2fa-reset',
  summary: "Remove a user's second factors",
  auth: 'session',
  requires: { permission: 'MANAGE_2FA' },
  body: accepting(Fields({ target_user_id: Id, reason: Text({ max: 'admin_reason_max' }) }), (raw) => {
    const { target_user_id, user_id } = (raw ?? {}) as Record<string, unknown>
    return target_user_id === undefined && user_id !== undefined ? { ...(raw as object), target_user_id: user_id } : raw
  }),
  reply: { 204: null },
  errors: ['MISSING_PERMISSIONS', 'USER_NOT_FOUND', 'ROLE_HIERARCHY'],
})
