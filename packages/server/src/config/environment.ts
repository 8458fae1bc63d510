import { ALL_SETTINGS, type Setting, type SettingName } from './settings.ts'

/** The values of a process's environment, as `process.env` has them. */
export type Env = Readonly<Record<string, string | undefined>>

/** A text that a setting's kind accepted. */
export interface Parsed {
  text: string
  value: unknown
}

/** What the environment says about the settings. */
export interface Environment {
  settings: ReadonlyMap<SettingName, Parsed>
  /** Sentences about values that are not valid. */
  problems: string[]
  /** Sentences about what is odd but does not stop the start. */
  warnings: string[]
}

/** Names are matched without regard to case; of several spellings the upper-case one counts. */
export function variable(env: Env, name: string): string | undefined {
  if (env[name] !== undefined) return env[name]
  const spelling = Object.keys(env).find((key) => key.toUpperCase() === name)
  return spelling === undefined ? undefined : env[spelling]
}

export function readEnvironment(env: Env): Environment {
  const settings = new Map<SettingName, Parsed>()
  const problems: string[] = []
  const warnings = unknownVariables(env)
  for (const [name, setting] of ALL_SETTINGS) {
    const text = variable(env, setting.env)
    if (text === undefined || (setting.kind.emptyIsUnset && text.trim() === '')) continue
    const { value, complaint } = interpret(setting.env, text, setting)
    if (value !== undefined) settings.set(name, { text, value })
    if (complaint !== undefined) (value === undefined ? problems : warnings).push(complaint)
  }
  return { settings, problems, warnings }
}

/** What a text means for a setting: undefined if nothing; what is wrong with it, if anything. */
export function interpret(source: string, text: string, setting: Setting): { value: unknown; complaint?: string } {
  const value = setting.kind.parse(text)
  if (value !== undefined) return { value }
  const { fallback } = setting
  const consequence = fallback === undefined ? '' : ` It counts as ${fallback ?? 'unset'}.`
  return { value: fallback, complaint: invalid(source, text, setting) + consequence }
}

/** Says what is wrong with a text and what would be valid; never shows a secret. */
export function invalid(source: string, text: string, { kind, secret }: Setting): string {
  const found = secret ? 'has a value that is not valid' : `is ${JSON.stringify(kind.mask?.(text) ?? text)}`
  return `${source} ${found}. It must be ${kind.expects}.`
}

function unknownVariables(env: Env): string[] {
  const known = new Set(ALL_SETTINGS.map(([, { env: name }]) => name))
  return Object.keys(env)
    .filter((name) => name.toUpperCase().startsWith('VOX_') && !known.has(name.toUpperCase()))
    .map((name) => `${name} is not a variable of this server and has no effect.${hint(name)}`)
}

/** A document once promised two variables that no server ever had. */
function hint(name: string): string {
  return name.toUpperCase().startsWith('VOX_LIMIT_PAGE_SIZE_')
    ? ' Pages are limited per list: VOX_LIMIT_PAGE_LIMIT_MESSAGES, VOX_LIMIT_PAGE_LIMIT_MEMBERS and so on.'
    : ''
}
