import { holds, Permission, roleCreate } from '@vox/protocol'
import type { Community } from '../community/community.ts'
import type { Core } from '../core.ts'
import type { Work } from '../events/work.ts'
import { accountNamed } from '../features/auth/accounts.ts'
import { ADMIN_ROLE, createRole, openAccount } from '../features/auth/registration.ts'
import { removeSecondFactors } from '../features/auth/reset.ts'
import { giveRole } from '../features/roles/assignments.ts'
import { Refusal } from '../refusal.ts'

/** Goes into the audit log, where no actor stands for the operator. */
const RESET_REASON = 'by the operator'

interface Credentials {
  username: string
  password: string
}

/** Somebody who may do everything. */
export interface Administrator {
  user_id: number
  username: string
  bot: boolean
}

/** All administrators, the oldest account first. */
export async function listAdministrators({ db, community }: Core): Promise<Administrator[]> {
  const accounts = await db.read
    .selectFrom('users')
    .select(['user_id', 'username'])
    .where('active', '=', true)
    .orderBy('user_id')
    .execute()
  return accounts
    .filter(({ user_id }) => isAdministrator(community, user_id))
    .map((account) => ({ ...account, bot: community.accounts.bots.has(account.user_id) }))
}

/** Makes an account that is an administrator from the beginning, whatever the registration mode. */
export async function createAdministrator(
  core: Core,
  { username, password }: Credentials,
): Promise<{ user_id: number }> {
  const { work, passwords, community } = core
  const passwordHash = await passwords.hash(password)
  return work.run(async (job) => {
    if (await accountNamed(job.db, username))
      throw new Refusal(`There is an account ${username} already. Make it an administrator with "vox admin promote".`)
    const { userId, roleIds } = await openAccount(core, job, { username, passwordHash })
    if (roleIds.length === 0) await giveAdministratorRole(job, community, userId)
    return { user_id: userId }
  })
}

/** Makes an account an administrator; says whether it was not one before. */
export function promote({ work, community }: Core, { username }: { username: string }): Promise<{ changed: boolean }> {
  return work.run(async (job) => {
    const userId = await demandPerson(job, community, username)
    if (!community.isMember(userId))
      throw new Refusal(`${username} has left or is banned, and has to come back before this.`)
    if (isAdministrator(community, userId)) return { changed: false }
    await giveAdministratorRole(job, community, userId)
    return { changed: true }
  })
}

/** Replaces a password that was forgotten (spec 02, section 12.1). Whoever is logged in has to log in again. */
export async function resetPassword(core: Core, { username, password }: Credentials): Promise<null> {
  const { work, passwords, sessions, community } = core
  const passwordHash = await passwords.hash(password)
  return work.run(async (job) => {
    const userId = await demandPerson(job, community, username)
    await job.db.updateTable('users').set({ password_hash: passwordHash }).where('user_id', '=', userId).execute()
    await sessions.endAllOf(job, userId)
    return null
  })
}

/** Does what `POST /admin/2fa-reset` does (spec 02, section 10). */
export function resetSecondFactors({ work, community }: Core, { username }: { username: string }): Promise<null> {
  return work.run(async (job) => {
    const userId = await demandPerson(job, community, username)
    await removeSecondFactors(job, userId, { actor: null, reason: RESET_REASON })
    return null
  })
}

const isAdministrator = (community: Community, userId: number): boolean =>
  holds(community.permissions(userId), Permission.ADMINISTRATOR)

/** The account of a person of this server; bots have no password, and cannot be in charge. */
async function demandPerson({ db }: Work, community: Community, username: string): Promise<number> {
  const account = await accountNamed(db, username)
  if (!account) throw new Refusal(`There is no account ${username} on this server.`)
  if (community.accounts.bots.has(account.user_id)) throw new Refusal(`${username} is a bot.`)
  return account.user_id
}

/** Of several roles with `ADMINISTRATOR` the oldest, which is the one every server begins with. */
async function giveAdministratorRole(job: Work, community: Community, userId: number): Promise<void> {
  const existing = [...community.roles()]
    .filter(({ builtin, permissions }) => !builtin && holds(permissions, Permission.ADMINISTRATOR))
    .map(({ id }) => id)
  const roleId = existing.length > 0 ? Math.min(...existing) : await restoreAdminRole(job)
  await giveRole(job, community, { actor: null, userId, roleId })
}

/** For a server whose last role of this kind was lost past the server's own rules. */
async function restoreAdminRole(job: Work): Promise<number> {
  const roleId = await createRole(job, ADMIN_ROLE)
  const { name, permissions, position } = ADMIN_ROLE
  job.emit(roleCreate, { role_id: roleId, name, color: null, permissions, position }, { to: 'members' })
  job.audit({ type: 'role.create', actor: null, target: roleId })
  return roleId
}
