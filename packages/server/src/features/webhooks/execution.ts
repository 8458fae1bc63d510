import { ApiError, type Embed, fullEmbed } from '@vox/protocol'
import type { Services } from '../../services.ts'
import { isBlank } from '../messages/content.ts'
import { post } from '../messages/posting.ts'
import { existingFeed } from '../spaces/sight.ts'
import { findWebhook } from './store.ts'

/** What a webhook may say. */
interface Content {
  body?: string
  embeds?: readonly Embed[]
}

/** Posts into the webhook's feed, under the name it has now; nobody is notified (spec 04, section 10.6). */
export async function execute(services: Services, webhookId: number, { body, embeds = [] }: Content): Promise<void> {
  if (isBlank(body) && embeds.length === 0) throw new ApiError('EMPTY_MESSAGE')
  await services.work.run(async (job) => {
    const webhook = await findWebhook(job.db, webhookId)
    // It was deleted since its token was looked at.
    if (!webhook) throw new ApiError('WEBHOOK_TOKEN_INVALID')
    await post(job, services, {
      feed: existingFeed(services.community, webhook.feed_id),
      thread_id: null,
      author_id: null,
      body: body ?? null,
      embeds: embeds.map(fullEmbed),
      webhook,
    })
  })
}
