import { endpoint } from '../endpoint.ts'
import { Fields, Id, List, Maybe, Nullable, refine, Seconds, type Static, Text, UserSegment } from '../schema.ts'
import { DisplayName, Username } from './auth.ts'
import { BOT_TARGET_ERRORS } from './common.ts'

/** A bot: its record and what is public of its account (spec 04, section 11.2). */
export const BotObject = Fields({
  bot_id: Id,
  user_id: Id,
  username: Text(),
  display_name: Nullable(Text()),
  avatar: Nullable(Text()),
  owner_id: Id,
  interaction_url: Nullable(Text()),
  created_at: Seconds,
})
/** A bot. */
export type BotObject = Static<typeof BotObject>

/** What a bot proves itself with, and what it verifies callbacks with; shown once (spec 04, section 11.2). */
const secrets = { token: Text(), interaction_secret: Text() }

const BotParams = Fields({ user_id: UserSegment() })
const CallbackUrl = Text({ max: 2048 })
const Avatar = Text({ max: 'avatar_max' })

/** Its owner or an administrator. */
const byManagers = { permission: 'ADMINISTRATOR', unlessOwner: true } as const
/** The bot itself as well. */
const byBotAndManagers = { ...byManagers, unlessSelf: true } as const

/**
 * Makes a bot with an account of its own, owned by the caller. With `user_id` in place of `username` an administrator
 * turns an existing account into one (spec 04, section 11.2).
 */
export const createBot = endpoint({
  method: 'POST',
  path: '/bots',
  summary: 'Create a bot',
  auth: 'session',
  refusesGuests: true,
  requires: { permission: 'MANAGE_SERVER' },
  body: refine(
    Fields({
      username: Maybe(Username),
      user_id: Maybe(Id),
      display_name: Maybe(DisplayName),
      avatar: Maybe(Avatar),
      interaction_url: Maybe(CallbackUrl),
    }),
    ({ username, user_id }) =>
      (username === undefined) === (user_id === undefined) ? 'give either username or user_id' : undefined,
  ),
  reply: { 201: Fields({ ...BotObject.properties, ...secrets }) },
  errors: ['MISSING_PERMISSIONS', 'FORBIDDEN', ['AUTH_FAILED', 409], 'INVALID_URL', 'USER_NOT_FOUND', 'INVALID_TARGET'],
  noStore: true,
})

/** All bots by `bot_id` (spec 04, section 11.2). */
export const listBots = endpoint({
  method: 'GET',
  path: '/bots',
  summary: 'Bots',
  auth: 'session',
  requires: { permission: 'MANAGE_SERVER' },
  reply: { 200: Fields({ bots: List(BotObject) }) },
  errors: ['MISSING_PERMISSIONS'],
})

/** One bot; `@me` is the caller (spec 04, section 11.2). */
export const getBot = endpoint({
  method: 'GET',
  path: '/bots/:user_id',
  summary: 'Read a bot',
  auth: 'session',
  requires: byBotAndManagers,
  params: BotParams,
  reply: { 200: BotObject },
  errors: BOT_TARGET_ERRORS,
})

/** Changes a bot; `interaction_url` null makes it a gateway bot again (spec 04, section 11.2). */
export const updateBot = endpoint({
  method: 'PATCH',
  path: '/bots/:user_id',
  summary: 'Change a bot',
  auth: 'session',
  requires: byBotAndManagers,
  params: BotParams,
  body: Fields({
    display_name: Maybe(DisplayName),
    avatar: Maybe(Avatar),
    interaction_url: Maybe(Nullable(CallbackUrl)),
  }),
  reply: { 200: BotObject },
  errors: [...BOT_TARGET_ERRORS, 'INVALID_URL'],
})

/** Replaces token and secret, and ends all sessions of the bot (spec 04, section 11.2). */
export const renewBotToken = endpoint({
  method: 'POST',
  path: '/bots/:user_id/token',
  summary: 'Renew the token of a bot',
  auth: 'session',
  requires: byManagers,
  params: BotParams,
  reply: { 200: Fields(secrets) },
  errors: BOT_TARGET_ERRORS,
  noStore: true,
})

/** Removes a bot and deactivates its account; its messages stay (spec 04, section 11.2). */
export const deleteBot = endpoint({
  method: 'DELETE',
  path: '/bots/:user_id',
  summary: 'Delete a bot',
  auth: 'session',
  requires: byManagers,
  params: BotParams,
  reply: { 204: null },
  errors: BOT_TARGET_ERRORS,
})
