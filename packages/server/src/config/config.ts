import { LIMITS, type Limits, RATE_LIMITS, type RateCategory, type RateLimit } from '@vox/protocol'
import type { Logger } from 'pino'
import { type Env, interpret, invalid, type Parsed, readEnvironment } from './environment.ts'
import { ALL_SETTINGS, SETTINGS, type Setting, type SettingName, type Settings, type StoredName } from './settings.ts'
import { type Source, Tiers, type Winner } from './tiers.ts'

/** A row of the table `settings`. */
export interface SettingRow {
  key: string
  value: string
}

/** New texts of database rows; null deletes the row. */
export type SettingChanges = ReadonlyMap<StoredName, string | null>

/** A value as administrators see and write it. */
export type Shown = string | number | boolean | null

/** The settings with a database row as administrators see them, without secrets (spec 01, section 10.6). */
export interface Listing {
  config: Record<string, Shown>
  /** Names of settings that the environment fixes. */
  from_environment: string[]
}

/** A setting as the operator sees it. */
export interface SettingEntry {
  name: SettingName
  /** The environment variable. */
  variable: string
  value: Shown
  source: Source
}

/** The environment cannot be used; the message says everything that is wrong with it. */
export class ConfigError extends Error {
  readonly problems: readonly string[]

  constructor(problems: readonly string[]) {
    super(problems.join('\n'))
    this.name = 'ConfigError'
    this.problems = problems
  }
}

/** A change of a setting that is refused; the message says why and never shows a secret. */
export class InvalidSetting extends Error {
  constructor(message: string) {
    super(message)
    this.name = 'InvalidSetting'
  }
}

const STORED = ALL_SETTINGS.filter(([, { key }]) => key !== undefined) as readonly (readonly [StoredName, Setting])[]

const NAME_BY_KEY = new Map(STORED.map(([name, { key }]) => [key, name]))

/** The setting that an administrator means by a dotted name or database key; none if only the environment holds it. */
export function storedSetting(nameOrKey: string): StoredName | undefined {
  return NAME_BY_KEY.get(nameOrKey) ?? STORED.find(([name]) => name === nameOrKey)?.[0]
}

/** The setting that an operator means by its name, its database key or its variable. */
export function settingNamed(text: string): SettingName | undefined {
  return ALL_SETTINGS.find(([name, { key, env }]) => [name, key, env].includes(text))?.[0]
}

/**
 * The settings in force.
 *
 * A config is made from the environment alone, because that says where the database is; `load` adds the rows. From then
 * on it changes through `update` only, which is called when changed rows have been committed. Whoever keeps something
 * derived from a value listens for changes.
 */
export class Config {
  /** Numbers of the rate-limit categories; the environment sets them, so they never change. */
  readonly rateLimits: Readonly<Record<RateCategory, RateLimit>>
  readonly #log: Logger
  readonly #listeners: ((changed: ReadonlySet<SettingName>) => void)[] = []
  #tiers: Tiers
  #values: Settings
  #limits: Limits

  /** @throws ConfigError naming every variable that is not valid. */
  constructor(env: Env, log: Logger) {
    const { settings, problems, warnings } = readEnvironment(env)
    const tiers = new Tiers(settings)
    // A limit that the environment leaves open may yet come from the database; `load` looks at such pairs.
    const conflicts = tiers.conflicts().filter((pair) => pair.every((name) => settings.has(name)))
    problems.push(...conflicts.map((pair) => tiers.explain(pair)))
    if (problems.length > 0) throw new ConfigError(problems)
    for (const warning of warnings) log.warn(warning)
    this.#log = log
    this.#tiers = tiers
    this.#values = tiers.values()
    this.#limits = section(this.#values, 'limits', LIMITS)
    this.rateLimits = section(this.#values, 'ratelimit', RATE_LIMITS)
  }

  get<N extends SettingName>(name: N): Settings[N] {
    return this.#values[name]
  }

  /** All limits by bare name; another object after each change, so read it anew for each use. */
  get limits(): Limits {
    return this.#limits
  }

  source(name: SettingName): Source {
    return this.#tiers.winner(name).source
  }

  listing(): Listing {
    const shown = STORED.filter(([, { secret }]) => !secret).map(([name]) => [name, show(this.#tiers.winner(name))])
    const fixed = STORED.filter(([name]) => this.source(name) === 'environment')
    return { config: Object.fromEntries(shown), from_environment: fixed.map(([name]) => name) }
  }

  /** Every setting with where its value comes from, for the operator; secrets are masked. */
  entries(): SettingEntry[] {
    return ALL_SETTINGS.map(([name, setting]) => {
      const winner = this.#tiers.winner(name)
      return { name, variable: setting.env, value: masked(setting, winner), source: winner.source }
    })
  }

  onChange(listener: (changed: ReadonlySet<SettingName>) => void): void {
    this.#listeners.push(listener)
  }

  /**
   * Takes the database's rows. What is wrong with them is logged, and the next tier holds.
   *
   * @throws ConfigError if the environment contradicts the defaults.
   */
  load(rows: Iterable<SettingRow>): void {
    const database = this.#readRows(rows)
    const tiers = new Tiers(this.#tiers.environment, database)
    for (const pair of tiers.conflicts()) {
      const explanation = tiers.explain(pair)
      const ignored = pair.filter((name) => database.delete(name))
      if (ignored.length > 0) this.#log.warn({ ignored }, explanation)
    }
    const settled = new Tiers(this.#tiers.environment, database)
    const problems = settled.conflicts().map((pair) => settled.explain(pair))
    if (problems.length > 0) throw new ConfigError(problems)
    this.#become(settled)
  }

  /**
   * The settings whose effective value a change would alter.
   *
   * @throws InvalidSetting if a value is not valid, or contradicts another one.
   */
  check(changes: SettingChanges): ReadonlySet<SettingName> {
    return this.#difference(this.#with(changes))
  }

  /**
   * Puts committed changes in force and tells the listeners.
   *
   * @returns the settings whose effective value is another one now.
   * @throws InvalidSetting as `check` does.
   */
  update(changes: SettingChanges): ReadonlySet<SettingName> {
    return this.#become(this.#with(changes))
  }

  #readRows(rows: Iterable<SettingRow>): Map<SettingName, Parsed> {
    const database = new Map<SettingName, Parsed>()
    for (const { key, value: text } of rows) {
      const name = NAME_BY_KEY.get(key)
      if (name === undefined) continue // of another version of the server
      const { value, complaint } = interpret(`The row ${key} of the settings`, text, SETTINGS[name])
      if (complaint !== undefined) this.#log.warn(complaint + (value === undefined ? ' It is ignored.' : ''))
      if (value !== undefined) database.set(name, { text, value })
    }
    return database
  }

  #with(changes: SettingChanges): Tiers {
    const database = new Map(this.#tiers.database)
    for (const [name, text] of changes) {
      if (text === null) database.delete(name)
      else database.set(name, { text, value: accepted(name, text) })
    }
    const tiers = new Tiers(this.#tiers.environment, database)
    const [conflict] = tiers.conflicts()
    if (conflict) throw new InvalidSetting(tiers.explain(conflict))
    return tiers
  }

  #become(tiers: Tiers): ReadonlySet<SettingName> {
    const changed = this.#difference(tiers)
    this.#tiers = tiers
    this.#values = tiers.values()
    this.#limits = section(this.#values, 'limits', LIMITS)
    for (const listener of this.#listeners) listener(changed)
    return changed
  }

  #difference(tiers: Tiers): ReadonlySet<SettingName> {
    const differs = ([name]: (typeof STORED)[number]) => show(tiers.winner(name)) !== show(this.#tiers.winner(name))
    return new Set(STORED.filter(differs).map(([name]) => name))
  }
}

/** The URL of the gateway that clients are told; `port` is the one the server listens on. */
export function gatewayUrl(config: Config, port: number): string {
  return config.get('server.gateway_url') ?? `ws://localhost:${port}/gateway`
}

function accepted(name: StoredName, text: string): unknown {
  const setting: Setting = SETTINGS[name]
  const value = setting.kind.parse(text)
  if (value === undefined) throw new InvalidSetting(invalid(name, text, setting))
  return value
}

/** Lists and the like are shown as they are written. */
function show({ text, value }: Winner): Shown {
  return typeof value === 'object' && value !== null ? text : (value as Shown)
}

/** As `show`, for whoever must not see secrets but may know that there are some. */
function masked({ secret, kind }: Setting, winner: Winner): Shown {
  if (secret) return winner.value === null ? null : '***'
  return winner.text !== null && kind.mask ? kind.mask(winner.text) : show(winner)
}

/** The values of one section by bare name. */
function section<T>(values: Settings, prefix: string, names: object): T {
  return Object.freeze(
    Object.fromEntries(Object.keys(names).map((name) => [name, values[`${prefix}.${name}` as SettingName]])),
  ) as T
}
