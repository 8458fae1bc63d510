/** How an error code travels: its usual status and the other statuses that single endpoints use. */
interface ErrorKind {
  status: number
  also?: readonly number[]
  /** Default text; endpoints give a better one where they know more. */
  message: string
}

/** Every error code the server sends over REST (spec 01, section 5.3). */
export const ERRORS = {
  AUTH_FAILED: { status: 401, also: [403, 409], message: 'Authentication failed.' },
  AUTH_EXPIRED: { status: 401, message: 'The session is unknown, has expired or was revoked. Log in again.' },
  AUTH_RATE_LIMITED: { status: 429, message: 'Too many attempts. Wait before trying again.' },
  BANNED: { status: 403, message: 'This account is not an active member of the server.' },
  SESSION_NOT_FOUND: { status: 404, message: 'No such session.' },
  '2FA_REQUIRED': { status: 401, message: 'A second factor is needed.' },
  '2FA_INVALID_CODE': { status: 401, also: [400], message: 'The code or ticket is not valid.' },
  '2FA_MAX_ATTEMPTS': { status: 401, message: 'Too many failed attempts.' },
  '2FA_ALREADY_ENABLED': { status: 409, message: 'TOTP is already enabled.' },
  '2FA_NOT_ENABLED': { status: 422, message: 'This second factor is not enabled.' },
  '2FA_RECOVERY_EXHAUSTED': { status: 422, message: 'No unused recovery code is left.' },
  '2FA_SETUP_EXPIRED': { status: 401, also: [400], message: 'The set-up is unknown or has expired. Start again.' },
  WEBAUTHN_NOT_CONFIGURED: { status: 400, message: 'Passkeys are not configured on this server.' },
  WEBAUTHN_FAILED: { status: 401, also: [400], message: 'The passkey could not be verified.' },
  WEBAUTHN_CREDENTIAL_NOT_FOUND: { status: 404, message: 'No such passkey.' },
  INVALID_METHOD: { status: 400, message: 'The method must be totp or webauthn.' },

  MISSING_PERMISSIONS: { status: 403, message: 'A permission is missing.' },
  FORBIDDEN: { status: 403, message: 'This is not allowed.' },
  ROLE_HIERARCHY: { status: 403, message: 'The target is not below you in the role hierarchy.' },
  NOT_DM_PARTICIPANT: { status: 403, message: 'You do not take part in this conversation.' },
  USER_BLOCKED: { status: 403, message: 'One of you has blocked the other.' },
  DM_PERMISSION_DENIED: { status: 403, message: 'The recipient does not accept direct messages from you.' },
  THREAD_LOCKED: { status: 403, message: 'The thread is locked.' },
  DEVICE_LIMIT_REACHED: { status: 403, message: 'The device limit is reached.' },

  NOT_FOUND: { status: 404, message: 'There is nothing here.' },
  USER_NOT_FOUND: { status: 404, message: 'No such user.' },
  SPACE_NOT_FOUND: { status: 404, message: 'No such space.' },
  MESSAGE_NOT_FOUND: { status: 404, message: 'No such message.' },
  WEBHOOK_NOT_FOUND: { status: 404, message: 'No such webhook.' },
  REPORT_NOT_FOUND: { status: 404, message: 'No such report.' },
  BAN_NOT_FOUND: { status: 404, message: 'No such ban.' },
  FILE_NOT_FOUND: { status: 404, message: 'No such file.' },
  DEVICE_NOT_FOUND: { status: 404, message: 'No such device.' },
  KEY_BACKUP_NOT_FOUND: { status: 404, message: 'There is no key backup.' },
  CMD_NOT_FOUND: { status: 404, message: 'No such command.' },
  INTERACTION_NOT_FOUND: { status: 404, message: 'The interaction is unknown, answered or over.' },
  REQUEST_NOT_FOUND: { status: 404, message: 'There is no such request.' },
  INVITE_INVALID: { status: 404, also: [422], message: 'The invite is not valid.' },
  INVITE_EXPIRED: { status: 410, message: 'The invite has expired.' },
  INVITE_NOT_FOUND: { status: 404, message: 'No such invite.' },
  NO_CERT_PINNING: { status: 404, message: 'The media certificate is signed by an authority.' },

  VALIDATION_ERROR: { status: 422, also: [416], message: 'The request is not valid.' },
  INVALID_USER_ID: { status: 400, message: 'The user id must be an integer or @me.' },
  INVALID_TARGET: { status: 400, message: 'This cannot be done to that target.' },
  INVALID_TARGET_TYPE: { status: 400, message: 'The target type must be role or user.' },
  INVALID_OPERATION: { status: 400, also: [405], message: 'This makes no sense here.' },
  INVALID_LIMIT: { status: 400, message: 'Unknown limit, or value out of bounds.' },
  INVALID_CATEGORY: { status: 400, message: 'Unknown sync category.' },
  INVALID_ATTACHMENT: { status: 400, message: 'No such attachment.' },
  INVALID_URL: { status: 400, message: 'The URL must be http or https and lead to a public host.' },
  EMPTY_MESSAGE: { status: 400, message: 'The message is empty.' },
  MESSAGE_TOO_LARGE: { status: 400, message: 'The message is too long.' },
  TOO_MANY_RECIPIENTS: { status: 400, message: 'Too many recipients.' },
  NOT_GROUP_DM: { status: 400, message: 'This is not a group conversation.' },
  PROTOCOL_VERSION_MISMATCH: { status: 400, message: 'Give recipient_id or recipient_ids.' },
  PIN_LIMIT_REACHED: { status: 400, message: 'The feed has reached its pin limit.' },
  NOT_BOT_MESSAGE: { status: 400, message: 'The message was not written by a bot.' },
  NOT_IN_VOICE: { status: 400, message: 'The user is not in this voice room.' },
  NO_PENDING_INVITE: { status: 400, message: 'There is no pending invite to the stage.' },
  FULL_SYNC_REQUIRED: { status: 400, message: 'The time lies too far back. Read everything anew.' },
  ALREADY_IN_VOICE: { status: 409, message: 'The user is in a voice room already.' },
  CMD_ALREADY_REGISTERED: { status: 409, message: 'The command name is taken.' },
  DEVICE_ID_CONFLICT: { status: 409, message: 'The device id is taken.' },
  FILE_TOO_LARGE: { status: 413, message: 'The file is too large.' },
  PAYLOAD_TOO_LARGE: { status: 413, message: 'The request is too large.' },
  UNSUPPORTED_MEDIA_TYPE: { status: 415, message: 'This type of file is not allowed here.' },
  WEBHOOK_TOKEN_INVALID: { status: 401, message: 'The webhook or its token is not valid.' },

  RATE_LIMITED: { status: 429, message: 'Too many requests. Slow down.' },
  ROOM_FULL: { status: 503, message: 'The voice room is full.' },
  SERVER_FULL: { status: 503, message: 'The server is full.' },
  GIF_PROVIDER_UNAVAILABLE: { status: 503, message: 'GIFs are not configured on this server.' },
  GIF_UPSTREAM_ERROR: { status: 502, message: 'The GIF provider failed.' },
  INTERNAL_ERROR: { status: 500, also: [503], message: 'Something went wrong on the server.' },

  FED_UNAVAILABLE: { status: 502, message: 'The other server cannot be reached.' },
  FED_NOT_CONFIGURED: { status: 500, message: 'Federation is not configured on this server.' },
  FED_MISSING_TIMESTAMP: { status: 400, message: 'The request is not timestamped.' },
  FED_TIMESTAMP_EXPIRED: { status: 403, message: 'The request is too old.' },
  FED_AUTH_FAILED: { status: 403, message: 'The request is not properly signed.' },
  FED_BLOCKED: { status: 403, message: 'The server is blocked.' },
  FED_POLICY_DENIED: { status: 403, message: 'The federation policy refuses this server.' },
  FED_USER_NOT_FOUND: { status: 404, message: 'No such user on this server.' },
} as const satisfies Record<string, ErrorKind>

/** A code of the catalogue. */
export type ErrorCode = keyof typeof ERRORS

/** The object every failed REST call answers with (spec 01, section 5.1). */
export interface ErrorEnvelope {
  error: {
    code: ErrorCode
    /** English text for people; never to be parsed. */
    message: string
    /** Milliseconds to wait, at least 1; on every 429. */
    retry_after_ms?: number
    /** Lower-case name of the lowest missing bit, with `MISSING_PERMISSIONS`. */
    missing_permission?: string
    [detail: string]: unknown
  }
}

/** What an error may carry beyond its code. */
export interface ErrorDetails {
  /** One of the code's other statuses. */
  status?: number
  message?: string
  /** Further fields inside `error`, such as `retry_after_ms`. */
  fields?: Readonly<Record<string, unknown>>
  /** Further fields beside `error`, where an endpoint defines them. */
  topLevel?: Readonly<Record<string, unknown>>
}

/**
 * A refusal that the caller gets to see.
 *
 * The status comes from the catalogue; `details.status` picks one of the code's other statuses, nothing else.
 */
export class ApiError extends Error {
  readonly code: ErrorCode
  readonly status: number
  readonly envelope: ErrorEnvelope & Readonly<Record<string, unknown>>

  constructor(code: ErrorCode, details: ErrorDetails = {}) {
    const kind: ErrorKind = ERRORS[code]
    const message = details.message ?? kind.message
    super(message)
    this.name = 'ApiError'
    this.code = code
    this.status = details.status ?? kind.status
    if (this.status !== kind.status && !kind.also?.includes(this.status))
      throw new TypeError(`${code} is never answered with status ${this.status}`)
    this.envelope = { error: { code, message, ...details.fields }, ...details.topLevel }
  }
}
