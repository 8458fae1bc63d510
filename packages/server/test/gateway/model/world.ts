import { Permission } from '@vox/protocol'
import { EVERYONE } from '../../support/gateway.ts'

/** What an override says of VIEW_SPACE, by `role 1` or `user 1`. */
export type Sights = Map<string, 'allow' | 'deny'>

export interface ModelFeed {
  id: number
  sights: Sights
  /** Bodies by message id, in the order of the messages. */
  messages: Map<number, string>
}

/** A session as it ought to be: all that was ever put into its sequence, `seq` 1 first. */
export interface ModelSession {
  userId: number
  events: string[]
  /** When its connection was lost; undefined while it has one. */
  lostAt: number | undefined
}

/** Everything one user may see: messages by feed. */
export type View = Map<number, Map<number, string>>

const MAX_RESUMABLE = 5

/**
 * What the protocol says of a community and its sessions, as plainly as possible: sets, lists and loops over everybody
 * instead of anything kept or shared.
 */
export class World {
  readonly roles = new Map<number, bigint>()
  readonly members = new Map<number, Set<number>>()
  readonly feeds = new Map<number, ModelFeed>()
  /** Live and resumable ones, oldest first. */
  sessions: ModelSession[] = []
  readonly #capacity: number
  readonly #resumeWindow: number

  constructor(capacity: number, resumeWindow: number) {
    this.#capacity = capacity
    this.#resumeWindow = resumeWindow
  }

  // --- who sees what (spec 01, section 9.3) -------------------------------------------------------------------------

  sees(userId: number, { sights }: ModelFeed): boolean {
    const roles = this.members.get(userId)
    if (!roles) return false
    const held = [EVERYONE, ...roles].reduce((all, id) => all | (this.roles.get(id) ?? 0n), 0n)
    if ((held & Permission.ADMINISTRATOR) !== 0n) return true
    const throughRoles = [...roles].map((id) => sights.get(`role ${id}`))
    const inOrder = [
      sights.get(`role ${EVERYONE}`),
      throughRoles.includes('allow') ? 'allow' : throughRoles.includes('deny') ? 'deny' : undefined,
      sights.get(`user ${userId}`),
    ]
    const last = inOrder.findLast((sight) => sight !== undefined)
    return last === undefined ? (held & Permission.VIEW_SPACE) !== 0n : last === 'allow'
  }

  feedsSeenBy(userId: number): ModelFeed[] {
    return [...this.feeds.values()].filter((feed) => this.sees(userId, feed)).sort((a, b) => a.id - b.id)
  }

  viewOf(userId: number): View {
    return new Map(this.feedsSeenBy(userId).map(({ id, messages }) => [id, new Map(messages)]))
  }

  // --- events -------------------------------------------------------------------------------------------------------

  tell(event: string, isFor: (userId: number) => boolean): void {
    for (const session of this.sessions) if (isFor(session.userId)) session.events.push(event)
  }

  tellMembers(event: string): void {
    this.tell(event, (userId) => this.members.has(userId))
  }

  tellViewers(event: string, feed: ModelFeed): void {
    this.tell(event, (userId) => this.sees(userId, feed))
  }

  /**
   * A change of roles, assignments or overrides: its own event goes to all members or to those who had or have sight of
   * `feed`; then single users are told what appears and vanishes for them, feed by feed.
   */
  changeSight(event: string, change: () => void, feed?: ModelFeed): void {
    const users = new Set(this.sessions.map(({ userId }) => userId))
    const before = new Map([...users].map((userId) => [userId, new Set(this.feedsSeenBy(userId))]))
    change()
    const sawOrSees = (userId: number, one: ModelFeed) => before.get(userId)?.has(one) || this.sees(userId, one)
    this.tell(event, (userId) => (feed ? sawOrSees(userId, feed) === true : this.members.has(userId)))
    for (const one of [...this.feeds.values()].sort((a, b) => a.id - b.id)) {
      this.tell(`feed_delete ${one.id}`, (userId) => before.get(userId)?.has(one) === true && !this.sees(userId, one))
      this.tell(`feed_create ${one.id}`, (userId) => before.get(userId)?.has(one) === false && this.sees(userId, one))
    }
  }

  // --- sessions (spec 06, section 5) --------------------------------------------------------------------------------

  open(userId: number): ModelSession {
    const isSecond = this.sessions.some((other) => other.userId === userId && other.lostAt === undefined)
    const session: ModelSession = { userId, events: ['ready'], lostAt: undefined }
    if (isSecond) session.events.push(`presence_update ${userId}`)
    this.sessions.push(session)
    return session
  }

  lose(session: ModelSession, now: number): void {
    session.lostAt = now
    const resumable = this.sessions.filter(({ userId, lostAt }) => userId === session.userId && lostAt !== undefined)
    resumable.sort((a, b) => (a.lostAt ?? 0) - (b.lostAt ?? 0))
    for (const oldest of resumable.slice(0, -MAX_RESUMABLE)) this.forget(oldest)
  }

  forget(session: ModelSession): void {
    this.sessions = this.sessions.filter((other) => other !== session)
  }

  forgetOutlived(now: number): void {
    this.sessions = this.sessions.filter(({ lostAt }) => lostAt === undefined || now - lostAt <= this.#resumeWindow)
  }

  /** How a `resume` from this position ends: with a close code, or undefined if it succeeds. */
  refusal(session: ModelSession, lastSeq: number): 4009 | 4010 | undefined {
    if (!this.sessions.includes(session) || lastSeq > session.events.length) return 4009
    const oldest = Math.max(1, session.events.length - this.#capacity + 1)
    return lastSeq < oldest - 1 ? 4010 : undefined
  }
}
