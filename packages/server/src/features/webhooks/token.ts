import { timingSafeEqual } from 'node:crypto'
import type { Kysely } from 'kysely'
import type { Schema } from '../../db/schema.ts'
import { tokenHash } from '../auth/tokens.ts'
import { findWebhook } from './store.ts'

const HASH_OF_NOTHING = tokenHash('')

/** Whether a token is the webhook's; it takes as long for a wrong token as for a webhook that does not exist. */
export async function isTokenOf(db: Kysely<Schema>, webhookId: number, token: string): Promise<boolean> {
  const webhook = await findWebhook(db, webhookId)
  return timingSafeEqual(Buffer.from(tokenHash(token)), Buffer.from(webhook?.token_hash ?? HASH_OF_NOTHING))
}
