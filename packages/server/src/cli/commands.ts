import { ADMIN } from './admin.ts'
import type { Command } from './command.ts'
import { CONFIG } from './config.ts'
import { migrate } from './migrate.ts'
import { serve } from './serve.ts'

/** Every command, the default one first. */
export const COMMANDS: readonly [Command, ...Command[]] = [serve, migrate, ...ADMIN, ...CONFIG]
