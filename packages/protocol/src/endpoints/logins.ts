import { endpoint } from '../endpoint.ts'
import { accepting, Fields, Id, List, Maybe, Nullable, refine, type Static, Text } from '../schema.ts'
import { Assertion, RequestOptions } from './webauthn.ts'

/** Longest username and password a login looks at, whatever the limits are now (spec 02, section 1.3). */
const LoginName = Text({ max: 255 })
export const LoginPassword = Text({ max: 1024 })

const FederationToken = Text({ max: 256, description: '`fed_…`, from a federated join' })
const WebauthnField = Text({ max: 'webauthn_field_max' })

/** Answer to every kind of successful login (spec 02, section 4). */
export const LoginAnswer = Fields({
  token: Text({ description: 'session token, `vox_sess_…`; shown this once' }),
  user_id: Id,
  display_name: Nullable(Text()),
  roles: List(Id),
})
/** Answer to every kind of successful login. */
export type LoginAnswer = Static<typeof LoginAnswer>

/** A name and password, or one of the tokens that stand for both; then nothing else in the body counts. */
const Credentials = refine(
  accepting(
    Fields({
      username: Maybe(LoginName),
      password: Maybe(LoginPassword),
      federation_token: Maybe(FederationToken),
      bot_token: Maybe(Text({ max: 256, description: 'the session token of a bot' })),
    }),
    (raw) => onlyToken(raw, 'federation_token') ?? onlyToken(raw, 'bot_token') ?? raw,
  ),
  ({ username, password, federation_token, bot_token }) => {
    if (federation_token !== undefined || bot_token !== undefined) return undefined
    if (username === undefined) return 'username is required'
    return password === undefined ? 'password is required' : undefined
  },
)

function onlyToken(raw: unknown, name: string): Record<string, unknown> | undefined {
  const token = (raw as Record<string, unknown> | null)?.[name]
  return typeof token === 'string' ? { [name]: token } : undefined
}

/**
 * Password login (spec 02, section 4). With a second factor on the account the answer is `2FA_REQUIRED` and a ticket.
 * A `federation_token` makes it {@link loginFederated}; a bot's token is answered with the bot's own account.
 */
export const login = endpoint({
  method: 'POST',
  path: '/auth/login',
  summary: 'Log in with a password',
  auth: 'none',
  body: Credentials,
  reply: { 200: LoginAnswer },
  errors: ['AUTH_FAILED', ['AUTH_FAILED', 403], '2FA_REQUIRED', 'BANNED'],
  noStore: true,
})

const secondStep = {
  method: 'POST',
  auth: 'none',
  body: Fields({
    mfa_ticket: Text({ max: 'mfa_ticket_max' }),
    method: Text({ description: '`totp`, `webauthn` or `recovery`' }),
    code: Maybe(Text({ max: 'mfa_code_max' })),
    assertion: Maybe(Assertion),
  }),
  reply: { 200: LoginAnswer },
  errors: [
    'AUTH_FAILED',
    '2FA_INVALID_CODE',
    ['2FA_INVALID_CODE', 400],
    '2FA_MAX_ATTEMPTS',
    '2FA_RECOVERY_EXHAUSTED',
    'WEBAUTHN_FAILED',
    ['WEBAUTHN_FAILED', 400],
  ],
  noStore: true,
} as const

/** Second step of a password login (spec 02, section 6.2). */
export const loginSecondStep = endpoint({
  ...secondStep,
  path: '/auth/login/2fa',
  summary: 'Finish a login with the second factor',
})

/** The path that older documents use for {@link loginSecondStep}. */
export const loginSecondStepAlias = endpoint({
  ...secondStep,
  path: '/auth/mfa',
  summary: 'The same as /auth/login/2fa',
})

/** Begins every use of a passkey: login, second step, removal of a factor (spec 02, section 7.4). */
export const challengePasskey = endpoint({
  method: 'POST',
  path: '/auth/login/webauthn/challenge',
  summary: 'Get a challenge for the passkeys of an account',
  auth: 'none',
  body: Fields({ username: LoginName }),
  reply: {
    200: Fields({ challenge_id: Text(), options: RequestOptions, challenge: Text(), credential_ids: List(Text()) }),
  },
  errors: ['AUTH_FAILED', 'WEBAUTHN_NOT_CONFIGURED', 'WEBAUTHN_CREDENTIAL_NOT_FOUND'],
  noStore: true,
})

/** Login with a passkey alone (spec 02, section 7.5). */
export const loginPasskey = endpoint({
  method: 'POST',
  path: '/auth/login/webauthn',
  summary: 'Log in with a passkey',
  auth: 'none',
  body: Fields({
    username: LoginName,
    challenge_id: WebauthnField,
    credential_id: WebauthnField,
    client_data_json: WebauthnField,
    authenticator_data: WebauthnField,
    signature: WebauthnField,
    user_handle: Maybe(WebauthnField),
  }),
  reply: { 200: LoginAnswer },
  errors: ['AUTH_FAILED', 'WEBAUTHN_FAILED', ['WEBAUTHN_FAILED', 400]],
  noStore: true,
})

/** Turns the token of a federated join into a session (spec 02, section 8). */
export const loginFederated = endpoint({
  method: 'POST',
  path: '/auth/login/federation',
  summary: 'Log in with the token of a federated join',
  auth: 'none',
  body: Fields({ federation_token: FederationToken }),
  reply: { 200: LoginAnswer },
  errors: ['AUTH_FAILED', ['AUTH_FAILED', 403], 'BANNED'],
  noStore: true,
})
