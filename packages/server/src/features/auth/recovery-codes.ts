import { randomInt } from 'node:crypto'
import type { Kysely } from 'kysely'
import type { Schema } from '../../db/schema.ts'
import type { Work } from '../../events/work.ts'
import type { Passwords } from './passwords.ts'

const COUNT = 8
const LETTERS = 'ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789'

/** Codes for the case that the phone is lost, with what is stored of each. */
export type RecoveryCodeSet = readonly { code: string; hash: string }[]

/** Makes a set of codes; nothing is stored yet. */
export async function newRecoveryCodes(passwords: Passwords): Promise<RecoveryCodeSet> {
  const set = []
  // One after the other, so that one user's codes do not keep everybody else from logging in.
  for (let i = 0; i < COUNT; i++) {
    const code = `${randomLetters(4)}-${randomLetters(4)}`
    set.push({ code, hash: await passwords.hashRandom(code) })
  }
  return set
}

const randomLetters = (length: number): string =>
  Array.from({ length }, () => LETTERS.charAt(randomInt(LETTERS.length))).join('')

/** Makes these the only codes of the user. */
export async function replaceRecoveryCodes(job: Work, userId: number, codes: RecoveryCodeSet): Promise<void> {
  await removeRecoveryCodes(job, userId)
  await job.db
    .insertInto('recovery_codes')
    .values(codes.map(({ hash }) => ({ user_id: userId, code_hash: hash })))
    .execute()
}

/**
 * The unused code that this is. All of the user's are looked at, and without any a dummy, so that the time taken says
 * nothing of the code.
 */
export async function findRecoveryCode(
  db: Kysely<Schema>,
  passwords: Passwords,
  userId: number,
  typed: string,
): Promise<number | undefined> {
  const code = canonical(typed)
  const candidates = await unused(db, userId)
  if (candidates.length === 0) await passwords.matches(code, undefined)
  let found: number | undefined
  for (const { recovery_code_id, code_hash } of candidates)
    if (await passwords.matches(code, code_hash)) found = recovery_code_id
  return found
}

/** Marks a code as used; false if it is already. */
export async function useRecoveryCode({ db }: Work, id: number): Promise<boolean> {
  const used = await db
    .updateTable('recovery_codes')
    .set({ used: true })
    .where('recovery_code_id', '=', id)
    .where('used', '=', false)
    .returning('recovery_code_id')
    .executeTakeFirst()
  return used !== undefined
}

export async function removeRecoveryCodes({ db }: Work, userId: number): Promise<void> {
  await db.deleteFrom('recovery_codes').where('user_id', '=', userId).execute()
}

function unused(db: Kysely<Schema>, userId: number) {
  return db
    .selectFrom('recovery_codes')
    .select(['recovery_code_id', 'code_hash'])
    .where('user_id', '=', userId)
    .where('used', '=', false)
    .execute()
}

/** The form that was hashed: capitals, with the hyphen that people leave out. */
function canonical(typed: string): string {
  const code = typed.trim().toUpperCase()
  return /^[A-Z0-9]{8}$/.test(code) ? `${code.slice(0, 4)}-${code.slice(4)}` : code
}
