import type { CloseReason, Limits } from '@vox/protocol'
import { SlidingWindow } from './sliding-window.ts'

/** Client addresses whose failures are remembered; the longest known one gives way to a new one. */
const MAX_FAILING_GROUPS = 10_000

/** Sockets in one state, in total and by group of client addresses; those without a known address count in total only. */
class Tally {
  #total = 0
  readonly #byGroup = new Map<string, number>()

  get total(): number {
    return this.#total
  }

  of(group: string | undefined): number {
    return group === undefined ? 0 : (this.#byGroup.get(group) ?? 0)
  }

  change(group: string | undefined, by: 1 | -1): void {
    this.#total += by
    if (group === undefined) return
    const count = this.of(group) + by
    if (count === 0) this.#byGroup.delete(group)
    else this.#byGroup.set(group, count)
  }
}

/** One socket's place in the counts: among the waiting, then among the live, then nowhere. */
export class Place {
  /** The addresses it counts with; undefined when the client's is not known. */
  readonly group: string | undefined
  #tally: Tally | undefined

  constructor(group: string | undefined) {
    this.group = group
  }

  moveTo(tally: Tally | undefined): void {
    this.#tally?.change(this.group, -1)
    this.#tally = tally
    tally?.change(this.group, 1)
  }
}

/** How many sockets there may be, and who tried too many wrong tokens (spec 06, section 7). */
export class Admission {
  readonly #limits: () => Limits
  /** Sockets that have not identified yet. */
  readonly waiting = new Tally()
  /** Sockets that have. */
  readonly live = new Tally()
  readonly #failures = new Map<string, SlidingWindow>()

  constructor(limits: () => Limits) {
    this.#limits = limits
  }

  /** Why one more socket may not even identify, if so. */
  refuseSocket(group: string | undefined): CloseReason | undefined {
    const { connections_per_ip: perGroup, max_total_connections: total } = this.#limits()
    if (perGroup > 0 && this.waiting.of(group) >= 2 * perGroup) return 'RATE_LIMITED'
    return this.waiting.total >= Math.max(100, total / 10) ? 'SERVER_FULL' : undefined
  }

  /** Why one more connection of a user with so many live sessions may not go live, if so. */
  refuseConnection(group: string | undefined, sessionsOfUser: number): CloseReason | undefined {
    const limits = this.#limits()
    if (this.live.total >= limits.max_total_connections) return 'SERVER_FULL'
    if (limits.connections_per_ip > 0 && this.live.of(group) >= limits.connections_per_ip) return 'RATE_LIMITED'
    return limits.sessions_per_user > 0 && sessionsOfUser >= limits.sessions_per_user ? 'RATE_LIMITED' : undefined
  }

  /** Whether too many logins from there failed lately. */
  isFailing(group: string | undefined, now: number): boolean {
    const failures = group === undefined ? undefined : this.#failures.get(group)
    return failures !== undefined && failures.count(now) >= this.#limits().gateway_auth_failures_per_minute
  }

  /** Counts a failed login. */
  failed(group: string | undefined, now: number): void {
    if (group === undefined) return
    let failures = this.#failures.get(group)
    if (!failures) {
      const [longestKnown] = this.#failures.keys()
      if (this.#failures.size >= MAX_FAILING_GROUPS && longestKnown !== undefined) this.#failures.delete(longestKnown)
      failures = new SlidingWindow()
      this.#failures.set(group, failures)
    }
    failures.add(now)
  }

  /** Forgets failures that no longer count. */
  sweep(now: number): void {
    for (const [group, failures] of this.#failures) if (failures.count(now) === 0) this.#failures.delete(group)
  }
}
