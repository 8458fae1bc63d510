import type { Logger } from 'pino'
import type { Clock } from './clock.ts'
import type { Community } from './community/community.ts'
import { loadCommunity } from './community/load.ts'
import { Config } from './config/config.ts'
import type { Env } from './config/environment.ts'
import { loadSettings } from './config/store.ts'
import type { Database } from './db/database.ts'
import { type DatabaseOptions, openDatabase } from './db/open.ts'
import { largestSnowflake } from './db/snowflakes.ts'
import { type EventBus, LocalBus } from './events/bus.ts'
import { UnitOfWork } from './events/work.ts'
import { type PasswordCost, Passwords } from './features/auth/passwords.ts'
import { Sessions } from './features/auth/sessions.ts'
import { SnowflakeSource } from './ids.ts'

export interface CoreOptions {
  /** The environment variables that configure the server. */
  env: Env
  log: Logger
  clock: Clock
  passwordCost?: PasswordCost | undefined
  bus?: EventBus | undefined
}

/** The community's state and what may change it: a server without its network. */
export interface Core {
  config: Config
  log: Logger
  clock: Clock
  db: Database
  ids: SnowflakeSource
  community: Community
  work: UnitOfWork
  sessions: Sessions
  passwords: Passwords
}

/** Opens the database, which nobody else may have open, and loads what is kept in memory. `opened` closes it. */
export async function openCore(
  { env, log, clock, passwordCost, bus = new LocalBus() }: CoreOptions,
  opened: AsyncDisposableStack,
): Promise<Core & { bus: EventBus }> {
  const config = new Config(env, log)
  const db = opened.adopt(await openDatabase(config.get('database.url'), databaseOptions(config, log)), (database) =>
    database.close(),
  )
  config.load(await loadSettings(db.read))
  const community = await loadCommunity(db.read)
  const ids = new SnowflakeSource(clock, config.get('server.worker_id'), await largestSnowflake(db.read))
  const work = new UnitOfWork(db, { ids, bus, community })
  const sessions = new Sessions({ db, clock, community, ttlDays: () => config.get('auth.session_ttl_days') })
  return { config, log, clock, db, ids, community, bus, work, sessions, passwords: new Passwords(passwordCost) }
}

function databaseOptions(config: Config, log: Logger): DatabaseOptions {
  return {
    poolSize: config.get('database.pool_size'),
    maxOverflow: config.get('database.max_overflow'),
    poolRecycleSeconds: config.get('database.pool_recycle'),
    onMigration: (migration) =>
      log.info({ migration }, 'converting the database, which takes longer the more it holds'),
    onError: (err) => log.error({ err }, 'an effect of a committed change failed'),
    onLockLost: () => {
      log.fatal('another process has taken over the database; this one stops')
      process.exit(1)
    },
  }
}
