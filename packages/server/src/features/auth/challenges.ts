import { randomBytes } from 'node:crypto'
import { parseJson, stringifyJson } from '@vox/protocol'
import type { Assertion } from '@vox/protocol/endpoints'
import type { Config } from '../../config/config.ts'
import type { Work } from '../../events/work.ts'
import type { Services } from '../../services.ts'
import { base64url } from './webauthn-input.ts'

const ID_BYTES = 16
const CHALLENGE_BYTES = 64
const LIFETIME_MS = 5 * 60_000

/** For whom passkeys are made: a domain, and the pages that may ask for them. */
export interface RelyingParty {
  id: string
  origins: readonly string[]
}

/** As configured; undefined unless both settings are there. */
export function relyingParty(config: Config): RelyingParty | undefined {
  const id = config.get('webauthn.rp_id')
  const origins = config.get('webauthn.origin')
  return id === null || origins === null ? undefined : { id, origins }
}

/** What an authenticator has to sign, once, and under which circumstances. */
export interface Challenge {
  /** Base64url, as in the client data. */
  value: string
  userId: number
  relyingParty: RelyingParty
}

/** Makes a challenge: for the set-up with this ticket, or for logging in. */
export async function createChallenge(
  { db }: Work,
  { userId, relyingParty, setupId }: Omit<Challenge, 'value'> & { setupId: number | null },
  now: number,
): Promise<{ id: string; value: string }> {
  const id = randomBytes(ID_BYTES).toString('base64url')
  const value = randomBytes(CHALLENGE_BYTES).toString('base64url')
  await db
    .insertInto('webauthn_challenges')
    .values({
      challenge_id: id,
      user_id: userId,
      setup_id: setupId,
      challenge: value,
      rp_id: relyingParty.id,
      origins: stringifyJson(relyingParty.origins),
      expires_at: now + LIFETIME_MS,
    })
    .execute()
  return { id, value }
}

/** The challenge of this set-up, for the one attempt there is. */
export function spendSetupChallenge(services: Services, setupId: number, challengeId: string | undefined) {
  return spend(services, { setup_id: setupId, ...(challengeId !== undefined && { challenge_id: challengeId }) })
}

/** The challenge that an assertion names, for the one attempt there is; it may have been made for another account. */
export function spendLoginChallenge(services: Services, userId: number, assertion: Assertion) {
  if (assertion.challenge_id !== undefined)
    return spend(services, { setup_id: null, challenge_id: assertion.challenge_id })
  const challenge = challengeIn(assertion.response?.clientDataJSON)
  return challenge === undefined ? undefined : spend(services, { setup_id: null, user_id: userId, challenge })
}

interface Which {
  setup_id: number | null
  challenge_id?: string
  user_id?: number
  challenge?: string
}

async function spend({ work, clock }: Services, { setup_id, ...which }: Which): Promise<Challenge | undefined> {
  const row = await work.run(({ db }) => {
    const spent = db.deleteFrom('webauthn_challenges').where('setup_id', setup_id === null ? 'is' : '=', setup_id)
    return spent
      .where(({ and }) => and(which))
      .returningAll()
      .executeTakeFirst()
  })
  if (!row || row.expires_at <= clock.now()) return undefined
  const origins = parseJson(row.origins) as string[]
  return { value: row.challenge, userId: row.user_id, relyingParty: { id: row.rp_id, origins } }
}

/** The challenge that a client says it was given. */
function challengeIn(clientDataJSON: string | undefined): string | undefined {
  const text = base64url(clientDataJSON)
  if (text === undefined) return undefined
  try {
    const { challenge } = parseJson(Buffer.from(text, 'base64url').toString()) as { challenge?: unknown }
    return typeof challenge === 'string' ? challenge : undefined
  } catch {
    return undefined
  }
}

export async function removeChallenges({ db }: Work, userId: number): Promise<void> {
  await db.deleteFrom('webauthn_challenges').where('user_id', '=', userId).execute()
}

/** Removes challenges past their time. */
export async function removeOldChallenges({ db }: Work, now: number): Promise<void> {
  await db.deleteFrom('webauthn_challenges').where('expires_at', '<=', now).execute()
}
