import type { Readable } from 'node:stream'
import type { Env } from '../config/environment.ts'
import type { SettingName } from '../config/settings.ts'

/** A flag that overrides a setting, which also explains it, or one that only its command knows. */
export type Flag =
  | { setting: SettingName; value: string }
  /** Without the name of a value it is either given or not. */
  | { doc: string; value?: string }

/** Where a command talks to whoever called it. */
export interface Terminal {
  in: Input
  out: Output
  err: Output
}

export type Input = Readable & { isTTY?: boolean }

interface Output {
  write(text: string): unknown
  isTTY?: boolean
}

/** One call of a command, its flags checked. */
export interface Invocation extends Terminal {
  /** The environment with what the flags override. */
  env: Env
  /** The flags that are given and override no setting. */
  flags: Readonly<Record<string, string | boolean>>
  /** What follows the flags. */
  operands: readonly string[]
}

/** What `vox NAME` does. */
export interface Command {
  /** One word, or two where the first one says what the command is about. */
  name: string
  /** One sentence for the overview. */
  summary: string
  /** What follows the name, for example `FILE` or `NAME [VALUE]`; without it nothing may. */
  operands?: string
  flags: Readonly<Record<string, Flag>>
  /** What the help shows below the flags: calls with what each of them does. */
  examples: readonly (readonly [call: string, meaning: string])[]
  /** Runs until the command is done; throws what the caller is told. */
  run(invocation: Invocation): Promise<void>
}

/** The command line is wrong; the message says how. */
export class UsageError extends Error {
  constructor(message: string) {
    super(message)
    this.name = 'UsageError'
  }
}
