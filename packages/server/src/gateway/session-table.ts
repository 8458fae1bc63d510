import { ChangedUsers } from '../community/changed-users.ts'
import { Session } from './session.ts'

/** All sessions, live and resumable, by id and by user. */
export class SessionTable {
  readonly #byId = new Map<string, Session>()
  /** An array only where there are several: most users have one session, and an array for it would take 56 bytes. */
  readonly #byUser = new Map<number, Session | readonly Session[]>()
  /** Whose sessions have been added or removed. */
  readonly changed = new ChangedUsers()

  add(session: Session): void {
    this.#byId.set(session.id, session)
    this.#keep(session.userId, [...this.of(session.userId), session])
    this.changed.add(session.userId)
  }

  remove(session: Session): void {
    this.#byId.delete(session.id)
    this.#keep(
      session.userId,
      this.of(session.userId).filter((other) => other !== session),
    )
    this.changed.add(session.userId)
  }

  #keep(userId: number, sessions: readonly Session[]): void {
    const [first, ...others] = sessions
    if (first) this.#byUser.set(userId, others.length > 0 ? sessions : first)
    else this.#byUser.delete(userId)
  }

  find(id: string): Session | undefined {
    return this.#byId.get(id)
  }

  of(userId: number): readonly Session[] {
    const sessions = this.#byUser.get(userId) ?? []
    return sessions instanceof Session ? [sessions] : sessions
  }

  /** Users with at least one session. */
  userIds(): Iterable<number> {
    return this.#byUser.keys()
  }

  all(): Iterable<Session> {
    return this.#byId.values()
  }

  get size(): number {
    return this.#byId.size
  }
}
