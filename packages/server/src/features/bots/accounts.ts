import { ApiError, botCommandsDelete, memberLeave, Permission, type Static } from '@vox/protocol'
import type { BotObject, createBot, updateBot } from '@vox/protocol/endpoints'
import type { Work } from '../../events/work.ts'
import { demandPermission } from '../../http/pipeline.ts'
import type { Services } from '../../services.ts'
import { openAccount } from '../auth/registration.ts'
import { clearSecondFactors } from '../auth/reset.ts'
import { newSecret } from '../auth/tokens.ts'
import { endMembership } from '../members/departure.ts'
import { demandAccount } from '../users/accounts.ts'
import { changeProfile } from '../users/profiles.ts'
import { removeCommands } from './commands.ts'
import { botObject, botRows, demandBot, readBot } from './store.ts'

/** How long the token of a bot is good for: a hundred years, after which nobody asks (spec 04, section 11.2). */
const TOKEN_LIFETIME_MS = 36_525 * 86_400_000

type NewBot = Static<NonNullable<typeof createBot.body>>
type Patch = Static<NonNullable<typeof updateBot.body>>

interface Secrets {
  token: string
  interaction_secret: string
}

/** The accounts of bots and their records (spec 04, section 11.2). */
export class BotAccounts {
  readonly #services: Services

  constructor(services: Services) {
    this.#services = services
  }

  async create(ownerId: number, wanted: NewBot): Promise<BotObject & Secrets> {
    this.#demandRight(ownerId, wanted)
    const interactionUrl = await this.#checked(wanted.interaction_url ?? null)
    return this.#services.work.run(async (job) => {
      // Looking the URL's host up takes its time.
      this.#demandRight(ownerId, wanted)
      const userId = await this.#accountFor(job, ownerId, wanted)
      const interaction_secret = newSecret('bsec_')
      const { bot_id } = await job.db
        .insertInto('bots')
        .values({
          user_id: userId,
          owner_id: ownerId,
          interaction_url: interactionUrl,
          interaction_secret,
          created_at: this.#services.clock.now(),
        })
        .returning('bot_id')
        .executeTakeFirstOrThrow()
      job.change(({ accounts }) => accounts.bots.set(userId, { botId: bot_id, ownerId, interactionUrl }))
      const token = await this.#newToken(job, userId)
      const bot = await readBot(job.db, userId)
      job.audit({ type: 'bot.create', actor: ownerId, target: userId, metadata: { username: bot.username } })
      return { ...bot, token, interaction_secret }
    })
  }

  async list(): Promise<BotObject[]> {
    const rows = await botRows(this.#services.db.read).orderBy('bot_id').execute()
    return rows.map(botObject)
  }

  async read(userId: number): Promise<BotObject> {
    const { db, community } = this.#services
    await demandBot(db.read, community, userId)
    return readBot(db.read, userId)
  }

  async update(callerId: number, userId: number, { interaction_url, ...profile }: Patch): Promise<BotObject> {
    const { db, work, community } = this.#services
    await demandBot(db.read, community, userId)
    const interactionUrl = interaction_url === undefined ? undefined : await this.#checked(interaction_url)
    return work.run(async (job) => {
      const bot = await demandBot(job.db, community, userId)
      await changeProfile(job, callerId, userId, profile)
      if (interactionUrl !== undefined) {
        const change = { interaction_url: interactionUrl }
        await job.db.updateTable('bots').set(change).where('user_id', '=', userId).execute()
        job.change(({ accounts }) => accounts.bots.set(userId, { ...bot, interactionUrl }))
      }
      return readBot(job.db, userId)
    })
  }

  /** Replaces token and secret; whoever has the earlier ones is out. */
  renewToken(userId: number): Promise<Secrets> {
    const { work, community, sessions } = this.#services
    return work.run(async (job) => {
      await demandBot(job.db, community, userId)
      await sessions.endAllOf(job, userId)
      const interaction_secret = newSecret('bsec_')
      await job.db.updateTable('bots').set({ interaction_secret }).where('user_id', '=', userId).execute()
      return { token: await this.#newToken(job, userId), interaction_secret }
    })
  }

  delete(callerId: number, userId: number): Promise<void> {
    const { work, community, sessions } = this.#services
    return work.run(async (job) => {
      const { botId } = await demandBot(job.db, community, userId)
      const { username } = await readBot(job.db, userId)
      const command_names = await removeCommands(job, botId)
      if (command_names.length > 0) job.emit(botCommandsDelete, { bot_id: botId, command_names }, { to: 'members' })
      await job.db.deleteFrom('bots').where('bot_id', '=', botId).execute()
      job.change(({ accounts }) => accounts.bots.delete(userId))
      if (community.isMember(userId)) await endMembership(this.#services, job, userId, memberLeave)
      await sessions.endAllOf(job, userId)
      job.audit({ type: 'bot.delete', actor: callerId, target: userId, metadata: { username } })
    })
  }

  #demandRight(ownerId: number, { user_id }: NewBot): void {
    const { community } = this.#services
    if (community.accounts.bots.has(ownerId)) throw new ApiError('FORBIDDEN', { message: 'Bots have no bots.' })
    const required = user_id === undefined ? Permission.MANAGE_SERVER : Permission.ADMINISTRATOR
    demandPermission(community.permissions(ownerId), required)
  }

  async #accountFor(job: Work, ownerId: number, wanted: NewBot): Promise<number> {
    const { user_id, username = '', interaction_url: _, ...profile } = wanted
    if (user_id === undefined)
      return (await openAccount(this.#services, job, { ...profile, username, passwordHash: null })).userId
    await this.#demandConvertible(job, ownerId, user_id)
    await job.db.updateTable('users').set({ password_hash: null }).where('user_id', '=', user_id).execute()
    await clearSecondFactors(job, user_id)
    await changeProfile(job, ownerId, user_id, profile)
    return user_id
  }

  /** Only somebody else's account of this server, in use, can become a bot. The caller remains an administrator. */
  async #demandConvertible(job: Work, ownerId: number, userId: number): Promise<void> {
    const { community } = this.#services
    await demandAccount(job.db, userId)
    if (userId === ownerId || !community.accounts.isLocalPerson(userId)) throw new ApiError('INVALID_TARGET')
    if (!community.isMember(userId)) throw new ApiError('USER_NOT_FOUND')
  }

  /** The URL, if callbacks may go there. */
  async #checked(url: string | null): Promise<string | null> {
    if (url !== null) await this.#services.outbound.check(url)
    return url
  }

  #newToken(job: Work, userId: number): Promise<string> {
    return this.#services.sessions.create(job, userId, TOKEN_LIFETIME_MS)
  }
}
