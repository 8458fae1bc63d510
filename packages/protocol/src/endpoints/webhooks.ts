import { Embeds } from '../embeds.ts'
import { endpoint } from '../endpoint.ts'
import { Fields, Id, List, Maybe, Nullable, refine, type Static, Text } from '../schema.ts'
import { FeedParams, nameProblem } from './common.ts'

/** What posts into a feed without an account (spec 04, section 10). */
export const WebhookObject = Fields({ webhook_id: Id, feed_id: Id, name: Text(), avatar: Nullable(Text()) })
/** What posts into a feed without an account. */
export type WebhookObject = Static<typeof WebhookObject>

const WebhookName = refine(Text({ max: 'webhook_name_max' }), nameProblem)
const Avatar = Maybe(Text({ max: 'avatar_max' }))
const WebhookParams = Fields({ webhook_id: Id })

/** The feed has to be visible as well: a webhook writes into it. */
const permitted = { auth: 'session', requires: { permission: 'MANAGE_WEBHOOKS' } } as const

/** Creates a webhook. Its token is in this answer and nowhere else (spec 04, section 10.1). */
export const createWebhook = endpoint({
  ...permitted,
  method: 'POST',
  path: '/feeds/:feed_id/webhooks',
  summary: 'Create a webhook',
  params: FeedParams,
  body: Fields({ name: WebhookName, avatar: Avatar }),
  noStore: true,
  reply: { 201: Fields({ ...WebhookObject.properties, token: Text() }) },
  errors: ['MISSING_PERMISSIONS', 'SPACE_NOT_FOUND', 'INVALID_OPERATION', 'FORBIDDEN'],
})

/** The webhooks of a feed, by id (spec 04, section 10.2). */
export const listWebhooks = endpoint({
  ...permitted,
  method: 'GET',
  path: '/feeds/:feed_id/webhooks',
  summary: 'Webhooks of a feed',
  params: FeedParams,
  reply: { 200: Fields({ webhooks: List(WebhookObject) }) },
  errors: ['MISSING_PERMISSIONS', 'SPACE_NOT_FOUND'],
})

/** One webhook (spec 04, section 10.3). */
export const getWebhook = endpoint({
  ...permitted,
  method: 'GET',
  path: '/webhooks/:webhook_id',
  summary: 'Read a webhook',
  params: WebhookParams,
  reply: { 200: WebhookObject },
  errors: ['MISSING_PERMISSIONS', 'WEBHOOK_NOT_FOUND'],
})

/** Changes how a webhook shows up from now on; an empty avatar removes it (spec 04, section 10.4). */
export const updateWebhook = endpoint({
  ...permitted,
  method: 'PATCH',
  path: '/webhooks/:webhook_id',
  summary: 'Change a webhook',
  params: WebhookParams,
  body: Fields({ name: Maybe(WebhookName), avatar: Avatar }),
  reply: { 200: WebhookObject },
  errors: ['MISSING_PERMISSIONS', 'WEBHOOK_NOT_FOUND', 'FORBIDDEN'],
})

/** Deletes a webhook; its token is worth nothing from then on, and its messages stay (spec 04, section 10.5). */
export const deleteWebhook = endpoint({
  ...permitted,
  method: 'DELETE',
  path: '/webhooks/:webhook_id',
  summary: 'Delete a webhook',
  params: WebhookParams,
  reply: { 204: null },
  errors: ['MISSING_PERMISSIONS', 'WEBHOOK_NOT_FOUND'],
})

const execution = {
  method: 'POST',
  auth: 'none',
  forWebhook: true,
  params: Fields({ webhook_id: Id, token: Text() }),
  body: Fields({ body: Maybe(Text({ max: 'message_body_max' })), embeds: Maybe(Embeds) }),
  reply: { 204: null },
  errors: ['WEBHOOK_TOKEN_INVALID', 'EMPTY_MESSAGE'],
} as const

/** Posts as a webhook. Whoever knows the URL may (spec 04, section 10.6). */
export const executeWebhook = endpoint({
  ...execution,
  path: '/webhooks/:webhook_id/:token',
  summary: 'Post as a webhook',
})

/** The same at the other address that documents give. */
export const executeWebhookToo = endpoint({
  ...execution,
  path: '/webhooks/:webhook_id/:token/execute',
  summary: 'Post as a webhook (other path)',
})
