import type { DeleteQueryBuilder, DeleteResult } from 'kysely'
import type { Clock } from '../../clock.ts'
import type { Community } from '../../community/community.ts'
import type { Database } from '../../db/database.ts'
import type { Schema } from '../../db/schema.ts'
import type { Work } from '../../events/work.ts'
import type { SessionSource, TokenSession } from '../../http/authenticate.ts'
import { newToken, tokenHash } from './tokens.ts'

const PREFIX = 'vox_sess_'
const DAY_MS = 86_400_000
const MAX_CACHED = 20_000

interface CachedSession {
  sessionId: number
  userId: number
  /** Unix milliseconds. */
  expiresAt: number
}

interface SessionsContext {
  db: Database
  clock: Clock
  community: Community
  /** Lifetime of a session in days, as configured now. */
  ttlDays(): number
}

type Deletion = DeleteQueryBuilder<Schema, 'auth_sessions', DeleteResult>

/**
 * Session tokens: made at login, used with every request, ended at logout.
 *
 * Sessions in use are kept in memory by the hash of their token; the database is asked once per session and restart.
 * An ended session leaves the memory in the effects of the transaction that ended it, so nothing is cached that does not
 * hold. Whether the account is active is not cached at all but asked of the community.
 */
export class Sessions implements SessionSource {
  readonly #context: SessionsContext
  readonly #cache = new Map<string, CachedSession>()
  readonly #endListeners: ((sessionId: number) => void)[] = []
  /** Counts ended sessions: a look-up that one of them overtook must not be cached. */
  #ended = 0

  constructor(context: SessionsContext) {
    this.#context = context
  }

  /**
   * Makes a session and returns its token, which is never readable again. Without a lifetime (ms) of its own it lasts
   * as long as is configured.
   */
  async create(work: Work, userId: number, lifetime = this.#ttl()): Promise<string> {
    const token = newToken(PREFIX)
    const now = this.#context.clock.now()
    await work.db
      .insertInto('auth_sessions')
      .values({
        user_id: userId,
        token_hash: tokenHash(token),
        kind: 'session',
        created_at: now,
        expires_at: now + lifetime,
      })
      .execute()
    return token
  }

  /** The live session of this token; one past half of its life is prolonged (spec 01, section 3.4). */
  use(token: string): TokenSession | undefined | Promise<TokenSession | undefined> {
    const key = tokenHash(token)
    const cached = this.#cache.get(key)
    return cached && !this.#isRunningOut(cached) ? this.#standing(cached) : this.#lookUp(key)
  }

  /**
   * Counts as a use of the session by whoever is connected with it. Resolves to when it ends unless it is used again
   * (Unix milliseconds), or to undefined when it has ended.
   */
  async touch(sessionId: number): Promise<number | undefined> {
    const row = await this.#context.db.read
      .selectFrom('auth_sessions')
      .select(['session_id', 'user_id', 'expires_at', 'token_hash'])
      .where('session_id', '=', sessionId)
      .executeTakeFirst()
    if (!row || row.expires_at <= this.#context.clock.now()) return undefined
    const session = { sessionId, userId: row.user_id, expiresAt: row.expires_at }
    return this.#isRunningOut(session) ? this.#prolong(row.token_hash, session) : session.expiresAt
  }

  /** The user's live sessions, newest first. */
  ofUser(userId: number) {
    return this.#context.db.read
      .selectFrom('auth_sessions')
      .select(['session_id', 'created_at', 'expires_at'])
      .where('user_id', '=', userId)
      .where('kind', '=', 'session')
      .where('expires_at', '>', this.#context.clock.now())
      .orderBy('created_at', 'desc')
      .orderBy('session_id', 'desc')
      .execute()
  }

  /** Ends a session. */
  async end(work: Work, sessionId: number): Promise<void> {
    await this.#end(work, (rows) => rows.where('session_id', '=', sessionId))
  }

  /** Ends a live session if it is one of the user's; says whether it was. */
  async endOwn(work: Work, userId: number, sessionId: number): Promise<boolean> {
    const ended = await this.#end(work, (rows) =>
      rows
        .where('session_id', '=', sessionId)
        .where('user_id', '=', userId)
        .where('kind', '=', 'session')
        .where('expires_at', '>', this.#context.clock.now()),
    )
    return ended > 0
  }

  /** Ends all sessions of a user, or all but one, and voids all tickets. */
  async endAllOf(work: Work, userId: number, { except = 0 } = {}): Promise<void> {
    await this.#end(work, (rows) => rows.where('user_id', '=', userId).where('session_id', '<>', except))
  }

  /** Removes sessions and tickets past their time. */
  async endExpired(work: Work): Promise<void> {
    await this.#end(work, (rows) => rows.where('expires_at', '<=', this.#context.clock.now()))
  }

  async #end(work: Work, which: (rows: Deletion) => Deletion): Promise<number> {
    const ended = await which(work.db.deleteFrom('auth_sessions')).returning(['session_id', 'token_hash']).execute()
    work.afterCommit(() => {
      this.#ended += ended.length
      for (const { session_id, token_hash } of ended) {
        this.#cache.delete(token_hash)
        for (const listener of this.#endListeners) listener(session_id)
      }
    })
    return ended.length
  }

  /** Calls with the id of each session that is ended. */
  onEnd(listener: (sessionId: number) => void): void {
    this.#endListeners.push(listener)
  }

  async #lookUp(key: string): Promise<TokenSession | undefined> {
    const endedBefore = this.#ended
    const row = await this.#context.db.read
      .selectFrom('auth_sessions')
      .select(['session_id', 'user_id', 'expires_at'])
      .where('token_hash', '=', key)
      .where('kind', '=', 'session')
      .executeTakeFirst()
    if (!row || row.expires_at <= this.#context.clock.now()) {
      this.#cache.delete(key)
      return undefined
    }
    const session = { sessionId: row.session_id, userId: row.user_id, expiresAt: row.expires_at }
    if (this.#isRunningOut(session)) {
      if (!(await this.#prolong(key, session))) return undefined
    } else if (this.#ended === endedBefore) this.#remember(key, session)
    return this.#standing(session)
  }

  /** Resolves to the new expiry, or to undefined when the session has ended meanwhile. */
  async #prolong(key: string, session: CachedSession): Promise<number | undefined> {
    const expiresAt = this.#context.clock.now() + this.#ttl()
    return this.#context.db.write(async (tx) => {
      const prolonged = await tx.db
        .updateTable('auth_sessions')
        .set({ expires_at: expiresAt })
        .where('session_id', '=', session.sessionId)
        .returning('session_id')
        .executeTakeFirst()
      if (!prolonged) return undefined
      tx.afterCommit(() => this.#remember(key, { ...session, expiresAt }))
      return expiresAt
    })
  }

  #remember(key: string, session: CachedSession): void {
    const [oldest] = this.#cache.keys()
    if (this.#cache.size >= MAX_CACHED && oldest !== undefined) this.#cache.delete(oldest)
    this.#cache.set(key, session)
  }

  #standing({ sessionId, userId }: CachedSession): TokenSession {
    const { community } = this.#context
    if (community.isMember(userId)) return { sessionId, userId, standing: 'active' }
    return { sessionId, userId, standing: community.accounts.banned.has(userId) ? 'banned' : 'former' }
  }

  #isRunningOut({ expiresAt }: CachedSession): boolean {
    return expiresAt - this.#context.clock.now() < this.#ttl() / 2
  }

  #ttl(): number {
    return this.#context.ttlDays() * DAY_MS
  }
}
