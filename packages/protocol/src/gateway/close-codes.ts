/** Close codes of the gateway (spec 06, section 6). Two reasons share 4008; the reason text tells them apart. */
export const CloseCode = {
  UNKNOWN_ERROR: 4000,
  DECODE_ERROR: 4002,
  NOT_AUTHENTICATED: 4003,
  AUTH_FAILED: 4004,
  ALREADY_AUTHENTICATED: 4005,
  RATE_LIMITED: 4006,
  SESSION_TIMEOUT: 4007,
  SERVER_RESTART: 4008,
  AUTH_RATE_LIMITED: 4008,
  SESSION_EXPIRED: 4009,
  REPLAY_EXHAUSTED: 4010,
  VERSION_MISMATCH: 4011,
  SERVER_FULL: 4012,
} as const

/** Name of a close code; sent as the reason of the close frame. */
export type CloseReason = keyof typeof CloseCode
