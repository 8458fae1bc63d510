import {
  SettingsService,
  verifyAuthenticationResponse,
  verifyRegistrationResponse,
  type WebAuthnCredential,
} from '@simplewebauthn/server'
import { ApiError } from '@vox/protocol'
import type { Assertion, Attestation } from '@vox/protocol/endpoints'
import type { Challenge } from './challenges.ts'
import type { StoredPasskey } from './passkeys.ts'
import { authenticationResponse, base64url, registrationResponse } from './webauthn-input.ts'

const MAX_CREDENTIAL_BYTES = 1023

/** COSE algorithms, the preferred ones first: ES256, EdDSA, ES512, PS256/384/512, RS256/384/512. */
export const ALGORITHMS = [-7, -8, -36, -37, -38, -39, -257, -258, -259]
const TRANSPORTS = new Set(['ble', 'cable', 'hybrid', 'internal', 'nfc', 'smart-card', 'usb'])

// Any make of authenticator will do. Besides, chains up to a known root are checked for revocation over the network.
for (const identifier of ['android-key', 'android-safetynet', 'apple'] as const)
  SettingsService.setRootCertificates({ identifier, certificates: [] })

/** The user handle in passkeys: the id as eight bytes. */
export function userHandle(userId: number): string {
  const bytes = Buffer.alloc(8)
  bytes.writeBigUInt64BE(BigInt(userId))
  return bytes.toString('base64url')
}

/** A ceremony that failed: 401 if the response does not verify, 400 if there is nothing to verify it against. */
const failed = (status: 400 | 401, message?: string): ApiError =>
  new ApiError('WEBAUTHN_FAILED', { status, ...(message && { message }) })

/** What the responses to a challenge must hold. The verifier throws whatever a response makes it stumble over. */
const expectations = ({ value, relyingParty }: Challenge) => ({
  expectedChallenge: value,
  expectedOrigin: [...relyingParty.origins],
  expectedRPID: relyingParty.id,
  requireUserVerification: false,
})

/** The passkey that an authenticator has made for this challenge; throws if it does not verify (spec 02, section 7.2). */
export async function verifyAttestation(
  challenge: Challenge | undefined,
  attestation: Attestation,
): Promise<WebAuthnCredential> {
  if (!challenge) throw failed(400, 'The challenge is unknown, used or over. Start again.')
  const response = registrationResponse(attestation)
  if (!response) throw failed(400)
  const options = { ...expectations(challenge), response, supportedAlgorithmIDs: ALGORITHMS }
  const result = await verifyRegistrationResponse(options).catch(() => undefined)
  const credential = result?.registrationInfo?.credential
  if (credential?.id !== response.id) throw failed(400)
  if (Buffer.byteLength(credential.id, 'base64url') > MAX_CREDENTIAL_BYTES) throw failed(400)
  const transports = attestation.response?.transports?.filter((name) => TRANSPORTS.has(name)) ?? []
  return { ...credential, transports: [...new Set(transports)] }
}

/** A passkey that was used, with the counter it sent. */
interface UsedPasskey {
  passkeyId: number
  counter: number
}

/**
 * Which of the account's passkeys has signed the challenge; throws if none has (spec 02, section 7.3). What the counter
 * says holds only once it has been recorded.
 */
export async function verifyAssertion(
  challenge: Challenge | undefined,
  assertion: Assertion,
  account: { userId: number; passkeys: readonly StoredPasskey[] },
): Promise<UsedPasskey> {
  if (challenge?.userId !== account.userId) throw failed(400, 'The challenge is unknown, used or over. Start again.')
  const response = authenticationResponse(assertion)
  if (!response) throw failed(401)
  const passkey = account.passkeys.find(({ credential_id }) => credential_id === response.id)
  if (!passkey) throw failed(400, 'The passkey is not one of this account.')
  const handle = assertion.response?.userHandle
  if (handle && base64url(handle) !== userHandle(account.userId)) throw failed(401)
  const credential = {
    id: passkey.credential_id,
    publicKey: new Uint8Array(Buffer.from(passkey.public_key, 'base64url')),
    counter: passkey.sign_count,
  }
  const options = { ...expectations(challenge), response, credential }
  const result = await verifyAuthenticationResponse(options).catch(() => undefined)
  if (!result?.verified) throw failed(401)
  return { passkeyId: passkey.passkey_id, counter: result.authenticationInfo.newCounter }
}
