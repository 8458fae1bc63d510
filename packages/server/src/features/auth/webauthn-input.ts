import type { AuthenticationResponseJSON, RegistrationResponseJSON } from '@simplewebauthn/server'
import type { Assertion, Attestation } from '@vox/protocol/endpoints'

/** Base64url without padding, of text that is base64 in either alphabet, padded or not; undefined for other text. */
export function base64url(text: string | undefined): string | undefined {
  if (text === undefined || !/^[A-Za-z0-9+/_-]+={0,2}$/.test(text)) return undefined
  return Buffer.from(text, 'base64').toString('base64url')
}

/** A new passkey in the form that is verified; undefined if a part is missing or malformed. */
export function registrationResponse(input: Attestation): RegistrationResponseJSON | undefined {
  const credential = credentialOf(input)
  const clientDataJSON = base64url(input.response?.clientDataJSON)
  const attestationObject = base64url(input.response?.attestationObject)
  if (!credential || !clientDataJSON || !attestationObject) return undefined
  return { ...credential, response: { clientDataJSON, attestationObject } }
}

/** The use of a passkey in the form that is verified; undefined if a part is missing or malformed. */
export function authenticationResponse(input: Assertion): AuthenticationResponseJSON | undefined {
  const credential = credentialOf(input)
  const clientDataJSON = base64url(input.response?.clientDataJSON)
  const authenticatorData = base64url(input.response?.authenticatorData)
  const signature = base64url(input.response?.signature)
  if (!credential || !clientDataJSON || !authenticatorData || !signature) return undefined
  return { ...credential, response: { clientDataJSON, authenticatorData, signature } }
}

/** One of `id` and `rawId` is enough; two must be the same bytes. */
function credentialOf({ id, rawId, type = 'public-key' }: Attestation | Assertion) {
  const credentialId = base64url(id ?? rawId)
  if (!credentialId || credentialId !== base64url(rawId ?? id) || type !== 'public-key') return undefined
  return { id: credentialId, rawId: credentialId, type, clientExtensionResults: {} } as const
}
