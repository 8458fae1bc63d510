import type { Kysely } from 'kysely'
import { HOTP, Secret } from 'otpauth'
import type { Schema } from '../../db/schema.ts'
import type { Work } from '../../events/work.ts'

/** Time-based one-time codes of RFC 6238, with the parameters every authenticator app assumes. */
const STEP_MS = 30_000
const SECRET_BYTES = 20
const CODE = { algorithm: 'SHA1', digits: 6 }

/** What an authenticator app is given, as a QR code. The parameters are left out because they are the defaults. */
export const provisioningUri = (username: string, secret: string): string =>
  `otpauth://totp/Vox:${encodeURIComponent(username)}?secret=${secret}&issuer=Vox`

/** The digits of a code as it was typed; undefined if it cannot be one. */
export function codeDigits(code: string): string | undefined {
  const digits = code.replaceAll(/\p{White_Space}/gu, '')
  return /^[0-9]{6}$/.test(digits) ? digits : undefined
}

/** The steps around `now` (Unix milliseconds) to which the code belongs, ascending. */
export function matchingSteps(secret: string, code: string, now: number): number[] {
  const token = codeDigits(code)
  if (token === undefined) return []
  const key = Secret.fromBase32(secret)
  const current = Math.floor(now / STEP_MS)
  return [current - 1, current, current + 1].filter(
    (counter) => HOTP.validate({ ...CODE, token, secret: key, counter, window: 0 }) === 0,
  )
}

/** Stores a fresh secret, which the set-up with this ticket has yet to confirm. */
export async function prepareTotp({ db }: Work, userId: number, setupId: number): Promise<string> {
  const secret = new Secret({ size: SECRET_BYTES }).base32
  await db.insertInto('totp_secrets').values({ user_id: userId, secret, setup_id: setupId }).execute()
  return secret
}

/** The secret that this set-up has yet to confirm. */
export async function preparedTotp(db: Kysely<Schema>, setupId: number): Promise<string | undefined> {
  const row = await db.selectFrom('totp_secrets').select('secret').where('setup_id', '=', setupId).executeTakeFirst()
  return row?.secret
}

/** Enables the secret of a set-up. Its first code stays good for a login: clients use it for both. */
export async function enableTotp({ db }: Work, setupId: number): Promise<boolean> {
  const enabled = await db
    .updateTable('totp_secrets')
    .set({ setup_id: null })
    .where('setup_id', '=', setupId)
    .returning('user_id')
    .executeTakeFirst()
  return enabled !== undefined
}

/** Uses a code up: true only for a code of a later step than any used before. */
export async function useTotp({ db }: Work, userId: number, code: string, now: number): Promise<boolean> {
  const totp = await db
    .selectFrom('totp_secrets')
    .select(['secret', 'last_step'])
    .where('user_id', '=', userId)
    .where('setup_id', 'is', null)
    .executeTakeFirst()
  if (!totp) return false
  const step = matchingSteps(totp.secret, code, now).find((candidate) => candidate > (totp.last_step ?? -1))
  if (step === undefined) return false
  const used = await db
    .updateTable('totp_secrets')
    .set({ last_step: step })
    .where('user_id', '=', userId)
    .where((row) => row.or([row('last_step', 'is', null), row('last_step', '<', step)]))
    .returning('user_id')
    .executeTakeFirst()
  return used !== undefined
}

/** Removes the user's secret, confirmed or not. */
export async function removeTotp({ db }: Work, userId: number): Promise<void> {
  await db.deleteFrom('totp_secrets').where('user_id', '=', userId).execute()
}
