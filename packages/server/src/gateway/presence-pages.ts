import { BATCH, EventBatch } from './event-batch.ts'
import type { EncodedEvent } from './frames.ts'

/**
 * The users who do not look offline, in pages of the size in which new sessions are told of them. A page is made into
 * a batch once for all sessions, until somebody on it changes; so a snapshot costs a newcomer one reference per page.
 * Users stay on their page as long as they are visible, so that whoever goes from page to page meets each of them.
 */
export class PresencePages {
  readonly #pageOf = new Map<number, PresencePage>()
  readonly #pages = new Set<PresencePage>()
  readonly #withRoom = new Set<PresencePage>()

  get(userId: number): EncodedEvent | undefined {
    return this.#pageOf.get(userId)?.users.get(userId)
  }

  set(userId: number, event: EncodedEvent): void {
    const page = this.#pageOf.get(userId) ?? this.#pageWithRoom()
    this.#pageOf.set(userId, page)
    page.set(userId, event)
    if (page.users.size === BATCH) this.#withRoom.delete(page)
  }

  delete(userId: number): void {
    const page = this.#pageOf.get(userId)
    if (!page) return
    this.#pageOf.delete(userId)
    page.delete(userId)
    this.#withRoom.add(page)
    if (page.users.size > 0) return
    this.#withRoom.delete(page)
    this.#pages.delete(page)
  }

  /** The pages of now and those that come while they are gone through. */
  [Symbol.iterator](): IterableIterator<PresencePage> {
    return this.#pages.values()
  }

  #pageWithRoom(): PresencePage {
    for (const page of this.#withRoom) return page
    const page = new PresencePage()
    this.#pages.add(page)
    this.#withRoom.add(page)
    return page
  }
}

export class PresencePage {
  /** What is told of each. */
  readonly users = new Map<number, EncodedEvent>()
  #batch: EventBatch | undefined

  set(userId: number, event: EncodedEvent): void {
    this.users.set(userId, event)
    this.#batch = undefined
  }

  delete(userId: number): void {
    this.users.delete(userId)
    this.#batch = undefined
  }

  /** All of it, as it is told to whoever sees all of it. */
  batch(): EventBatch {
    this.#batch ??= new EventBatch(this.without([]))
    return this.#batch
  }

  /** Whether any of these users is on it. */
  hasAny(userIds: readonly number[]): boolean {
    return userIds.some((userId) => this.users.has(userId))
  }

  without(userIds: readonly number[]): EncodedEvent[] {
    const events: EncodedEvent[] = []
    for (const [userId, event] of this.users) if (!userIds.includes(userId)) events.push(event)
    return events
  }
}
