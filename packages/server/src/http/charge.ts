import { ApiError, type Endpoint, type RateCategory, rateCategory } from '@vox/protocol'
import type { FastifyReply, FastifyRequest } from 'fastify'
import { addressGroup } from './client-address.ts'
import type { RateDecision, RateLimiter } from './rate-limiter.ts'

/** Which bucket a request takes from. */
export interface Charge {
  key: string
  category: RateCategory
}

/** Takes what a request costs, and says in the answer's headers what is left; throws when nothing is. */
export async function limitRate(reply: FastifyReply, { key, category }: Charge, limiter?: RateLimiter) {
  if (!limiter) return
  const decision = await limiter.take(key, category)
  reply.headers({
    'x-ratelimit-limit': decision.limit,
    'x-ratelimit-remaining': decision.remaining,
    'x-ratelimit-reset': Math.ceil(decision.resetAt / 1000),
  })
  if (!decision.allowed) throw rateLimited(category, decision)
}

/**
 * Whom a request costs (spec 01, section 8.3). Attempts to log in, or to post with a wrong token, are always charged to
 * the address: nobody can use up what belongs to an account or to a webhook.
 */
export function chargeFor(request: FastifyRequest, { auth, path, forWebhook }: Endpoint, isWebhook: boolean): Charge {
  const { credentials, address, params } = request
  const category = rateCategory(request.method, pathOf(request.url))
  if (isWebhook) return { key: `webhook:${Number((params as { webhook_id: string }).webhook_id)}`, category }
  const key = `ip:${address === undefined ? 'unknown' : addressGroup(address)}`
  if (forWebhook) return { key, category: 'webhooks' }
  const loggingIn = auth === 'none' && path.startsWith('/auth/')
  return { key: credentials?.session && !loggingIn ? `user:${credentials.session.userId}` : key, category }
}

function rateLimited(category: RateCategory, { retryAfterMs }: RateDecision): ApiError {
  return new ApiError(category === 'auth' ? 'AUTH_RATE_LIMITED' : 'RATE_LIMITED', {
    fields: { retry_after_ms: retryAfterMs },
  })
}

const pathOf = (url: string): string => {
  const end = url.indexOf('?')
  return end === -1 ? url : url.slice(0, end)
}
