import { createHash } from 'node:crypto'
import { ApiError, type KeyPackage, MlsRefusal, readKeyPackage, vectorHead } from '@vox/protocol'
import type { Insertable } from 'kysely'
import type { KeyPackages as KeyPackageTable } from '../../db/schema.ts'
import { decodeBase64 } from './base64.ts'

const HOUR_MS = 3_600_000

const REFERENCE_LABEL = Buffer.from('MLS 1.0 KeyPackage Reference')

/** Whoever fetches a package needs some time to use it (spec 05, section 9.2). */
export const usableUntil = (now: number): number => now + HOUR_MS

/** By what a Welcome names the package it is for, in hex (spec 05, section 13.2). */
export function keyPackageReference(bytes: Uint8Array): string {
  const hash = createHash('sha256')
  for (const part of [REFERENCE_LABEL, bytes]) hash.update(vectorHead(part.length)).update(part)
  return hash.digest('hex')
}

/** A package as it is kept. */
export type StoredPackage = Insertable<KeyPackageTable>

/**
 * The packages that a user uploads for a device.
 *
 * @throws ApiError `VALIDATION_ERROR` for the first one that nobody could use, or that is in another name.
 */
export function readUpload(texts: readonly string[], userId: number, deviceId: string, now: number): StoredPackage[] {
  return texts.map((text, index) => {
    const refuse = (problem: string) =>
      new ApiError('VALIDATION_ERROR', { message: `key_packages[${index}]: ${problem}` })
    const bytes = decodeBase64(text)
    if (!bytes) throw refuse('must be base64 with padding')
    const found = parsed(bytes, refuse)
    if (found.identity !== `${userId}:${deviceId}`) throw refuse(`its identity must be ${userId}:${deviceId}`)
    const expiresAt = Number(found.notAfter) * 1000
    if (expiresAt <= now) throw refuse('its lifetime has ended')
    return {
      device_id: deviceId,
      key_data: Buffer.from(found.bytes).toString('base64'),
      reference: keyPackageReference(found.bytes),
      signature_key: Buffer.from(found.signatureKey).toString('base64'),
      last_resort: found.isLastResort,
      expires_at: Math.min(expiresAt, Number.MAX_SAFE_INTEGER),
    }
  })
}

function parsed(bytes: Uint8Array, refuse: (problem: string) => ApiError): KeyPackage {
  try {
    return readKeyPackage(bytes)
  } catch (error) {
    throw error instanceof MlsRefusal ? refuse(error.message) : error
  }
}
