import { pino } from 'pino'
import { Config, type SettingEntry } from '../../src/config/config.ts'
import { Absence, type Deployment, LiveServer } from '../../src/doctor/deployment.ts'
import type { Machine } from '../../src/doctor/machine.ts'
import { VERSION } from '../../src/version.ts'

/** A deployment as the doctor's checks see it: a database that is up to date, no server, a machine that knows nothing. */
export function deploymentWith(env: Record<string, string> = {}, facts: Partial<Deployment> = {}): Deployment {
  const config = new Config(env, pino({ level: 'silent' }))
  return {
    config,
    env,
    machine: machineWith({}),
    backups: undefined,
    database: { state: 'current' },
    server: new Absence('No server answers.'),
    gateway: URL.parse(env.VOX_SERVER_GATEWAY_URL ?? '') ?? undefined,
    ...facts,
  }
}

/** A machine with these files, where every program prints the same. */
export function machineWith({
  files = {},
  prints,
  records = [],
  free = {},
}: {
  files?: Record<string, string>
  prints?: string
  records?: string[]
  /** Free bytes by folder. */
  free?: Record<string, number>
}): Machine {
  return {
    read: async (path) => files[path],
    run: async () => prints,
    freeBytes: async (folder) => free[folder],
    textRecords: async () => records,
  }
}

/** A server that would answer like this. */
export class FakeServer extends LiveServer {
  readonly #settings: SettingEntry[]

  constructor(settings: SettingEntry[] = [], status: { version?: string; uid?: number | null } = {}) {
    super('', { version: VERSION, pid: 7, uid: process.getuid?.() ?? null, url: 'http://127.0.0.1:8000', ...status })
    this.#settings = settings
  }

  override async settings(): Promise<SettingEntry[]> {
    return this.#settings
  }
}
