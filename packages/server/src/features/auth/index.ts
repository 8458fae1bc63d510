import { ApiError } from '@vox/protocol'
import {
  challengePasskey,
  changePassword,
  confirmSecondFactor,
  deletePasskey,
  getSecondFactor,
  listPasskeys,
  listSessions,
  login,
  loginFederated,
  loginPasskey,
  loginSecondStep,
  loginSecondStepAlias,
  logout,
  register,
  removeSecondFactor,
  renewRecoveryCodes,
  resetSecondFactor,
  revokeSession,
  setUpSecondFactor,
} from '@vox/protocol/endpoints'
import { seconds } from '../../clock.ts'
import type { Mount } from '../../http/pipeline.ts'
import type { Services } from '../../services.ts'
import { removeOldFailures } from './attempts.ts'
import { relyingParty, removeOldChallenges } from './challenges.ts'
import { factorsOf, removeCodesWithoutFactor } from './factors.ts'
import { tryLogin } from './login.ts'
import { challengeAccount, loginWithPasskey } from './passkey-login.ts'
import { passkeysOf, removePasskey } from './passkeys.ts'
import { changePassword as change } from './password-change.ts'
import { loginWithPassword } from './password-login.ts'
import { removeFactor, renewCodes } from './proven-changes.ts'
import { registerAccount } from './registration.ts'
import { resetSecondFactors } from './reset.ts'
import { finishLogin } from './second-step.ts'
import { confirmSetup, setUp } from './setup.ts'
import { loginBot, loginFederatedUser } from './token-login.ts'

/** Accounts: registration, logins, second factors, passkeys, sessions. */
export function auth({ log, ...rest }: Services, on: Mount): void {
  const services = { ...rest, log: log.child({ logger: 'auth' }) }
  if (!relyingParty(services.config))
    services.log.warn('passkeys are off: VOX_WEBAUTHN_RP_ID and VOX_WEBAUTHN_ORIGIN are not both set')
  logins(services, on)
  sessions(services, on)
  secondFactors(services, on)
  passkeys(services, on)
  cleanUp(services)
}

function logins(services: Services, on: Mount): void {
  on(register, ({ body }) => registerAccount(services, body))

  on(login, ({ body, address }) =>
    tryLogin(services, address, (attempt) => {
      const { username = '', password = '', federation_token, bot_token } = body
      if (federation_token !== undefined) return loginFederatedUser(services, federation_token, attempt)
      if (bot_token !== undefined) return loginBot(services, bot_token, attempt)
      return loginWithPassword(services, username, password, attempt)
    }),
  )

  for (const endpoint of [loginSecondStep, loginSecondStepAlias])
    on(endpoint, ({ body, address }) => tryLogin(services, address, (attempt) => finishLogin(services, body, attempt)))

  on(challengePasskey, ({ body }) => challengeAccount(services, body.username))

  on(loginPasskey, ({ body, address }) =>
    tryLogin(services, address, (attempt) => loginWithPasskey(services, body, attempt)),
  )

  on(loginFederated, ({ body, address }) =>
    tryLogin(services, address, (attempt) => loginFederatedUser(services, body.federation_token, attempt)),
  )

  on(changePassword, ({ caller, body }) => change(services, caller, body))
}

function sessions({ sessions, work }: Services, on: Mount): void {
  on(logout, ({ caller }) => work.run((job) => sessions.end(job, caller.sessionId)))

  on(listSessions, async ({ caller }) => ({
    sessions: (await sessions.ofUser(caller.userId)).map(({ session_id, created_at, expires_at }) => ({
      session_id,
      created_at: seconds(created_at),
      expires_at: seconds(expires_at),
      current: session_id === caller.sessionId,
    })),
  }))

  on(revokeSession, async ({ caller, params: { session_id } }) => {
    const ended = await work.run((job) => sessions.endOwn(job, caller.userId, session_id))
    if (!ended) throw new ApiError('SESSION_NOT_FOUND')
  })
}

function secondFactors(services: Services, on: Mount): void {
  on(getSecondFactor, async ({ caller }) => {
    const { totp, passkeys, recoveryCodes } = await factorsOf(services.db.read, caller.userId)
    return { totp_enabled: totp, webauthn_enabled: passkeys > 0, recovery_codes_left: recoveryCodes }
  })

  on(setUpSecondFactor, ({ caller, body }) => setUp(services, caller, body.method))

  on(confirmSecondFactor, ({ caller, body }) => confirmSetup(services, caller, body))

  on(removeSecondFactor, async ({ caller, body }) => {
    await removeFactor(services, caller, body)
    return { success: true }
  })

  on(renewRecoveryCodes, async ({ caller, body }) => ({ recovery_codes: await renewCodes(services, caller, body) }))

  on(resetSecondFactor, ({ caller, body }) => resetSecondFactors(services, caller, body))
}

function passkeys({ db, work }: Services, on: Mount): void {
  on(listPasskeys, async ({ caller }) =>
    (await passkeysOf(db.read, caller.userId)).map(({ credential_id, name, registered_at, last_used_at }) => ({
      credential_id,
      name,
      registered_at: seconds(registered_at),
      last_used_at: last_used_at === null ? null : seconds(last_used_at),
    })),
  )

  on(deletePasskey, async ({ caller: { userId }, params: { credential_id } }) => {
    await work.run(async (job) => {
      if (!(await removePasskey(job, userId, credential_id))) throw new ApiError('WEBAUTHN_CREDENTIAL_NOT_FOUND')
      await removeCodesWithoutFactor(job, userId)
    })
    return { success: true }
  })
}

function cleanUp({ cleanup, work, clock, sessions }: Services): void {
  cleanup.add('expired sessions and tickets', () => work.run((job) => sessions.endExpired(job)))
  cleanup.add('expired passkey challenges', () => work.run((job) => removeOldChallenges(job, clock.now())))
  cleanup.add('old second-factor failures', () => work.run((job) => removeOldFailures(job, clock.now())))
}
