/**
 * What sets single accounts apart from the rest, whether they are members or not. Of ordinary local people there is
 * nothing here, so the sets stay small.
 */
export class Accounts {
  /** They may not come back. */
  readonly banned = new Set<number>()
  /** Programs. */
  readonly bots = new Set<number>()
  /** Shadows of users of other servers; as members they are guests. */
  readonly remote = new Set<number>()

  /** Whether a person of this server is behind the account. */
  isLocalPerson(userId: number): boolean {
    return !this.bots.has(userId) && !this.remote.has(userId)
  }
}
