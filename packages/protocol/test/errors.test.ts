import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { ApiError, ERRORS, type ErrorCode } from '../src/index.ts'

/** The catalogue of spec 01, section 5.3: each code under its usual status. */
const BY_STATUS: Readonly<Record<number, readonly ErrorCode[]>> = {
  400: [
    'WEBAUTHN_NOT_CONFIGURED',
    'INVALID_METHOD',
    'INVALID_USER_ID',
    'INVALID_TARGET',
    'INVALID_TARGET_TYPE',
    'INVALID_OPERATION',
    'INVALID_LIMIT',
    'INVALID_CATEGORY',
    'INVALID_ATTACHMENT',
    'INVALID_URL',
    'EMPTY_MESSAGE',
    'MESSAGE_TOO_LARGE',
    'TOO_MANY_RECIPIENTS',
    'NOT_GROUP_DM',
    'PROTOCOL_VERSION_MISMATCH',
    'PIN_LIMIT_REACHED',
    'NOT_BOT_MESSAGE',
    'NOT_IN_VOICE',
    'NO_PENDING_INVITE',
    'FULL_SYNC_REQUIRED',
    'FED_MISSING_TIMESTAMP',
  ],
  401: [
    'AUTH_FAILED',
    'AUTH_EXPIRED',
    '2FA_REQUIRED',
    '2FA_INVALID_CODE',
    '2FA_MAX_ATTEMPTS',
    '2FA_SETUP_EXPIRED',
    'WEBAUTHN_FAILED',
    'WEBHOOK_TOKEN_INVALID',
  ],
  403: [
    'BANNED',
    'MISSING_PERMISSIONS',
    'FORBIDDEN',
    'ROLE_HIERARCHY',
    'NOT_DM_PARTICIPANT',
    'USER_BLOCKED',
    'DM_PERMISSION_DENIED',
    'THREAD_LOCKED',
    'DEVICE_LIMIT_REACHED',
    'FED_TIMESTAMP_EXPIRED',
    'FED_AUTH_FAILED',
    'FED_BLOCKED',
    'FED_POLICY_DENIED',
  ],
  404: [
    'SESSION_NOT_FOUND',
    'WEBAUTHN_CREDENTIAL_NOT_FOUND',
    'NOT_FOUND',
    'USER_NOT_FOUND',
    'SPACE_NOT_FOUND',
    'MESSAGE_NOT_FOUND',
    'WEBHOOK_NOT_FOUND',
    'REPORT_NOT_FOUND',
    'BAN_NOT_FOUND',
    'FILE_NOT_FOUND',
    'DEVICE_NOT_FOUND',
    'KEY_BACKUP_NOT_FOUND',
    'CMD_NOT_FOUND',
    'INTERACTION_NOT_FOUND',
    'REQUEST_NOT_FOUND',
    'INVITE_INVALID',
    'INVITE_NOT_FOUND',
    'NO_CERT_PINNING',
    'FED_USER_NOT_FOUND',
  ],
  409: ['2FA_ALREADY_ENABLED', 'ALREADY_IN_VOICE', 'CMD_ALREADY_REGISTERED', 'DEVICE_ID_CONFLICT'],
  410: ['INVITE_EXPIRED'],
  413: ['FILE_TOO_LARGE', 'PAYLOAD_TOO_LARGE'],
  415: ['UNSUPPORTED_MEDIA_TYPE'],
  422: ['2FA_NOT_ENABLED', '2FA_RECOVERY_EXHAUSTED', 'VALIDATION_ERROR'],
  429: ['AUTH_RATE_LIMITED', 'RATE_LIMITED'],
  500: ['FED_NOT_CONFIGURED', 'INTERNAL_ERROR'],
  502: ['GIF_UPSTREAM_ERROR', 'FED_UNAVAILABLE'],
  503: ['ROOM_FULL', 'SERVER_FULL', 'GIF_PROVIDER_UNAVAILABLE'],
}

/** The other statuses of spec 01, section 5.3, each used by single endpoints. */
const ALSO: readonly (readonly [ErrorCode, number])[] = [
  ['AUTH_FAILED', 409],
  ['AUTH_FAILED', 403],
  ['2FA_INVALID_CODE', 400],
  ['2FA_SETUP_EXPIRED', 400],
  ['WEBAUTHN_FAILED', 400],
  ['INVITE_INVALID', 422],
  ['INVALID_OPERATION', 405],
]

const codes = Object.keys(ERRORS) as ErrorCode[]

describe('the error catalogue', () => {
  it('holds the documented codes with their documented statuses', () => {
    const documented = Object.entries(BY_STATUS).flatMap(([status, list]) => list.map((code) => [code, Number(status)]))
    const catalogue = codes.map((code) => [code, ERRORS[code].status])
    assert.deepEqual(Object.fromEntries(catalogue), Object.fromEntries(documented))
  })

  it('has a sentence for every code', () => {
    for (const code of codes) assert.match(ERRORS[code].message, /^[A-Z].*\.$/, code)
  })
})

describe('ApiError', () => {
  it('answers with the status and sentence of its code', () => {
    const error = new ApiError('SPACE_NOT_FOUND')
    assert.equal(error.status, 404)
    assert.equal(error.message, 'No such space.')
    assert.deepEqual(error.envelope, { error: { code: 'SPACE_NOT_FOUND', message: 'No such space.' } })
  })

  it('says what the endpoint knows better', () => {
    const error = new ApiError('MESSAGE_TOO_LARGE', { message: 'At most 4000 characters.' })
    assert.equal(error.message, 'At most 4000 characters.')
    assert.equal(error.envelope.error.message, 'At most 4000 characters.')
  })

  it('carries fields inside the error object and beside it', () => {
    const error = new ApiError('RATE_LIMITED', { fields: { retry_after_ms: 2500 }, topLevel: { mfa_ticket: 'mfa_x' } })
    assert.deepEqual(error.envelope, {
      error: { code: 'RATE_LIMITED', message: 'Too many requests. Slow down.', retry_after_ms: 2500 },
      mfa_ticket: 'mfa_x',
    })
  })

  for (const [code, status] of ALSO)
    it(`lets ${code} be answered with ${status}`, () => assert.equal(new ApiError(code, { status }).status, status))

  it('refuses a status that its code never has', () => {
    assert.throws(() => new ApiError('SPACE_NOT_FOUND', { status: 403 }), TypeError)
    assert.throws(() => new ApiError('AUTH_FAILED', { status: 404 }), TypeError)
  })
})
