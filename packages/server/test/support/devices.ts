import assert from 'node:assert/strict'
import type { Member } from './community.ts'
import { type KeyPackageOptions, keyPackages } from './mls.ts'
import type { Client } from './server.ts'

/** Registers a device. */
export async function addDevice(client: Client, device_id: string, device_name = device_id): Promise<void> {
  const answer = await client.post('/keys/devices', { device_id, device_name })
  assert.equal(answer.status, 201, JSON.stringify(answer.body?.error))
}

/** Uploads new key packages for a device of the member; the packages. */
export async function stockUp(
  member: Member,
  deviceId: string,
  count: number,
  options?: KeyPackageOptions,
): Promise<string[]> {
  const packages = keyPackages(`${member.userId}:${deviceId}`, count, options)
  const answer = await member.post(`/keys/mls/${deviceId}/key-packages`, { key_packages: packages })
  assert.equal(answer.status, 201, JSON.stringify(answer.body?.error))
  return packages
}

/** Fetches one key package of each device of the owner. */
export async function fetchPackages(client: Client, owner: { userId: number }, query = ''): Promise<string[]> {
  const answer = await client.get(`/keys/mls/${owner.userId}/key-packages${query}`)
  assert.equal(answer.status, 200, JSON.stringify(answer.body?.error))
  return answer.body.key_packages
}
