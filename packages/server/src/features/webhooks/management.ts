import { ApiError, Permission, type Static, webhookCreate, webhookDelete, webhookUpdate } from '@vox/protocol'
import type { createWebhook, updateWebhook, WebhookObject } from '@vox/protocol/endpoints'
import type { Audience } from '../../events/audience.ts'
import type { Work } from '../../events/work.ts'
import { demandPermission } from '../../http/pipeline.ts'
import { cleared, isEmpty } from '../../patches.ts'
import type { Services } from '../../services.ts'
import { newSecret, tokenHash } from '../auth/tokens.ts'
import { demandShowable } from '../files/access.ts'
import { existingFeed } from '../spaces/sight.ts'
import { countWebhooks, demandWebhook, type WebhookRow, webhooksOf } from './store.ts'

const MAX_PER_FEED = 100

const MANAGERS: Audience = { to: 'holders', permission: Permission.MANAGE_WEBHOOKS }

type NewWebhook = Static<NonNullable<typeof createWebhook.body>>
type Patch = Static<NonNullable<typeof updateWebhook.body>>

/** Webhooks as those see them who manage them (spec 04, section 10). */
export class WebhookManagement {
  readonly #services: Services

  constructor(services: Services) {
    this.#services = services
  }

  async list(callerId: number, feedId: number): Promise<WebhookObject[]> {
    this.#demandFeed(callerId, feedId)
    return (await webhooksOf(this.#services.db.read, feedId)).map(webhookObject)
  }

  async read(callerId: number, webhookId: number): Promise<WebhookObject> {
    const webhook = await demandWebhook(this.#services.db.read, webhookId)
    this.#demandSight(callerId, webhook.feed_id)
    return webhookObject(webhook)
  }

  create(callerId: number, feedId: number, wanted: NewWebhook): Promise<WebhookObject & { token: string }> {
    const { name, avatar = null } = cleared(wanted, 'avatar')
    const token = newSecret('whk_')
    return this.#services.work.run(async (job) => {
      this.#demandFeed(callerId, feedId)
      if ((await countWebhooks(job.db, feedId)) >= MAX_PER_FEED)
        throw new ApiError('INVALID_OPERATION', { message: `A feed has at most ${MAX_PER_FEED} webhooks.` })
      await this.#demandShowable(job, callerId, avatar)
      const row = {
        feed_id: feedId,
        name,
        avatar,
        token_hash: tokenHash(token),
        created_at: this.#services.clock.now(),
      }
      const { webhook_id } = await job.db
        .insertInto('webhooks')
        .values(row)
        .returning('webhook_id')
        .executeTakeFirstOrThrow()
      job.emit(webhookCreate, { webhook_id, feed_id: feedId, name }, MANAGERS)
      job.audit({ type: 'webhook.create', actor: callerId, target: webhook_id, metadata: { name } })
      return { webhook_id, feed_id: feedId, name, avatar, token }
    })
  }

  update(callerId: number, webhookId: number, patch: Patch): Promise<WebhookObject> {
    return this.#services.work.run(async (job) => {
      const before = await demandWebhook(job.db, webhookId)
      this.#demandSight(callerId, before.feed_id)
      const { name = before.name, avatar = before.avatar } = cleared(patch, 'avatar')
      const changes = { ...(name !== before.name && { name }), ...(avatar !== before.avatar && { avatar }) }
      if (!isEmpty(changes)) {
        await this.#demandShowable(job, callerId, changes.avatar)
        await job.db.updateTable('webhooks').set(changes).where('webhook_id', '=', webhookId).execute()
        job.emit(webhookUpdate, { webhook_id: webhookId, ...changes }, MANAGERS)
      }
      return webhookObject({ ...before, name, avatar })
    })
  }

  delete(callerId: number, webhookId: number): Promise<void> {
    return this.#services.work.run(async (job) => {
      const { feed_id, name } = await demandWebhook(job.db, webhookId)
      this.#demandSight(callerId, feed_id)
      await job.db.deleteFrom('webhooks').where('webhook_id', '=', webhookId).execute()
      job.emit(webhookDelete, { webhook_id: webhookId }, MANAGERS)
      job.audit({ type: 'webhook.delete', actor: callerId, target: webhookId, metadata: { name } })
    })
  }

  async #demandShowable({ db }: Work, callerId: number, avatar: string | null = null): Promise<void> {
    if (avatar !== null) await demandShowable({ ...this.#services, db }, callerId, avatar)
  }

  #demandFeed(callerId: number, feedId: number): void {
    existingFeed(this.#services.community, feedId)
    this.#demandSight(callerId, feedId)
  }

  /** A webhook writes into its feed, so only those who see that may have to do with it. */
  #demandSight(callerId: number, feedId: number): void {
    const held = this.#services.community.permissionsIn(callerId, { type: 'feed', id: feedId })
    demandPermission(held, Permission.VIEW_SPACE)
  }
}

const webhookObject = ({ webhook_id, feed_id, name, avatar }: WebhookRow): WebhookObject => ({
  webhook_id,
  feed_id,
  name,
  avatar,
})
