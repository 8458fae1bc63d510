import type { Interaction } from './interaction.ts'

/**
 * The interactions that wait for an answer. Whoever begins one takes it out when its time is over, so nothing here
 * needs a clock. With several processes it has to be one that they share.
 */
export interface OpenInteractions {
  put(interaction: Interaction): Promise<void>
  find(id: string): Promise<Interaction | undefined>
  /** Takes an interaction out; of several who want it, one gets it. */
  take(id: string): Promise<Interaction | undefined>
}

/** Those of a single process. */
export class LocalInteractions implements OpenInteractions {
  readonly #open = new Map<string, Interaction>()

  async put(interaction: Interaction): Promise<void> {
    this.#open.set(interaction.id, interaction)
  }

  async find(id: string): Promise<Interaction | undefined> {
    return this.#open.get(id)
  }

  async take(id: string): Promise<Interaction | undefined> {
    const interaction = this.#open.get(id)
    this.#open.delete(id)
    return interaction
  }
}
