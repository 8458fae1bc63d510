import { endpoint } from '../endpoint.ts'
import { accepting, Fields, Flag, Id, List, Maybe, Nullable, refine, Seconds, Text } from '../schema.ts'
import { LoginPassword } from './logins.ts'

const FORBIDDEN_IN_USERNAME =
  /[@/\\]|[\p{Cc}\p{Cf}\p{Cn}\p{Co}\p{Zl}\p{Zp}]|\p{White_Space}{2}|^\p{White_Space}|\p{White_Space}$/u
const CONTROL = /\p{Cc}/u

/** A local username (spec 02, section 1.3). */
export const Username = refine(Text({ min: 'username_min', max: 'username_max' }), (name) =>
  FORBIDDEN_IN_USERNAME.test(name)
    ? 'must not contain @, /, \\, invisible characters, two spaces in a row, or white space at either end'
    : undefined,
)

/** A display name; empty or blank stands for the username (spec 02, section 1.3). */
export const DisplayName = refine(Text({ max: 'display_name_max' }), (name) =>
  CONTROL.test(name) ? 'must not contain control characters' : undefined,
)

/** Needed where registration is by invite only; elsewhere it is ignored, whatever it is. */
const InviteCode = Nullable(accepting(Text(), (raw) => (typeof raw === 'string' ? raw : null)))

/** A password that somebody chooses. */
export const NewPassword = Text({ min: 'password_min', max: 'password_max' })

/** Creates an account and a session for it (spec 02, section 3). The first account becomes administrator. */
export const register = endpoint({
  method: 'POST',
  path: '/auth/register',
  summary: 'Create an account',
  auth: 'none',
  body: Fields({
    username: Username,
    password: NewPassword,
    display_name: Maybe(DisplayName),
    invite_code: Maybe(InviteCode),
  }),
  reply: { 201: Fields({ user_id: Id, token: Text() }) },
  errors: [['AUTH_FAILED', 409], 'FORBIDDEN', ['INVITE_INVALID', 422], 'INVITE_EXPIRED'],
  noStore: true,
})

/** Ends the presented session (spec 02, section 9). */
export const logout = endpoint({
  method: 'POST',
  path: '/auth/logout',
  summary: 'End the session of this token',
  auth: 'session-or-former',
  reply: { 204: null },
})

/** The caller's live sessions, newest first (spec 02, section 9). */
export const listSessions = endpoint({
  method: 'GET',
  path: '/auth/sessions',
  summary: 'List your sessions',
  auth: 'session',
  reply: {
    200: Fields({
      sessions: List(
        Fields({
          session_id: Id,
          created_at: Seconds,
          expires_at: Seconds,
          /** Whether it is the session of this request. */
          current: Flag,
        }),
      ),
    }),
  },
})

/** Ends one of the caller's sessions (spec 02, section 9). */
export const revokeSession = endpoint({
  method: 'DELETE',
  path: '/auth/sessions/:session_id',
  summary: 'End one of your sessions',
  auth: 'session',
  params: Fields({ session_id: Id }),
  reply: { 204: null },
  errors: ['SESSION_NOT_FOUND'],
})

/** Changes the password and ends all other sessions (spec 02, section 12.1). */
export const changePassword = endpoint({
  method: 'PUT',
  path: '/auth/password',
  summary: 'Change your password',
  auth: 'session',
  body: Fields({ current_password: LoginPassword, new_password: NewPassword }),
  reply: { 204: null },
  errors: ['AUTH_FAILED', 'FORBIDDEN'],
})
