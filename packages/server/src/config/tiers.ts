import { LIMIT_PAIRS } from '@vox/protocol'
import type { Parsed } from './environment.ts'
import { ALL_SETTINGS, SETTINGS, type SettingName, type Settings } from './settings.ts'

/** Where an effective value comes from. */
export type Source = 'environment' | 'database' | 'default'

/** What a tier says about the settings it holds. */
export type Tier = ReadonlyMap<SettingName, Parsed>

/** The value that wins, and the tier it comes from. */
export interface Winner {
  /** As it was written; null only where the default is nothing. */
  text: string | null
  value: unknown
  source: Source
}

/** Two limits of which the first must not exceed the second. */
export type Pair = readonly [SettingName, SettingName]

const PAIRS = LIMIT_PAIRS.map(([min, max]): Pair => [`limits.${min}`, `limits.${max}`])

const DEFAULTS: ReadonlyMap<SettingName, Winner> = new Map(
  ALL_SETTINGS.map(([name, { default: text, kind }]) => [
    name,
    { text, value: text === null ? null : kind.parse(text), source: 'default' },
  ]),
)

/** One state of the three tiers: environment over database over default. */
export class Tiers {
  readonly environment: Tier
  readonly database: Tier

  constructor(environment: Tier, database: Tier = new Map()) {
    this.environment = environment
    this.database = database
  }

  winner(name: SettingName): Winner {
    const fixed = this.environment.get(name)
    if (fixed) return { ...fixed, source: 'environment' }
    const stored = this.database.get(name)
    if (stored) return { ...stored, source: 'database' }
    return DEFAULTS.get(name) as Winner
  }

  /** The effective values. */
  values(): Settings {
    return Object.freeze(
      Object.fromEntries(ALL_SETTINGS.map(([name]) => [name, this.winner(name).value])),
    ) as unknown as Settings
  }

  /** Pairs of limits whose effective values contradict each other. */
  conflicts(): Pair[] {
    return PAIRS.filter(([min, max]) => Number(this.winner(min).value) > Number(this.winner(max).value))
  }

  /** Says what is wrong with a pair. */
  explain([min, max]: Pair): string {
    const value = (name: SettingName) => this.winner(name).text
    return `${this.#title(min)} is ${value(min)}. It must not be above ${this.#title(max)}, which is ${value(max)}.`
  }

  /** The name by which whoever set it knows a setting. */
  #title(name: SettingName): string {
    return this.winner(name).source === 'environment' ? SETTINGS[name].env : name
  }
}
