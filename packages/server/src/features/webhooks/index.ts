import {
  createWebhook,
  deleteWebhook,
  executeWebhook,
  executeWebhookToo,
  getWebhook,
  listWebhooks,
  updateWebhook,
} from '@vox/protocol/endpoints'
import type { Mount } from '../../http/pipeline.ts'
import type { Services } from '../../services.ts'
import { execute } from './execution.ts'
import { WebhookManagement } from './management.ts'

/** What posts into feeds without an account. */
export function webhooks(services: Services, on: Mount): void {
  const management = new WebhookManagement(services)
  on(createWebhook, ({ params, body, caller }) => management.create(caller.userId, params.feed_id, body))
  on(listWebhooks, async ({ params, caller }) => ({ webhooks: await management.list(caller.userId, params.feed_id) }))
  on(getWebhook, ({ params, caller }) => management.read(caller.userId, params.webhook_id))
  on(updateWebhook, ({ params, body, caller }) => management.update(caller.userId, params.webhook_id, body))
  on(deleteWebhook, ({ params, caller }) => management.delete(caller.userId, params.webhook_id))
  for (const execution of [executeWebhook, executeWebhookToo])
    on(execution, ({ params, body }) => execute(services, params.webhook_id, body))
}
