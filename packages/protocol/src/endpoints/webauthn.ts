/** What passkey ceremonies send in either direction (spec 02, section 7). Binary values are base64url. */
import { accepting, Fields, Integer, List, Maybe, Nullable, OneOf, type Static, Text } from '../schema.ts'

/** Longest text field of an attestation, and the one that holds the attestation object. */
const FIELD_MAX = 4096
const OBJECT_MAX = 65_536

const Descriptor = Fields({ id: Text(), type: OneOf('public-key'), transports: Maybe(List(Text())) })

/** What `navigator.credentials.create` takes, in its JSON form, and the id to send back (section 7.1). */
export const CreationOptions = Fields({
  challenge_id: Text(),
  rp: Fields({ name: Text(), id: Text() }),
  user: Fields({ id: Text(), name: Text(), displayName: Text() }),
  challenge: Text(),
  pubKeyCredParams: List(Fields({ type: OneOf('public-key'), alg: Integer() })),
  timeout: Integer(),
  excludeCredentials: List(Descriptor),
  authenticatorSelection: Fields({ residentKey: OneOf('preferred'), userVerification: OneOf('preferred') }),
  attestation: OneOf('none'),
})
/** What `navigator.credentials.create` takes. */
export type CreationOptions = Static<typeof CreationOptions>

/** What `navigator.credentials.get` takes, in its JSON form (section 7.4). */
export const RequestOptions = Fields({
  challenge: Text(),
  timeout: Integer(),
  rpId: Text(),
  allowCredentials: List(Descriptor),
  userVerification: OneOf('preferred'),
})
/** What `navigator.credentials.get` takes. */
export type RequestOptions = Static<typeof RequestOptions>

/**
 * Answer of an authenticator that made a passkey (section 7.2). Its parts are optional here because what is missing is
 * a failed ceremony, not a malformed request. Null stands for an empty object.
 */
export const Attestation = Nullable(
  accepting(
    Fields({
      challenge_id: Maybe(Text({ max: FIELD_MAX })),
      id: Maybe(Text({ max: FIELD_MAX })),
      rawId: Maybe(Text({ max: FIELD_MAX })),
      type: Maybe(Text({ max: FIELD_MAX })),
      response: Maybe(
        Fields({
          clientDataJSON: Maybe(Text({ max: FIELD_MAX })),
          attestationObject: Maybe(Text({ max: OBJECT_MAX })),
          transports: Maybe(List(Text({ max: FIELD_MAX }))),
        }),
      ),
    }),
    (raw) =>
      standardForm(raw, ({ client_data_json, attestation_object, transports }) => ({
        clientDataJSON: client_data_json,
        attestationObject: attestation_object,
        transports,
      })),
  ),
)
/** Answer of an authenticator that made a passkey. */
export type Attestation = NonNullable<Static<typeof Attestation>>

const AssertionField = Maybe(Text({ max: 'webauthn_field_max' }))

/** Answer of an authenticator that used a passkey (section 7.3); otherwise like {@link Attestation}. */
export const Assertion = Nullable(
  accepting(
    Fields({
      challenge_id: AssertionField,
      id: AssertionField,
      rawId: AssertionField,
      type: AssertionField,
      response: Maybe(
        Fields({
          clientDataJSON: AssertionField,
          authenticatorData: AssertionField,
          signature: AssertionField,
          userHandle: AssertionField,
        }),
      ),
    }),
    (raw) =>
      standardForm(raw, ({ client_data_json, authenticator_data, signature, user_handle }) => ({
        clientDataJSON: client_data_json,
        authenticatorData: authenticator_data,
        signature,
        userHandle: user_handle,
      })),
  ),
)
/** Answer of an authenticator that used a passkey. */
export type Assertion = NonNullable<Static<typeof Assertion>>

/** Brings the flat form, whose fields are all at the top level, into the standard one. */
function standardForm(raw: unknown, response: (flat: Record<string, unknown>) => Record<string, unknown>): unknown {
  if (typeof raw !== 'object' || raw === null || Array.isArray(raw)) return raw
  if (Object.keys(raw).length === 0) return null
  if ('response' in raw) return raw
  const flat = raw as Record<string, unknown>
  return { challenge_id: flat.challenge_id, id: flat.credential_id, response: response(flat) }
}
