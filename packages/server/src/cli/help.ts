import { SETTINGS, type Setting } from '../config/settings.ts'
import type { Command, Flag } from './command.ts'

const STATUS = 'Exit status: 0 done, 1 failed, 2 wrong usage.'

/** What `vox --help` prints. */
export function overview(commands: readonly Command[], byDefault: Command): string {
  return `\
Vox, a chat server for one community.

Usage: vox [COMMAND] [FLAGS]

Commands (${byDefault.name} if none is given):
${commandTable(commands)}

Flags of vox ${byDefault.name}:
${flagTable(byDefault)}

"vox help COMMAND" explains another command with examples, "vox --version" prints the version.
Everything else is set by variables: see .env.example and docs/configuration.md.
${STATUS}
`
}

/** What `vox help GROUP` prints about commands that share their first word. */
export function groupOverview(commands: readonly Command[]): string {
  const [word] = commands[0]?.name.split(' ') ?? []
  return `\
Usage: vox ${word} COMMAND [FLAGS]

Commands:
${commandTable(commands)}

"vox help ${word} COMMAND" explains one of them with examples.
`
}

/** What `vox help COMMAND` prints. */
export function explanation(command: Command): string {
  return `\
${wrap(command.summary, LINE_WIDTH).join('\n')}

Usage: vox ${withOperands(`${command.name} [FLAGS]`, command.operands)}

Flags:
${flagTable(command)}

Examples:
${command.examples.map(([call, meaning]) => `  ${call}\n      ${meaning}`).join('\n')}

${STATUS}
`
}

const withOperands = (start: string, operands = ''): string => `${start} ${operands}`.trimEnd()

const commandTable = (commands: readonly Command[]): string =>
  table(commands.map(({ name, operands, summary }) => [withOperands(name, operands), summary]))

function flagTable({ flags }: Command): string {
  const rows = Object.entries(flags).map(
    ([name, flag]) => [withOperands(`--${name}`, flag.value), meaning(flag)] as const,
  )
  return table([...rows, ['--help', 'Print this.']])
}

function meaning(flag: Flag): string {
  if ('doc' in flag) return flag.doc
  const setting: Setting = SETTINGS[flag.setting]
  return `${setting.doc} Overrides ${setting.env}; default ${setting.default}.`
}

const LINE_WIDTH = 100

/** Two columns, the second one wrapped. */
function table(rows: readonly (readonly [string, string])[]): string {
  const width = Math.max(...rows.map(([left]) => left.length)) + 4
  const indent = `\n${' '.repeat(width)}`
  return rows
    .map(([left, right]) => `  ${left}`.padEnd(width) + wrap(right, LINE_WIDTH - width).join(indent))
    .join('\n')
}

function wrap(text: string, width: number): string[] {
  return text.match(new RegExp(`\\S.{0,${width - 1}}(?=\\s|$)`, 'g')) ?? []
}
