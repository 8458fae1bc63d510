import { ApiError } from '@vox/protocol'
import type { Kysely, Selectable } from 'kysely'
import type { Schema, Webhooks } from '../../db/schema.ts'

/** A webhook as it is stored. */
export type WebhookRow = Selectable<Webhooks>

export function findWebhook(db: Kysely<Schema>, webhookId: number): Promise<WebhookRow | undefined> {
  return db.selectFrom('webhooks').selectAll().where('webhook_id', '=', webhookId).executeTakeFirst()
}

/**
 * The webhook.
 *
 * @throws ApiError `WEBHOOK_NOT_FOUND`
 */
export async function demandWebhook(db: Kysely<Schema>, webhookId: number): Promise<WebhookRow> {
  const webhook = await findWebhook(db, webhookId)
  if (!webhook) throw new ApiError('WEBHOOK_NOT_FOUND')
  return webhook
}

/** The webhooks of a feed, by id. */
export function webhooksOf(db: Kysely<Schema>, feedId: number): Promise<WebhookRow[]> {
  return db.selectFrom('webhooks').selectAll().where('feed_id', '=', feedId).orderBy('webhook_id').execute()
}

/** How many webhooks a feed has. */
export async function countWebhooks(db: Kysely<Schema>, feedId: number): Promise<number> {
  const { total } = await db
    .selectFrom('webhooks')
    .select(({ fn }) => fn.countAll<number>().as('total'))
    .where('feed_id', '=', feedId)
    .executeTakeFirstOrThrow()
  return total
}
