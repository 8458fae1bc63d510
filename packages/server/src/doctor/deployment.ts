import { randomUUID } from 'node:crypto'
import { type Logger, pino } from 'pino'
import { Config, type SettingEntry, type SettingRow } from '../config/config.ts'
import type { Env } from '../config/environment.ts'
import { loadSettings } from '../config/store.ts'
import { ask, canConnect } from '../control/client.ts'
import type { Status } from '../control/inquiries.ts'
import type { Sighting } from '../control/probes.ts'
import { controlSocketPath } from '../control/socket-path.ts'
import { databaseState, readDatabase } from '../db/open.ts'
import { type Machine, thisMachine } from './machine.ts'

const silent: Logger = pino({ level: 'silent' })

/** What the checks look at: the settings, the database, the running server if there is one, the way clients come. */
export interface Deployment {
  config: Config
  env: Env
  machine: Machine
  /** Folder of backups, if it was given. */
  backups: string | undefined
  database: DatabaseFacts
  server: LiveServer | Absence
  /** The URL that clients are told, if one is set. */
  gateway: URL | undefined
}

export type DatabaseFacts =
  | { state: 'missing' | 'outdated' | 'current'; failure?: undefined }
  /** Why nothing can be said about it. */
  | { state: 'unknown'; failure: string }

/**
 * Gathers what all checks need. Nothing is changed, and the database stays free for its server.
 *
 * @throws ConfigError when the environment cannot be used.
 */
export async function inspect(
  env: Env,
  { backups, machine = thisMachine }: { backups?: string | undefined; machine?: Machine } = {},
): Promise<Deployment> {
  const config = new Config(env, silent)
  const database = await databaseFacts(config.get('database.url'))
  if (database.state === 'current') config.load(await settingsIn(config.get('database.url')))
  return {
    config,
    env,
    machine,
    backups,
    database,
    server: await findServer(config),
    gateway: URL.parse(config.get('server.gateway_url') ?? '') ?? undefined,
  }
}

async function databaseFacts(url: string): Promise<DatabaseFacts> {
  try {
    return { state: await databaseState(url) }
  } catch (error) {
    return { state: 'unknown', failure: (error as Error).message }
  }
}

const settingsIn = async (url: string): Promise<SettingRow[]> => (await readDatabase(url, loadSettings)) ?? []

/** No server can be asked. */
export class Absence {
  readonly reason: string

  constructor(reason: string) {
    this.reason = reason
  }
}

/** A server that runs with these settings, asked over its control socket. */
export class LiveServer {
  readonly status: Status
  readonly #socket: string

  constructor(socket: string, status: Status) {
    this.#socket = socket
    this.status = status
  }

  /** Its settings, as the operator sees them. */
  async settings(): Promise<SettingEntry[]> {
    return (await ask(this.#socket, 'config/list', {})) as SettingEntry[]
  }

  /** Does something that sends a request with a mark; gives what came of it, and how it arrived: null if it did not. */
  async watch<T>(act: (mark: string) => Promise<T>): Promise<{ answer: T; sighting: Sighting | null }> {
    const mark = randomUUID()
    await ask(this.#socket, 'probe/expect', { mark })
    const answer = await act(mark)
    const sighting = (await ask(this.#socket, 'probe/sighting', { mark })) as Sighting | null
    return { answer, sighting }
  }
}

async function findServer(config: Config): Promise<LiveServer | Absence> {
  try {
    const socket = controlSocketPath(config)
    if (socket === null) return new Absence('A server with its database in memory cannot be asked.')
    if (!(await canConnect(socket))) return new Absence(`No server answers at ${socket}.`)
    return new LiveServer(socket, (await ask(socket, 'status', {})) as Status)
  } catch (error) {
    return new Absence((error as Error).message)
  }
}
