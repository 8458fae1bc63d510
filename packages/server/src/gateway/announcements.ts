import type { Clock } from '../clock.ts'
import { BATCH, type Entry, entriesOf } from './event-batch.ts'
import type { EncodedEvent } from './frames.ts'

/** When more users than this look offline all at once, their network broke, and most will be back in a moment. */
const MANY = 100

/** How long those may take before others are told that they are gone; the protocol wants it well within 5 s. */
const GRACE_MS = 3_000

/** What has become of a user's visible presence since others were last told. */
export interface Change {
  readonly userId: number
  /** What others were told last, and what they are to be told. */
  readonly before: EncodedEvent
  readonly now: EncodedEvent
  readonly isOffline: boolean
  /** When it became what it is now; Unix milliseconds. */
  readonly at: number
  /** The numbers of the first and the last of the changes that it stands for. */
  readonly first: number
  readonly last: number
  /** Whether anybody may have seen what it was in between. */
  isSeen: boolean
}

/** How much a session has been told by its snapshot: what came of these changes and, maybe, of those up to a later one. */
export interface Knowledge {
  readonly of: number
  readonly maybeOf: number
}

export const NOTHING: Knowledge = { of: 0, maybeOf: 0 }

/** Whether it is news to a session that knows this much of presences beside what it was told with everybody. */
function isNews({ before, now, first, last, isSeen }: Change, known: Knowledge): boolean {
  if (last <= known.of) return false
  // Who has seen what it was in between has to be told, also if it is again what it was before.
  return isSeen || first <= known.maybeOf || now.head !== before.head
}

/** Some changes, and what sessions are told of them: most of them the same. */
class Part {
  readonly usual: Entry | undefined
  readonly #changes: readonly Change[]
  readonly #oldest: number

  constructor(changes: readonly Change[]) {
    this.#changes = changes
    this.#oldest = Math.min(...changes.map(({ first }) => first))
    this.usual = this.#entryFor(NOTHING, undefined)
  }

  /** What is news to a session that knows this much, but for what concerns hidden users. */
  newsFor(known: Knowledge, hidden: ReadonlySet<number> | undefined): Entry | undefined {
    const hides = hidden && this.#changes.some(({ userId }) => hidden.has(userId))
    return known.maybeOf < this.#oldest && !hides ? this.usual : this.#entryFor(known, hidden)
  }

  #entryFor(known: Knowledge, hidden: ReadonlySet<number> | undefined): Entry | undefined {
    const news = this.#changes.filter((change) => isNews(change, known) && !hidden?.has(change.userId))
    const [entry] = entriesOf(news.map(({ now }) => now))
    return entry
  }
}

/** The changes in parts that are told as one entry each. */
export function partsOf(changes: readonly Change[]): Part[] {
  const parts: Part[] = []
  for (let i = 0; i < changes.length; i += BATCH) parts.push(new Part(changes.slice(i, i + BATCH)))
  return parts
}

/**
 * Visible presences that have changed and wait for others to be told together: when thousands come at once, each of
 * them is told of all others, and what the waiting saves is millions of single events. Who is back at what they were
 * has not changed at all.
 */
export class Announcements {
  readonly #clock: Clock
  readonly #patience: number
  readonly #tell: (changes: readonly Change[]) => void
  /** By user, in the order of their last change. */
  readonly #waiting = new Map<number, Change>()
  #count = 0
  #offline = 0
  #isScheduled = false

  constructor(clock: Clock, patience: number, tell: (changes: readonly Change[]) => void) {
    this.#clock = clock
    this.#patience = patience
    this.#tell = tell
  }

  /** How many changes there have been. */
  get count(): number {
    return this.#count
  }

  add(userId: number, before: EncodedEvent, now: EncodedEvent, isOffline: boolean): void {
    const earlier = this.#take(userId)
    const last = ++this.#count
    const { first = last, before: told = before, isSeen = false } = earlier ?? {}
    this.#waiting.set(userId, { userId, before: told, now, isOffline, at: this.#clock.now(), first, last, isSeen })
    if (isOffline) this.#offline++
    if (this.#patience > 0) this.#schedule()
    else this.#announce()
  }

  /** Whether others have yet to be told of the user. */
  isWaiting(userId: number): boolean {
    return this.#waiting.has(userId)
  }

  /** Somebody learns by other means what the user is now. */
  seen(userId: number): void {
    const change = this.#waiting.get(userId)
    if (change) change.isSeen = true
  }

  #take(userId: number): Change | undefined {
    const change = this.#waiting.get(userId)
    this.#waiting.delete(userId)
    if (change?.isOffline) this.#offline--
    return change
  }

  #schedule(): void {
    if (this.#isScheduled) return
    this.#isScheduled = true
    this.#clock.after(this.#patience, () => {
      this.#isScheduled = false
      this.#announce()
      if (this.#waiting.size > 0) this.#schedule()
    })
  }

  #announce(): void {
    const notSince = this.#clock.now() - (this.#offline > MANY ? GRACE_MS : 0)
    const due = [...this.#waiting.values()].filter(({ isOffline, at }) => !isOffline || at <= notSince)
    for (const { userId } of due) this.#take(userId)
    if (due.length > 0) this.#tell(due)
  }
}
