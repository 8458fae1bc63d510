import { ApiError, DEFAULT_EVERYONE_PERMISSIONS, memberJoin, Permission } from '@vox/protocol'
import type { Core } from '../../core.ts'
import type { Work } from '../../events/work.ts'
import type { Services } from '../../services.ts'
import { demandUsableInvite, redeemInvite } from '../invites/redemption.ts'
import { displayNameOr, usernameKey } from './names.ts'

/** The mark that says the first account has been made; nothing ever removes it. */
const BOOTSTRAPPED = 'bootstrapped'

/** What somebody chooses when registering. */
export interface Registration {
  username: string
  password: string
  display_name?: string
  invite_code?: string | null
}

/** Creates an account and its first session (spec 02, section 3). */
export async function registerAccount(
  services: Services,
  registration: Registration,
): Promise<{ user_id: number; token: string }> {
  const { work, clock, passwords, sessions } = services
  // Asked twice: before the costly hash, and where nothing can come between the answer and the account.
  await work.run((job) => demandAdmission(services, job, registration))
  const passwordHash = await passwords.hash(registration.password)
  return work.run(async (job) => {
    const invite = await demandAdmission(services, job, registration)
    const { userId } = await openAccount(services, job, { ...registration, passwordHash })
    if (invite !== undefined) await redeemInvite(job, clock.now(), invite, userId)
    return { user_id: userId, token: await sessions.create(job, userId) }
  })
}

/** What an account begins with. */
interface NewAccount {
  username: string
  display_name?: string | undefined
  avatar?: string | undefined
  /** Null for an account that nobody can log in to with a password. */
  passwordHash: string | null
}

/** Makes an account and its owner a member; of the very first one an administrator. */
export async function openAccount(
  core: Core,
  job: Work,
  account: NewAccount,
): Promise<{ userId: number; roleIds: readonly number[] }> {
  const userId = await insert(core, job, account)
  const roleIds = (await isFirst(job)) ? await bootstrap(job, userId) : []
  job.change((community) => community.setMember(userId, roleIds))
  const { username } = account
  const display_name = displayNameOr(username, account.display_name)
  job.emit(memberJoin, { user_id: userId, username, display_name }, { to: 'members' })
  return { userId, roleIds }
}

/**
 * Throws unless the registration mode lets this one in (spec 02, section 12.3); the founder always gets in. Resolves to
 * the invite that it has to be counted against, if any.
 */
async function demandAdmission(
  { config, clock }: Services,
  job: Work,
  { invite_code: invite }: Registration,
): Promise<string | undefined> {
  const mode = config.get('auth.registration')
  if (mode === 'open' || !(await isBootstrapped(job))) return undefined
  if (mode === 'closed') throw new ApiError('FORBIDDEN', { message: 'This server takes no new accounts.' })
  if (!invite) throw new ApiError('FORBIDDEN', { message: 'This server takes new accounts by invite only.' })
  await demandUsableInvite(job, clock.now(), invite)
  return invite
}

async function insert({ clock }: Core, job: Work, account: NewAccount): Promise<number> {
  const { username, display_name, avatar, passwordHash } = account
  const now = clock.now()
  const inserted = await job.db
    .insertInto('users')
    .values({
      username,
      username_key: usernameKey(username),
      display_name: displayNameOr(username, display_name),
      avatar: avatar || null,
      password_hash: passwordHash,
      created_at: now,
      joined_at: now,
    })
    .onConflict((conflict) => conflict.doNothing())
    .returning('user_id')
    .executeTakeFirst()
  if (!inserted) throw new ApiError('AUTH_FAILED', { status: 409, message: 'The username is taken.' })
  return inserted.user_id
}

async function isBootstrapped({ db }: Work): Promise<boolean> {
  const mark = await db.selectFrom('server_marks').select('name').where('name', '=', BOOTSTRAPPED).executeTakeFirst()
  return mark !== undefined
}

/** Whether this is the first account of the server, ever: decided by a mark, so no deletion makes a second first. */
async function isFirst(job: Work): Promise<boolean> {
  const marked = await job.db
    .insertInto('server_marks')
    .values({ name: BOOTSTRAPPED })
    .onConflict((conflict) => conflict.doNothing())
    .returning('name')
    .executeTakeFirst()
  return marked !== undefined
}

/** Makes `@everyone` and `Admin`, and the founder an administrator (spec 01, section 9.2). */
async function bootstrap(job: Work, founderId: number): Promise<number[]> {
  await createRole(job, { name: '@everyone', position: 0, permissions: DEFAULT_EVERYONE_PERMISSIONS, builtin: true })
  const admin = await createRole(job, ADMIN_ROLE)
  await job.db.insertInto('role_members').values({ role_id: admin, user_id: founderId }).execute()
  return [admin]
}

/** The role of administrators, as every server begins with it. */
export const ADMIN_ROLE = { name: 'Admin', position: 1, permissions: Permission.ADMINISTRATOR, builtin: false }

interface NewRole {
  name: string
  position: number
  permissions: bigint
  builtin: boolean
}

export async function createRole(job: Work, role: NewRole): Promise<number> {
  const { role_id: id } = await job.db.insertInto('roles').values(role).returning('role_id').executeTakeFirstOrThrow()
  job.change((community) => community.setRole({ id, ...role }))
  return id
}
