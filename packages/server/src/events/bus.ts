import type { DataOf, GatewayEvent } from '@vox/protocol'
import type { Audience } from './audience.ts'

/** An event on its way to the gateway sessions of its audience. */
export interface Published<E extends GatewayEvent = GatewayEvent> {
  event: E
  data: DataOf<E>
  audience: Audience
}

/**
 * Carries events from the units of work to whoever delivers them, in the order of publication. The audience is
 * resolved by the receiver while `publish` runs, so it reflects the community as it is right then.
 */
export interface EventBus {
  publish(published: Published): void
  /** `listeners` are the users to whom this receiver would hand an event on at the moment. */
  subscribe(receive: (published: Published) => void, listeners?: () => Iterable<number>): void
  /** Users whom an event would reach at the moment. */
  listeners(): Iterable<number>
}

/** The bus of a single process: a direct call. */
export class LocalBus implements EventBus {
  readonly #receivers: ((published: Published) => void)[] = []
  readonly #listeners: (() => Iterable<number>)[] = []

  publish(published: Published): void {
    for (const receive of this.#receivers) receive(published)
  }

  subscribe(receive: (published: Published) => void, listeners: () => Iterable<number> = () => []): void {
    this.#receivers.push(receive)
    this.#listeners.push(listeners)
  }

  listeners(): Set<number> {
    return new Set(this.#listeners.flatMap((listeners) => [...listeners()]))
  }
}
