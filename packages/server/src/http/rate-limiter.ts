import type { RateCategory, RateLimit } from '@vox/protocol'
import type { Clock } from '../clock.ts'

/** What became of one request at its bucket. Times are Unix milliseconds. */
export interface RateDecision {
  allowed: boolean
  limit: number
  /** Whole tokens left. */
  remaining: number
  /** When the next token is there, if none is left; otherwise when the bucket is full. */
  resetAt: number
  /** How long until a token is there; 0 when one was. */
  retryAfterMs: number
}

/** Token buckets by key and category (spec 01, section 8). A store shared between processes answers later. */
export interface RateLimiter {
  take(key: string, category: RateCategory): RateDecision | Promise<RateDecision>
}

interface Bucket {
  tokens: number
  at: number
}

const IDLE_MS = 600_000
const MAX_BUCKETS = 100_000

/**
 * The buckets of a single process. A bucket is brought up to date when it is looked at. The map is kept in the order of
 * last use, so idle buckets are found at its front and dropped as others are used; no timer is needed.
 */
export class LocalRateLimiter implements RateLimiter {
  readonly #buckets = new Map<string, Bucket>()
  readonly #clock: Clock
  readonly #limits: Readonly<Record<RateCategory, RateLimit>>

  constructor(clock: Clock, limits: Readonly<Record<RateCategory, RateLimit>>) {
    this.#clock = clock
    this.#limits = limits
  }

  take(key: string, category: RateCategory): RateDecision {
    const now = this.#clock.now()
    const limit = this.#limits[category]
    const bucket = this.#bucket(`${category} ${key}`, limit, now)
    const allowed = bucket.tokens >= 1
    if (allowed) bucket.tokens--
    this.#dropIdle(now)
    return decision(bucket, limit, allowed)
  }

  get size(): number {
    return this.#buckets.size
  }

  #bucket(id: string, { burst, refill }: RateLimit, now: number): Bucket {
    const known = this.#buckets.get(id)
    const bucket = known ?? { tokens: burst, at: now }
    if (known) this.#buckets.delete(id)
    this.#buckets.set(id, bucket)
    bucket.tokens = Math.min(burst, bucket.tokens + (Math.max(0, now - bucket.at) / 1000) * refill)
    bucket.at = now
    return bucket
  }

  #dropIdle(now: number): void {
    for (const [id, { at }] of this.#buckets) {
      if (now - at <= IDLE_MS && this.#buckets.size <= MAX_BUCKETS) return
      this.#buckets.delete(id)
    }
  }
}

function decision({ tokens, at }: Bucket, { burst, refill }: RateLimit, allowed: boolean): RateDecision {
  const remaining = Math.floor(tokens)
  const msUntil = (level: number) => Math.ceil(((level - tokens) / refill) * 1000)
  return {
    allowed,
    limit: burst,
    remaining,
    // Clients sleep until the reset once nothing remains: naming the time of a full bucket would cost them minutes.
    resetAt: at + (remaining === 0 ? msUntil(1) : msUntil(burst)),
    retryAfterMs: allowed ? 0 : Math.max(1, msUntil(1)),
  }
}
