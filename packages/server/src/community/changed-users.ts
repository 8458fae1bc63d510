/** So many users are worth catching up with one by one; beyond, whoever is behind may as well start afresh. */
const MAX_REMEMBERED = 4096

/**
 * Which users an answer about everybody may have changed for, so that whoever keeps such an answer need not work it out
 * again for the others. A position is the count of changes so far.
 */
export class ChangedUsers {
  /** The users of the last changes; those before it are forgotten. */
  #users: number[] = []
  #forgotten = 0

  /** Rises with every change. */
  get position(): number {
    return this.#forgotten + this.#users.length
  }

  /** Something changed for this user alone. */
  add(userId: number): void {
    if (this.#users.length === MAX_REMEMBERED) this.addAll()
    this.#users.push(userId)
  }

  /** Something changed for everybody. */
  addAll(): void {
    this.#forgotten = this.position + 1
    this.#users = []
  }

  /** The users for whom something changed since that position; undefined when that may be anybody. */
  since(position: number): readonly number[] | undefined {
    return position < this.#forgotten ? undefined : this.#users.slice(position - this.#forgotten)
  }
}
