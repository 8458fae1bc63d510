import { ChangedUsers } from '../community/changed-users.ts'
import type { Session } from './session.ts'

/** All sessions, live and resumable, by id and by user. */
export class SessionTable {
  readonly #byId = new Map<string, Session>()
  readonly #byUser = new Map<number, readonly Session[]>()
  /** Whose sessions have been added or removed. */
  readonly changed = new ChangedUsers()

  add(session: Session): void {
    this.#byId.set(session.id, session)
    // A literal with a spread would leave room for more, which almost nobody needs.
    this.#byUser.set(session.userId, this.of(session.userId).concat(session))
    this.changed.add(session.userId)
  }

  remove(session: Session): void {
    this.#byId.delete(session.id)
    const others = this.of(session.userId).filter((other) => other !== session)
    if (others.length > 0) this.#byUser.set(session.userId, others)
    else this.#byUser.delete(session.userId)
    this.changed.add(session.userId)
  }

  find(id: string): Session | undefined {
    return this.#byId.get(id)
  }

  of(userId: number): readonly Session[] {
    return this.#byUser.get(userId) ?? []
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
