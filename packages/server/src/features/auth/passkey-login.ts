import { ApiError, type Static } from '@vox/protocol'
import type { challengePasskey, LoginAnswer, loginPasskey } from '@vox/protocol/endpoints'
import type { Services } from '../../services.ts'
import { accountNamed } from './accounts.ts'
import { createChallenge, relyingParty, spendLoginChallenge } from './challenges.ts'
import { grantSession, type LoginAttempt, orThrow } from './login.ts'
import { passkeysOf, requestOptions } from './passkeys.ts'
import { signedProof } from './proofs.ts'

type PasskeyLogin = Static<NonNullable<(typeof loginPasskey)['body']>>

/** A challenge for any use of the account's passkeys (spec 02, section 7.4). */
export async function challengeAccount(
  services: Services,
  username: string,
): Promise<Static<(typeof challengePasskey)['reply']>> {
  const { config, clock, db, work } = services
  const userId = await accountToEnter(services, username)
  const party = relyingParty(config)
  if (!party) throw new ApiError('WEBAUTHN_NOT_CONFIGURED')
  const passkeys = await passkeysOf(db.read, userId)
  if (passkeys.length === 0) throw new ApiError('WEBAUTHN_CREDENTIAL_NOT_FOUND')
  const challenge = await work.run((job) =>
    createChallenge(job, { userId, relyingParty: party, setupId: null }, clock.now()),
  )
  return {
    challenge_id: challenge.id,
    options: requestOptions(passkeys, party, challenge),
    challenge: challenge.value,
    credential_ids: passkeys.map(({ credential_id }) => credential_id),
  }
}

/** Login with a passkey, which stands for the password and the second factor (spec 02, section 7.5). */
export async function loginWithPasskey(
  services: Services,
  input: PasskeyLogin,
  attempt: LoginAttempt,
): Promise<LoginAnswer> {
  const { work, community } = services
  const userId = await accountToEnter(services, input.username)
  attempt.userId = userId
  const assertion = assertionOf(input)
  const challenge = await spendLoginChallenge(services, userId, assertion)
  if (challenge && challenge.userId !== userId) throw unknownAccount()
  const proof = await signedProof(services, userId, challenge, assertion)
  const outcome = await work.run(async (job) => {
    if (community.accounts.banned.has(userId)) return unknownAccount()
    return (await proof(job)) ?? grantSession(services, job, userId)
  })
  return orThrow(outcome)
}

async function accountToEnter({ db, community }: Services, username: string): Promise<number> {
  const account = await accountNamed(db.read, username)
  if (!account || community.accounts.banned.has(account.user_id)) throw unknownAccount()
  return account.user_id
}

const unknownAccount = (): ApiError => new ApiError('AUTH_FAILED')

function assertionOf(input: PasskeyLogin) {
  const { challenge_id, credential_id, client_data_json, authenticator_data, signature, user_handle } = input
  return {
    challenge_id,
    id: credential_id,
    response: {
      clientDataJSON: client_data_json,
      authenticatorData: authenticator_data,
      signature,
      ...(user_handle !== undefined && { userHandle: user_handle }),
    },
  }
}
