import assert from 'node:assert/strict'
import { type PermissionName, permissionSet } from '@vox/protocol'
import type { Client, TestServer } from './server.ts'

/** A client with an account. */
export type Member = Client & { userId: number }

/** Registers these accounts one after another; the first of a server is its administrator. */
export async function registerAll<const N extends readonly string[]>(
  server: TestServer,
  ...names: N
): Promise<{ [K in keyof N]: Member }> {
  const members: Member[] = []
  for (const name of names) members.push(await server.register(name))
  return members as { [K in keyof N]: Member }
}

/** Gives a member a new role with these permissions, by default in the middle of the hierarchy; the role's id. */
export async function grant(
  admin: Client,
  { userId }: { userId: number },
  permissions: readonly PermissionName[],
  position = 10,
): Promise<number> {
  const role = { name: 'role', permissions: permissionSet(...permissions), position }
  const { role_id } = (await admin.post('/roles', role)).body
  assert.equal((await admin.put(`/members/${userId}/roles/${role_id}`)).status, 204)
  return role_id
}

/** Creates a text feed; everybody sees it unless it is hidden. */
export async function createFeed(admin: Client, { hidden = false } = {}): Promise<number> {
  const hiding = [{ target_type: 'role', target_id: 1, allow: 0, deny: permissionSet('VIEW_SPACE') }]
  const feed = { name: 'feed', type: 'text', ...(hidden && { permission_overrides: hiding }) }
  return (await admin.post('/feeds', feed)).body.feed_id
}

/** The types of all audit entries of the server, oldest first. */
export async function auditTypes(admin: Client): Promise<string[]> {
  const { entries } = (await admin.get('/audit-log?limit=1000')).body
  return entries.map(({ event_type }: { event_type: string }) => event_type)
}

/** The newest entry of the audit log. */
export async function lastAudit(admin: Client) {
  const { entries } = (await admin.get('/audit-log?before=9223372036854775807&limit=1')).body
  const { event_type, actor_id, target_id, metadata } = entries[0]
  return [event_type, actor_id, target_id, metadata]
}
