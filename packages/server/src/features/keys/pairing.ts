import { randomBytes } from 'node:crypto'
import type { Clock } from '../../clock.ts'

/** How long a pairing may take, and how long a denial keeps its session from another one (spec 05, section 10.1). */
const LIFETIME_MS = 5 * 60_000

/** Pairings of a user that are under way. */
const MAX_OPEN = 3

/** Pairings of a user that are remembered, over or not, so that what comes late for them is dropped. */
const MAX_REMEMBERED = 32

/** How long one that is over is remembered at least, if there are not too many. */
const REMEMBERED_MS = 60 * 60_000

/** Which auth session of which user. */
export interface Starter {
  userId: number
  sessionId: number
}

/** The states of pairings. A store shared between processes answers later. */
export interface Pairings {
  /** Begins one; gives its id, or undefined while the session has to wait after a denial. */
  start(starter: Starter): string | undefined | Promise<string | undefined>
  /** Answers one; who started it, or undefined when there is nothing for this user to answer. */
  answer(pairId: string, userId: number, approved: boolean): Starter | undefined | Promise<Starter | undefined>
  /** Whether devices of this user may talk to each other under this id; about one that nobody has started they may. */
  mayTalk(pairId: string, userId: number): boolean | Promise<boolean>
  /** Forgets what is long over. */
  forget(): void | Promise<void>
}

interface Pairing extends Starter {
  id: string
  startedAt: number
  /** `ended`: given way to a newer one. */
  state: 'pending' | 'approved' | 'denied' | 'ended'
}

/** The pairings of a single process; a restart forgets them. */
export class LocalPairings implements Pairings {
  readonly #clock: Clock
  readonly #byId = new Map<string, Pairing>()
  readonly #byUser = new Map<number, Pairing[]>()
  /** When a session whose pairing was denied may start another one. */
  readonly #barred = new Map<number, number>()

  constructor(clock: Clock) {
    this.#clock = clock
  }

  start({ userId, sessionId }: Starter): string | undefined {
    const now = this.#clock.now()
    if (now < (this.#barred.get(sessionId) ?? 0)) return undefined
    const others = this.#byUser.get(userId) ?? []
    const open = others.filter((pairing) => this.#isOpen(pairing))
    for (const oldest of open.slice(0, Math.max(0, open.length - MAX_OPEN + 1))) oldest.state = 'ended'
    const id = `pair_${randomBytes(16).toString('base64url')}`
    const pairing: Pairing = { id, userId, sessionId, startedAt: now, state: 'pending' }
    this.#byId.set(id, pairing)
    this.#keep(userId, [...others, pairing])
    return id
  }

  answer(pairId: string, userId: number, approved: boolean): Starter | undefined {
    const pairing = this.#byId.get(pairId)
    if (pairing?.userId !== userId || !this.#isOpen(pairing)) return undefined
    if (pairing.state === 'approved' && approved) return undefined
    pairing.state = approved ? 'approved' : 'denied'
    if (!approved) this.#barred.set(pairing.sessionId, this.#clock.now() + LIFETIME_MS)
    return { userId, sessionId: pairing.sessionId }
  }

  mayTalk(pairId: string, userId: number): boolean {
    const pairing = this.#byId.get(pairId)
    if (!pairing) return true
    return pairing.userId === userId && pairing.state === 'approved' && this.#isOpen(pairing)
  }

  forget(): void {
    const now = this.#clock.now()
    for (const [userId, pairings] of this.#byUser)
      this.#keep(
        userId,
        pairings.filter(({ startedAt }) => now - startedAt < REMEMBERED_MS),
      )
    for (const [sessionId, until] of this.#barred) if (until <= now) this.#barred.delete(sessionId)
  }

  #isOpen({ state, startedAt }: Pairing): boolean {
    return (state === 'pending' || state === 'approved') && this.#clock.now() - startedAt < LIFETIME_MS
  }

  /** These are the user's pairings now, as far as there is room for them. */
  #keep(userId: number, pairings: readonly Pairing[]): void {
    const kept = pairings.slice(-MAX_REMEMBERED)
    for (const { id } of this.#byUser.get(userId) ?? [])
      if (!kept.some((pairing) => pairing.id === id)) this.#byId.delete(id)
    if (kept.length > 0) this.#byUser.set(userId, kept)
    else this.#byUser.delete(userId)
  }
}
