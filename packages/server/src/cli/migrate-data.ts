import { invalid } from '../config/environment.ts'
import { SETTINGS } from '../config/settings.ts'
import type { Watch } from '../transfer/copy.ts'
import { type Command, type Invocation, UsageError } from './command.ts'
import { columns } from './table.ts'

/** How often a long copy says how far it is. */
const INTERVAL_MS = 2_000

export const migrateData: Command = {
  name: 'migrate-data',
  summary: 'Copy a whole database to another one, from SQLite to PostgreSQL or back, while the server is stopped.',
  flags: {
    from: { doc: 'The database to copy; it is only read.', value: 'URL' },
    to: { doc: 'An empty database, or one that this command was interrupted on, to go on there.', value: 'URL' },
  },
  examples: [
    [
      'vox migrate-data --from sqlite:////var/lib/vox/vox.db --to postgresql://vox@localhost/vox',
      'Move to PostgreSQL, with the password in PGPASSWORD. Then set VOX_DATABASE_URL and start the server.',
    ],
  ],
  async run(invocation) {
    const [from, to] = [databaseUrl(invocation, 'from'), databaseUrl(invocation, 'to')]
    const { transfer } = await import('../transfer/transfer.ts')
    const copied = await transfer(from, to, sayProgress(invocation))
    const lines = copied.map(({ table, rows, sha256 }) => [table, String(rows), sha256])
    invocation.out.write(columns([['TABLE', 'ROWS', 'SHA-256'], ...lines]))
    invocation.out.write('Every row is the same on both sides. Set VOX_DATABASE_URL and start the server.\n')
  },
}

function databaseUrl({ flags }: Invocation, flag: 'from' | 'to'): string {
  const url = flags[flag]
  if (typeof url !== 'string')
    throw new UsageError(`--${flag} is missing. Run "vox help migrate-data" to see the flags.`)
  const setting = SETTINGS['database.url']
  if (setting.kind.parse(url) === undefined) throw new UsageError(invalid(`--${flag}`, url, setting))
  return url
}

function sayProgress({ err }: Invocation): Watch {
  let saidAt = Date.now()
  return ({ work, table, done, total }) => {
    if (Date.now() - saidAt < INTERVAL_MS) return
    saidAt = Date.now()
    err.write(`${work} ${table}: ${done} of ${total} rows (${Math.floor((100 * done) / total)} %)\n`)
  }
}
