import { Config } from '../config/config.ts'
import { createLog, logFormat } from '../log.ts'
import type { Command, Invocation } from './command.ts'

export const migrate: Command = {
  name: 'migrate',
  summary: 'Bring the database up to date. The server does so at each start; this does it beforehand.',
  flags: {
    'database-url': { setting: 'database.url', value: 'URL' },
    'dry-run': { doc: 'Only say what would be done.' },
  },
  examples: [
    ['vox migrate --dry-run', 'Say what an upgrade would change, also while the server runs.'],
    ['vox migrate', 'Change it, while the server is stopped.'],
  ],
  run,
}

async function run({ env, flags, out, err }: Invocation): Promise<void> {
  const config = new Config(env, createLog(logFormat(env, err.isTTY ?? false)))
  const { migrateDatabase, pendingMigrations } = await import('../db/open.ts')
  const isDryRun = flags['dry-run'] === true
  const url = config.get('database.url')
  const announce = (name: string) => void out.write(`applying ${name} …\n`)
  const names = await (isDryRun ? pendingMigrations(url) : migrateDatabase(url, undefined, announce))
  for (const name of names) out.write(`${isDryRun ? 'would apply' : 'applied'} ${name}\n`)
  if (names.length === 0) out.write('The database is up to date.\n')
}
