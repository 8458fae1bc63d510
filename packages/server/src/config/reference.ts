import { ALL_SETTINGS, SECTIONS, type Setting, type SettingName } from './settings.ts'

type Row = readonly [SettingName, Setting]

/** The text of `.env.example`: every variable, commented out, with its default. */
export function envExample(): string {
  return `${[ENV_HEAD, ...bySection((heading, rows) => `# --- ${heading} ---\n\n${rows.map(variableLines).join('\n\n')}`)].join('\n\n')}\n`
}

const ENV_HEAD = `\
# Every setting of a Vox server with its default. The server does not read this file by itself: give it to systemd
# (EnvironmentFile=), to Compose (env_file:) or to Node (npx node --env-file=.env packages/server/src/main.ts).
# This version has no voice, video and federation: their settings are read and checked, but change nothing.
# docs/configuration.md says which values are valid and which settings administrators can change while it runs.`

function variableLines([, setting]: Row): string {
  const unset = setting.unset === undefined ? '' : `\n# Unset: ${setting.unset}.`
  return `# ${setting.doc}${unset}\n#${setting.env}=${quoted(setting.default ?? '')}`
}

const quoted = (value: string): string => (/[\s#'"$]/.test(value) ? JSON.stringify(value) : value)

/** The tables of docs/configuration.md, one for each section. */
export function settingsReference(): string {
  return bySection((heading, rows) => `### ${heading}\n\n${HEAD}\n${rows.map(tableRow).join('\n')}`).join('\n\n')
}

const HEAD = `\
| Variable | Administrators change it as | Default | Meaning | Valid |
|---|---|---|---|---|`

function tableRow([name, setting]: Row): string {
  const cells = [
    code(setting.env),
    setting.key ? code(name) : '–',
    defaultOf(setting),
    setting.doc,
    setting.kind.expects,
  ]
  return `| ${cells.map((cell) => cell.replaceAll('|', '\\|')).join(' | ')} |`
}

function defaultOf({ default: value, unset }: Setting): string {
  if (value) return code(value)
  if (unset !== undefined) return `unset: ${unset.replaceAll('<', '\\<')}`
  return value === '' ? 'empty' : 'unset'
}

const code = (text: string): string => `\`${text}\``

const BEGIN = '<!-- generated from packages/server/src/config/settings.ts by "npm run generate" -->'
const END = '<!-- end of the generated part -->'

/** A page with the part between its two markers replaced by the reference. */
export function withReference(page: string): string {
  const [head, rest] = page.split(BEGIN)
  const [, tail] = rest?.split(END) ?? []
  if (head === undefined || tail === undefined) throw new Error('the markers of the generated part are missing')
  return `${head}${BEGIN}\n\n${settingsReference()}\n\n${END}${tail}`
}

function bySection(render: (heading: string, rows: readonly Row[]) => string): string[] {
  return Object.entries(SECTIONS).map(([section, heading]) =>
    render(
      heading,
      ALL_SETTINGS.filter(([name]) => name.startsWith(`${section}.`)),
    ),
  )
}
