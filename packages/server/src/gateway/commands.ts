import { DecodeError, decode, type GatewayCommand, type InputOf, type Limits } from '@vox/protocol'
import type { Message } from './envelope.ts'
import { CommandError } from './failures.ts'
import type { Session } from './session.ts'

/** What a command does; throws a {@link CommandError} to refuse it. Later messages of the connection wait for it. */
export type CommandHandler<C extends GatewayCommand> = (session: Session, input: InputOf<C>) => void | Promise<void>

/** What authenticated clients may ask for. Each feature adds its commands; types that nobody added are ignored. */
export class Commands {
  readonly #limits: () => Limits
  readonly #runners = new Map<string, (session: Session, d: unknown) => void | Promise<void>>()

  constructor(limits: () => Limits) {
    this.#limits = limits
  }

  on<C extends GatewayCommand>(command: C, handle: CommandHandler<C>): void {
    for (const type of [command.type, ...command.aliases])
      this.#runners.set(type, (session, d) => handle(session, this.#decode(command, d)))
  }

  run(session: Session, { type, d }: Message): void | Promise<void> {
    return type === undefined ? undefined : this.#runners.get(type)?.(session, d)
  }

  #decode<C extends GatewayCommand>(command: C, d: unknown): InputOf<C> {
    try {
      return decode(command.data, d, this.#limits()) as InputOf<C>
    } catch (error) {
      if (!(error instanceof DecodeError)) throw error
      throw new CommandError(command.refusals[error.field] ?? 'VALIDATION_ERROR', error.message)
    }
  }
}
