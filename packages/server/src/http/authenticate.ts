import { ApiError } from '@vox/protocol'

/** The account behind a valid session token. */
export interface TokenSession {
  sessionId: number
  userId: number
  /** `former`: left or was kicked, and may come back; `banned` may not. */
  standing: 'active' | 'former' | 'banned'
}

/** Finds sessions by their tokens; using one may prolong it. */
export interface SessionSource {
  /** The live session of this token, if any. */
  use(token: string): Promise<TokenSession | undefined> | TokenSession | undefined
}

/** Who calls. */
export interface Caller {
  userId: number
  sessionId: number
}

/** What an `Authorization` header turned out to be: a live session, or the error that an endpoint with auth throws. */
export type Credentials = { session: TokenSession; failure?: undefined } | { session?: undefined; failure: Error }

/** Tickets that are good for one endpoint each and never for this header (spec 01, section 3.2). */
const RESTRICTED = /^(?:mfa_|setup_totp_|setup_webauthn_|fed_)/

/** Whether a token belongs to a kind that never authenticates a request. */
export const isRestricted = (token: string): boolean => RESTRICTED.test(token)

/** Looks at an `Authorization` header; undefined when there is none (spec 01, section 3.3). */
export async function identify(header: string | undefined, sessions: SessionSource): Promise<Credentials | undefined> {
  if (header === undefined) return undefined
  const token = /^(?:bearer|bot) (.*)$/is.exec(header)?.[1] ?? (/^(?:bearer|bot)$/i.test(header) ? '' : undefined)
  if (token === undefined) return { failure: new ApiError('AUTH_FAILED', { message: 'Use the scheme Bearer or Bot.' }) }
  if (isRestricted(token)) return { failure: new ApiError('AUTH_FAILED') }
  try {
    const session = token === '' ? undefined : await sessions.use(token)
    return session ? { session } : { failure: new ApiError('AUTH_EXPIRED') }
  } catch (error) {
    return { failure: error as Error }
  }
}
