import type { Happening } from '../events/spaces.ts'

/** What a user is owed because nobody of theirs was there to be told: from the oldest on, some at a time. */
export interface Backlog {
  /** The next ones, at most so many; none when all have been handed over. */
  next(count: number): Promise<readonly Happening[]>
}

/**
 * Knows what users are owed. Where it is shared between processes, so is the knowledge of who has a session.
 */
export interface BacklogSource {
  /** Whether the user may be owed anything. Asked for every new session, so it must not compute. */
  mayOwe(userId: number): boolean
  /**
   * Runs `open`, which must not wait, at a moment at which whatever is owed is known and all that is published later
   * reaches the session that it opens. Rejects with what `open` throws.
   */
  begin(userId: number, open: (backlog: Backlog | undefined) => void): Promise<void>
}

/** Nobody is owed anything. */
export const NO_BACKLOG: BacklogSource = { mayOwe: () => false, begin: async (_userId, open) => open(undefined) }
