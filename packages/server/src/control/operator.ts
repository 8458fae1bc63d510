import { setTimeout as sleep } from 'node:timers/promises'
import type { Logger } from 'pino'
import { systemClock } from '../clock.ts'
import { Config } from '../config/config.ts'
import type { Env } from '../config/environment.ts'
import { openCore } from '../core.ts'
import { DatabaseInUse } from '../db/lock.ts'
import { databaseState } from '../db/open.ts'
import { maskPassword, parseDatabaseUrl } from '../db/url.ts'
import { Refusal } from '../refusal.ts'
import { ask, canConnect } from './client.ts'
import { type InputOf, perform, type ResultOf } from './operation.ts'
import { OPERATIONS } from './operations.ts'
import { controlSocketPath } from './socket-path.ts'

type Table = typeof OPERATIONS

/** Has operations done: by the running server if there is one, otherwise in this process. */
export type Operator = <N extends keyof Table>(name: N, input: InputOf<Table, N>) => Promise<ResultOf<Table, N>>

interface OperatorOptions {
  env: Env
  log: Logger
  /** Whether a database may be made; otherwise one that is not there is a mistake. */
  mayCreate: boolean
}

/** How long a server may take to start or to stop while somebody waits for it. */
const PATIENCE_MS = 3_000
const RETRY_MS = 100

/**
 * Finds whoever can change the community right now. A server that is just starting holds the database before it can be
 * asked, so both ways are tried for a while. `opened` closes what is opened for it.
 */
export async function reachOperator(options: OperatorOptions, opened: AsyncDisposableStack): Promise<Operator> {
  const config = new Config(options.env, options.log)
  const socket = controlSocketPath(config)
  const deadline = Date.now() + PATIENCE_MS
  for (;;) {
    if (socket !== null && (await canConnect(socket))) return remoteOperator(socket)
    await checkDatabase(config.get('database.url'), options)
    try {
      return await localOperator(options, opened)
    } catch (error) {
      if (!(error instanceof DatabaseInUse)) throw error
      if (Date.now() > deadline) throw unreachable(socket, error)
    }
    await sleep(RETRY_MS)
  }
}

const remoteOperator =
  (socket: string): Operator =>
  (name, input) =>
    ask(socket, name, input) as Promise<never>

async function localOperator({ env, log }: OperatorOptions, opened: AsyncDisposableStack): Promise<Operator> {
  const core = await openCore({ env, log, clock: systemClock }, opened)
  return (name, input) => perform(OPERATIONS[name], core, input, core.config.limits) as Promise<never>
}

/** Opening a database makes it and brings it up to date; who only wants to look something up is not to do that. */
async function checkDatabase(url: string, { mayCreate }: OperatorOptions): Promise<void> {
  const target = parseDatabaseUrl(url)
  if (target.engine === 'sqlite' && target.path === null)
    throw new Refusal('The database is in memory, where only its own server reaches it. Name one with --database-url.')
  const state = await databaseState(url)
  if (state === 'outdated')
    throw new Refusal('The database is of an older version. Bring it up to date with "vox migrate".')
  if (state === 'missing' && !mayCreate)
    throw new Refusal(`There is no Vox database at ${maskPassword(url)}. Name another one with --database-url.`)
}

const unreachable = (socket: string | null, cause: unknown): Refusal =>
  new Refusal(
    `A Vox process has this database but does not answer at ${socket}. ` +
      'Run this as the user of the server, with the same VOX_CONTROL_SOCKET.',
    { cause },
  )
