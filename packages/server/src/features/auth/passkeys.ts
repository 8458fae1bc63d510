import type { WebAuthnCredential } from '@simplewebauthn/server'
import { ApiError, parseJson, stringifyJson } from '@vox/protocol'
import type { CreationOptions, RequestOptions } from '@vox/protocol/endpoints'
import type { Kysely } from 'kysely'
import type { Schema } from '../../db/schema.ts'
import type { Work } from '../../events/work.ts'
import type { RelyingParty } from './challenges.ts'
import { ALGORITHMS, userHandle } from './webauthn.ts'

const MAX_PASSKEYS = 32
const TIMEOUT_MS = 60_000
const DEFAULT_NAME = 'Security Key'

/** The user's passkeys, oldest first. */
export function passkeysOf(db: Kysely<Schema>, userId: number) {
  return db.selectFrom('passkeys').selectAll().where('user_id', '=', userId).orderBy('passkey_id').execute()
}

/** Throws `DEVICE_LIMIT_REACHED` when the user has as many passkeys as one may have. */
export async function demandRoomForPasskey(db: Kysely<Schema>, userId: number): Promise<void> {
  if ((await passkeysOf(db, userId)).length >= MAX_PASSKEYS)
    throw new ApiError('DEVICE_LIMIT_REACHED', { message: `An account can have ${MAX_PASSKEYS} passkeys.` })
}

interface Owner {
  user_id: number
  username: string
  display_name: string | null
}

/** What the browser needs to make a passkey (spec 02, section 7.1). */
export async function creationOptions(
  db: Kysely<Schema>,
  { user_id, username, display_name }: Owner,
  relyingParty: RelyingParty,
  challenge: { id: string; value: string },
): Promise<CreationOptions> {
  return {
    challenge_id: challenge.id,
    rp: { name: 'Vox', id: relyingParty.id },
    user: { id: userHandle(user_id), name: username, displayName: display_name ?? username },
    challenge: challenge.value,
    pubKeyCredParams: ALGORITHMS.map((alg) => ({ type: 'public-key', alg })),
    timeout: TIMEOUT_MS,
    excludeCredentials: (await passkeysOf(db, user_id)).map(descriptor),
    authenticatorSelection: { residentKey: 'preferred', userVerification: 'preferred' },
    attestation: 'none',
  }
}

/** What the browser needs to use one of these passkeys (spec 02, section 7.4). */
export function requestOptions(
  passkeys: readonly StoredPasskey[],
  relyingParty: RelyingParty,
  challenge: { value: string },
): RequestOptions {
  return {
    challenge: challenge.value,
    timeout: TIMEOUT_MS,
    rpId: relyingParty.id,
    allowCredentials: passkeys.map(descriptor),
    userVerification: 'preferred',
  }
}

/** A passkey as it is stored. */
export type StoredPasskey = Awaited<ReturnType<typeof passkeysOf>>[number]

function descriptor({ credential_id, transports }: StoredPasskey) {
  const known = parseJson(transports) as string[]
  return { id: credential_id, type: 'public-key' as const, ...(known.length > 0 && { transports: known }) }
}

/** Stores a passkey. One that is registered already, by whomever, stays as it is. */
export async function addPasskey(
  { db }: Work,
  userId: number,
  { id, publicKey, counter, transports }: WebAuthnCredential,
  { name, now }: { name: string | undefined; now: number },
): Promise<void> {
  const added = await db
    .insertInto('passkeys')
    .values({
      user_id: userId,
      credential_id: id,
      public_key: Buffer.from(publicKey).toString('base64url'),
      name: name || DEFAULT_NAME,
      sign_count: counter,
      transports: stringifyJson(transports),
      registered_at: now,
    })
    .onConflict((conflict) => conflict.doNothing())
    .returning('passkey_id')
    .executeTakeFirst()
  if (!added) throw new ApiError('WEBAUTHN_FAILED', { status: 400, message: 'This passkey is registered already.' })
}

/** Records a use. The counter must rise, unless the authenticator has none and always says 0. */
export async function recordUse({ db }: Work, passkeyId: number, counter: number, now: number): Promise<boolean> {
  const advanced = await db
    .updateTable('passkeys')
    .set({ sign_count: counter, last_used_at: now })
    .where('passkey_id', '=', passkeyId)
    .where('sign_count', counter === 0 ? '=' : '<', counter)
    .returning('passkey_id')
    .executeTakeFirst()
  return advanced !== undefined
}

/** Removes a passkey of the user; false if there is none by this id. */
export async function removePasskey({ db }: Work, userId: number, credentialId: string): Promise<boolean> {
  const removed = await db
    .deleteFrom('passkeys')
    .where('user_id', '=', userId)
    .where('credential_id', '=', credentialId)
    .returning('passkey_id')
    .executeTakeFirst()
  return removed !== undefined
}

/** Removes all passkeys of the user. */
export async function removePasskeys({ db }: Work, userId: number): Promise<void> {
  await db.deleteFrom('passkeys').where('user_id', '=', userId).execute()
}
