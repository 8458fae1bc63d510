/** What is known of a bot beside its account. */
export interface Bot {
  botId: number
  ownerId: number
  /** Where its interactions are posted; null for one that gets them over the gateway. */
  interactionUrl: string | null
}

/**
 * What sets single accounts apart from the rest, whether they are members or not. Of ordinary local people there is
 * nothing here, so the sets stay small.
 */
export class Accounts {
  /** They may not come back. */
  readonly banned = new Set<number>()
  /** Programs, by the user id of their account. */
  readonly bots = new Map<number, Bot>()
  /** Shadows of users of other servers; as members they are guests. */
  readonly remote = new Set<number>()

  /** Whether a person of this server is behind the account. */
  isLocalPerson(userId: number): boolean {
    return !this.bots.has(userId) && !this.remote.has(userId)
  }
}
