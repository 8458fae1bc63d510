import { randomBytes } from 'node:crypto'
import { ApiError, DecodeError, interactionCreate } from '@vox/protocol'
import type { InteractionResponse, MessageSent } from '@vox/protocol/endpoints'
import type { Logger } from 'pino'
import type { Timer } from '../../clock.ts'
import type { Core } from '../../core.ts'
import { type Outbound, OutboundFailure } from '../../outbound/outbound.ts'
import { checkResponse, postAnswer, saysNothing } from './answering.ts'
import { callBack } from './callback.ts'
import { type Interaction, type Invocation, LIFETIME_MS, payloadOf } from './interaction.ts'
import { isPresent } from './invocation.ts'
import type { OpenInteractions } from './open-interactions.ts'
import { whisper } from './whisper.ts'

/**
 * Callbacks to one bot that may wait for their answers. A bot that takes a tenth of a second gets hundreds of calls a
 * second through; one that hangs holds no more than these sockets and requests.
 */
const MAX_CALLBACKS = 50

const UNREACHABLE = 'The bot could not be reached, or did not answer properly.'
const UNANSWERED = 'The bot did not answer in time.'

interface Surroundings {
  core: Core
  outbound: Outbound
  open: OpenInteractions
}

/**
 * What users want of bots, from the invocation to its answer (spec 04, section 11.5). A gateway bot is told by an event,
 * any other by a callback, for which the user's request waits; never a job does. An interaction is used up by whoever
 * takes it out of the open ones; if what follows fails, it is put back, unless its time is over.
 */
export class Interactions {
  readonly #core: Core
  readonly #outbound: Outbound
  readonly #open: OpenInteractions
  readonly #log: Logger
  readonly #timers = new Set<Timer>()
  /** How many callbacks are under way, by the account of the bot. */
  readonly #callbacks = new Map<number, number>()

  constructor({ core, outbound, open }: Surroundings) {
    this.#core = core
    this.#outbound = outbound
    this.#open = open
    this.#log = core.log.child({ logger: 'interactions' })
  }

  /** Begins what a message calls; gives what its sender is answered in place of a message. */
  async call(invocation: Invocation): Promise<MessageSent> {
    const { id } = await this.begin(invocation)
    return { msg_id: 0n, timestamp: this.#core.clock.now(), interaction_id: id, mentions: null }
  }

  /** Lets the bot know of an invocation. Resolves when it does, or when the user knows that it does not. */
  async begin(invocation: Invocation): Promise<Interaction> {
    const { clock, db, community } = this.#core
    const { botUserId, place, use } = invocation
    const url = community.accounts.bots.get(botUserId)?.interactionUrl ?? null
    const interaction = {
      ...invocation,
      id: randomBytes(16).toString('base64url'),
      expiresAt: clock.now() + LIFETIME_MS,
      tellsSilence: use.type === 'slash_command' && url === null,
    }
    if (!(await isPresent(db.read, community, botUserId, place))) {
      await this.#tell(interaction, UNREACHABLE)
      return interaction
    }
    await this.#open.put(interaction)
    this.#endLater(interaction)
    await (url === null ? this.#announce(interaction) : this.#callBack(interaction, url))
    return interaction
  }

  /** Answers for the bot (spec 04, section 11.6). */
  async answer(callerId: number, id: string, response: InteractionResponse): Promise<void> {
    const interaction = await this.#open.find(id)
    if (!interaction) throw new ApiError('INTERACTION_NOT_FOUND')
    if (interaction.botUserId !== callerId)
      throw new ApiError('FORBIDDEN', { message: 'The interaction belongs to another bot.' })
    checkResponse(this.#core, response)
    if (!(await this.#post(interaction, response))) throw new ApiError('INTERACTION_NOT_FOUND')
  }

  /** Forgets what is open. */
  close(): void {
    for (const timer of this.#timers) timer.cancel()
  }

  #announce(interaction: Interaction): Promise<void> {
    const audience = { to: 'users', users: [interaction.botUserId] } as const
    return this.#core.work.run(async (job) => job.emit(interactionCreate, payloadOf(interaction), audience))
  }

  async #callBack(interaction: Interaction, url: string): Promise<void> {
    const { botUserId } = interaction
    try {
      const response = await this.#called(botUserId, () => this.#responseTo(interaction, url))
      if (!response || saysNothing(response)) return
      checkResponse(this.#core, response)
      await this.#post(interaction, response)
    } catch (error) {
      if (!isFailure(error)) throw error
      this.#log.info({ reason: error.message, bot_user_id: botUserId }, 'a callback failed')
      await this.#tell(interaction, UNREACHABLE)
    }
  }

  async #responseTo(interaction: Interaction, url: string): Promise<InteractionResponse | undefined> {
    const { clock, config } = this.#core
    const secret = await this.#secretOf(interaction.botUserId)
    return callBack(this.#outbound, interaction, { url, secret, now: clock.now(), limits: config.limits })
  }

  /** Calls a bot, unless too many calls of it wait already. */
  async #called<T>(botUserId: number, call: () => Promise<T>): Promise<T> {
    const underWay = this.#callbacks.get(botUserId) ?? 0
    if (underWay >= MAX_CALLBACKS) throw new OutboundFailure('too many callbacks wait for the bot')
    this.#callbacks.set(botUserId, underWay + 1)
    try {
      return await call()
    } finally {
      const left = (this.#callbacks.get(botUserId) ?? 1) - 1
      if (left > 0) this.#callbacks.set(botUserId, left)
      else this.#callbacks.delete(botUserId)
    }
  }

  async #secretOf(userId: number): Promise<string> {
    const bot = await this.#core.db.read
      .selectFrom('bots')
      .select('interaction_secret')
      .where('user_id', '=', userId)
      .executeTakeFirst()
    if (!bot) throw new OutboundFailure('the bot has been deleted')
    return bot.interaction_secret
  }

  /** Uses an interaction up and posts the answer to it; says whether it was there to be answered. */
  async #post(interaction: Interaction, response: InteractionResponse): Promise<boolean> {
    if (!(await this.#open.take(interaction.id))) return false
    try {
      await this.#core.work.run((job) => postAnswer(job, this.#core, interaction, response))
    } catch (error) {
      if (this.#core.clock.now() < interaction.expiresAt) await this.#open.put(interaction)
      else await this.#over(interaction)
      throw error
    }
    return true
  }

  #endLater({ id }: Interaction): void {
    const timer = this.#core.clock.after(LIFETIME_MS, async () => {
      this.#timers.delete(timer)
      try {
        const unanswered = await this.#open.take(id)
        if (unanswered) await this.#over(unanswered)
      } catch (err) {
        this.#log.error({ err }, 'ending an interaction failed')
      }
    })
    this.#timers.add(timer)
  }

  async #over(unanswered: Interaction): Promise<void> {
    if (unanswered.tellsSilence) await this.#tell(unanswered, UNANSWERED)
  }

  #tell({ user_id, place }: Interaction, body: string): Promise<void> {
    const { work, community } = this.#core
    return work.run((job) => whisper(job, community, user_id, place, { author_id: null, body }))
  }
}

/** Whether the bot is to blame, or what it answers with. */
const isFailure = (error: unknown): error is Error =>
  error instanceof OutboundFailure || error instanceof DecodeError || error instanceof ApiError
