/** Token-bucket size and refill of one category (spec 01, section 8.1). */
export interface RateLimit {
  /** Bucket size, whole requests. */
  burst: number
  /** Tokens that come back each second. */
  refill: number
}

/** The categories with their default numbers. */
export const RATE_LIMITS = {
  auth: { burst: 5, refill: 0.1 },
  messages: { burst: 50, refill: 1 },
  channels: { burst: 20, refill: 0.5 },
  roles: { burst: 10, refill: 0.2 },
  members: { burst: 20, refill: 0.5 },
  invites: { burst: 10, refill: 0.2 },
  webhooks: { burst: 10, refill: 0.2 },
  emoji: { burst: 10, refill: 0.2 },
  moderation: { burst: 10, refill: 0.2 },
  voice: { burst: 30, refill: 1 },
  server: { burst: 10, refill: 0.2 },
  bots: { burst: 10, refill: 0.2 },
  e2ee: { burst: 30, refill: 0.5 },
  search: { burst: 10, refill: 0.1 },
  files: { burst: 20, refill: 0.5 },
  federation: { burst: 50, refill: 1 },
} as const satisfies Record<string, RateLimit>

/** Name of a rate-limit category. */
export type RateCategory = keyof typeof RATE_LIMITS

const WEBHOOK_EXECUTION = /^\/api\/v1\/webhooks\/[^/]+\/[^/]+(\/execute)?$/

/** Prefixes below `/api/v1`, in the order in which they are tried. */
const PREFIXES: readonly (readonly [string, RateCategory])[] = [
  ['auth', 'auth'],
  ['feeds', 'channels'],
  ['rooms', 'channels'],
  ['categories', 'channels'],
  ['threads', 'channels'],
  ['roles', 'roles'],
  ['members', 'members'],
  ['invites', 'invites'],
  ['webhooks', 'webhooks'],
  ['emoji', 'emoji'],
  ['stickers', 'emoji'],
  ['moderation', 'moderation'],
  ['voice', 'voice'],
  ['server', 'server'],
  ['bots', 'bots'],
  ['keys', 'e2ee'],
  ['dms', 'messages'],
  ['files', 'files'],
  ['federation', 'federation'],
  ['reports', 'moderation'],
  ['admin', 'moderation'],
  ['users', 'members'],
]

/**
 * Category of a request, by method and path without query (spec 01, section 8.2). Clients use the same rules to
 * predict how long they have to wait, so the order of the tests is part of the protocol.
 */
export function rateCategory(method: string, path: string): RateCategory {
  if (path.includes('/messages')) return 'messages'
  if (method === 'POST' && WEBHOOK_EXECUTION.test(path)) return 'messages'
  if (path.includes('/search')) return 'search'
  const rest = path.startsWith('/api/v1/') ? path.slice('/api/v1/'.length) : ''
  return PREFIXES.find(([prefix]) => rest.startsWith(prefix))?.[1] ?? 'server'
}
