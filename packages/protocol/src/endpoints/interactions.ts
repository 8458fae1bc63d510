import { Components } from '../components.ts'
import { Embeds } from '../embeds.ts'
import { endpoint } from '../endpoint.ts'
import { Fields, Flag, List, Maybe, Snowflake, type Static, Text } from '../schema.ts'

/** What a bot answers, by REST or to a callback. The length of `body` answers with a code of its own. */
export const InteractionResponse = Fields({
  body: Maybe(Text()),
  embeds: Maybe(Embeds),
  components: Maybe(Components),
  ephemeral: Maybe(Flag),
})
/** What a bot answers. */
export type InteractionResponse = Static<typeof InteractionResponse>

/** Answers an interaction of the calling bot, once and within 15 s (spec 04, section 11.6). */
export const respondToInteraction = endpoint({
  method: 'POST',
  path: '/interactions/:interaction_id/response',
  summary: 'Answer an interaction',
  auth: 'session',
  params: Fields({ interaction_id: Text() }),
  body: InteractionResponse,
  reply: { 204: null },
  errors: [
    'INTERACTION_NOT_FOUND',
    'FORBIDDEN',
    'EMPTY_MESSAGE',
    'MESSAGE_TOO_LARGE',
    'MISSING_PERMISSIONS',
    'NOT_DM_PARTICIPANT',
    'USER_BLOCKED',
    'SPACE_NOT_FOUND',
    'THREAD_LOCKED',
  ],
})

/**
 * Presses a button or chooses from a menu under the message of a bot (spec 04, section 11.7). What is wrong with
 * `component_id` is answered after what is wrong with the message, so it is not bounded here.
 */
export const useComponent = endpoint({
  method: 'POST',
  path: '/interactions/component',
  summary: 'Press a button or choose from a menu',
  auth: 'session',
  body: Fields({
    msg_id: Snowflake,
    component_id: Text(),
    values: Maybe(List(Text({ max: 100 }), { max: 25 })),
  }),
  reply: { 204: null },
  errors: ['MESSAGE_NOT_FOUND', 'NOT_BOT_MESSAGE'],
})
