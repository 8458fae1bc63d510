import { argon2, randomBytes, timingSafeEqual } from 'node:crypto'
import { availableParallelism } from 'node:os'
import { promisify } from 'node:util'
import { ApiError } from '@vox/protocol'

const derive = promisify(argon2)

/** Cost of a password hash. */
export interface PasswordCost {
  /** KiB. */
  memory: number
  passes: number
  parallelism: number
}

/** At least what current OWASP advice and spec 02, section 1.4, ask for. */
export const DEFAULT_PASSWORD_COST: PasswordCost = { memory: 65_536, passes: 3, parallelism: 4 }

const SALT_BYTES = 16
const HASH_BYTES = 32
/** KiB; the algorithm asks for it. */
const MIN_MEMORY_PER_LANE = 8
const MAX_WAITING = 64
const BUSY_RETRY_MS = 1000
/** Node's pool has four threads, which files and name look-ups need too. */
const MAX_RUNNING = Math.min(availableParallelism(), 3)
const PHC = /^\$argon2id\$v=19\$m=(\d+),t=(\d+),p=(\d+)\$([A-Za-z0-9+/]+)\$([A-Za-z0-9+/]+)$/

/** A PHC string taken apart. */
interface StoredHash {
  cost: PasswordCost
  salt: Buffer
  hash: Buffer
}

/**
 * Hashes and verifies passwords with Argon2id, off the event loop. Each hash takes tens of megabytes and milliseconds,
 * so only a few run at once, and only so many wait; the next is refused rather than left hanging.
 */
export class Passwords {
  readonly #cost: PasswordCost
  readonly #waiting: (() => void)[] = []
  #running = 0
  #dummy: Promise<string> | undefined

  constructor(cost: PasswordCost = DEFAULT_PASSWORD_COST) {
    this.#cost = cost
  }

  /** The PHC string to store. */
  hash(password: string): Promise<string> {
    return this.#hash(password, this.#cost)
  }

  /** The same for a secret drawn at random, which has no likely values to try first: a quarter of the memory does. */
  hashRandom(secret: string): Promise<string> {
    const { memory, passes, parallelism } = this.#cost
    return this.#hash(secret, {
      memory: Math.max(Math.floor(memory / 4), MIN_MEMORY_PER_LANE * parallelism),
      passes,
      parallelism,
    })
  }

  /**
   * Whether the password belongs to the stored PHC string. Without one that can be read, the work of a verification is
   * done all the same, so that an outsider cannot tell which accounts exist by the time the answer takes.
   */
  async matches(password: string, stored: string | null | undefined): Promise<boolean> {
    const known = parsePhc(stored)
    if (known && (await this.#verify(password, known))) return true
    if (!known) await this.#verify(password, parsePhc(await this.#dummyHash()))
    return false
  }

  /** Whether a stored hash was made at another cost than the present one. */
  isOutdated(stored: string): boolean {
    const cost = parsePhc(stored)?.cost
    return (
      cost?.memory !== this.#cost.memory ||
      cost.passes !== this.#cost.passes ||
      cost.parallelism !== this.#cost.parallelism
    )
  }

  #hash(password: string, cost: PasswordCost): Promise<string> {
    return this.#inTurn(async () => {
      const { memory, passes, parallelism } = cost
      const salt = randomBytes(SALT_BYTES)
      const hash = await digest(password, salt, HASH_BYTES, cost)
      return `$argon2id$v=19$m=${memory},t=${passes},p=${parallelism}$${base64(salt)}$${base64(hash)}`
    })
  }

  #verify(password: string, stored: StoredHash | undefined): Promise<boolean> {
    return this.#inTurn(async () => {
      if (!stored) return false
      const { cost, salt, hash } = stored
      // Argon2 refuses costs and lengths out of its bounds, which only a damaged string has.
      const actual = await digest(password, salt, hash.length, cost).catch(() => undefined)
      return actual !== undefined && timingSafeEqual(actual, hash)
    })
  }

  #dummyHash(): Promise<string> {
    this.#dummy ??= this.hash(randomBytes(SALT_BYTES).toString('hex')).catch((error) => {
      this.#dummy = undefined
      throw error
    })
    return this.#dummy
  }

  async #inTurn<T>(task: () => Promise<T>): Promise<T> {
    if (this.#running < MAX_RUNNING) this.#running++
    else await this.#turn()
    try {
      return await task()
    } finally {
      const next = this.#waiting.shift()
      if (next) next()
      else this.#running--
    }
  }

  /** Resolves when a task that ends hands over its place. */
  async #turn(): Promise<void> {
    if (this.#waiting.length >= MAX_WAITING)
      throw new ApiError('AUTH_RATE_LIMITED', { fields: { retry_after_ms: BUSY_RETRY_MS } })
    await new Promise<void>((resolve) => this.#waiting.push(resolve))
  }
}

function parsePhc(text: string | null | undefined): StoredHash | undefined {
  const parts = PHC.exec(text ?? '')
  if (!parts) return undefined
  const [, memory, passes, parallelism, salt = '', hash = ''] = parts
  return {
    cost: { memory: Number(memory), passes: Number(passes), parallelism: Number(parallelism) },
    salt: Buffer.from(salt, 'base64'),
    hash: Buffer.from(hash, 'base64'),
  }
}

function digest(password: string, nonce: Buffer, tagLength: number, cost: PasswordCost): Promise<Buffer> {
  return derive('argon2id', { message: password, nonce, tagLength, ...cost }) as Promise<Buffer>
}

const base64 = (bytes: Buffer): string => bytes.toString('base64').replaceAll('=', '')
