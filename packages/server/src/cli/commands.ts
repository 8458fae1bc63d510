import { ADMIN } from './admin.ts'
import { backup, restore } from './backup.ts'
import type { Command } from './command.ts'
import { CONFIG } from './config.ts'
import { doctor } from './doctor.ts'
import { migrate } from './migrate.ts'
import { migrateData } from './migrate-data.ts'
import { serve } from './serve.ts'

/** Every command, the default one first. */
export const COMMANDS: readonly [Command, ...Command[]] = [
  serve,
  migrate,
  migrateData,
  ...ADMIN,
  ...CONFIG,
  backup,
  restore,
  doctor,
]
