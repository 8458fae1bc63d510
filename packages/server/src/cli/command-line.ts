import { type ParseArgsConfig, parseArgs } from 'node:util'
import { type Env, invalid } from '../config/environment.ts'
import { SETTINGS, type Setting } from '../config/settings.ts'
import { VERSION } from '../version.ts'
import { type Command, type Flag, type Invocation, type Terminal, UsageError } from './command.ts'
import { COMMANDS } from './commands.ts'
import { describeFailure } from './failures.ts'
import { explanation, groupOverview, overview } from './help.ts'

/** Runs `vox` with the arguments that follow its name; gives the exit status. */
export async function runCommandLine(argv: readonly string[], env: Env, terminal: Terminal): Promise<number> {
  try {
    await dispatch(argv, env, terminal)
    return 0
  } catch (error) {
    if (error instanceof UsageError) {
      terminal.err.write(`vox: ${error.message}\n`)
      return 2
    }
    terminal.err.write(`vox: ${describeFailure(error)}\n`)
    return 1
  }
}

async function dispatch(argv: readonly string[], env: Env, terminal: Terminal): Promise<void> {
  const [first = ''] = argv
  if (first === 'help') return dispatch([...argv.slice(1), '--help'], env, terminal)
  const named = first !== '' && !first.startsWith('-')
  if (named && asksAboutGroup(argv)) {
    terminal.out.write(groupOverview(groupOf(first)))
    return
  }
  const command = named ? commandNamed(argv) : COMMANDS[0]
  const { values, positionals } = parse(command, named ? argv.slice(command.name.split(' ').length) : argv)
  if (values.help) terminal.out.write(named ? explanation(command) : overview(COMMANDS, COMMANDS[0]))
  else if (values.version) terminal.out.write(`vox ${VERSION}\n`)
  else {
    checkOperands(command, positionals)
    await command.run({ ...apply(command, values, env), operands: positionals, ...terminal })
  }
}

/** The commands that share this first word. */
const groupOf = (word: string): Command[] => COMMANDS.filter(({ name }) => name.startsWith(`${word} `))

const asksAboutGroup = ([first = '', second = '']: readonly string[]): boolean =>
  groupOf(first).length > 0 && ['--help', '-h'].includes(second)

function commandNamed([first = '', second = '']: readonly string[]): Command {
  const command = COMMANDS.find(({ name }) => name === first || name === `${first} ${second}`)
  if (command) return command
  const words = groupOf(first).map(({ name }) => name.slice(first.length + 1))
  throw new UsageError(
    words.length > 0
      ? `After ${first} comes one of ${words.join(', ')}. Run "vox help ${first}" to see what they do.`
      : `There is no command ${JSON.stringify(first)}. Run "vox --help" to see what there is.`,
  )
}

type Values = Record<string, string | boolean | undefined>

function parse({ name, flags, operands }: Command, args: readonly string[]): { values: Values; positionals: string[] } {
  const options: NonNullable<ParseArgsConfig['options']> = {
    help: { type: 'boolean', short: 'h' },
    version: { type: 'boolean' },
  }
  for (const [flag, { value }] of Object.entries(flags))
    options[flag] = { type: value === undefined ? 'boolean' : 'string' }
  try {
    const { values, positionals } = parseArgs({ args: [...args], options, allowPositionals: operands !== undefined })
    return { values: values as Values, positionals }
  } catch (error) {
    // Only the first sentence says what is wrong; the others tell about Node's parser.
    const [problem] = (error as Error).message.split(/\. |\.?\n/)
    throw new UsageError(`${problem}. Run "vox help ${name}" to see the flags.`)
  }
}

/** As many operands as the command names; those in brackets may be missing. */
function checkOperands({ name, operands = '' }: Command, given: readonly string[]): void {
  const named = operands.split(' ').filter((word) => word !== '')
  const missing = named.filter((word) => !word.startsWith('['))[given.length]
  if (missing) throw new UsageError(`${missing} is missing. Run "vox help ${name}" to see what belongs there.`)
  const extra = given[named.length]
  if (extra !== undefined)
    throw new UsageError(`Unexpected argument '${extra}'. Run "vox help ${name}" to see what belongs there.`)
}

/** Flags that stand for settings become variables, where they win over the caller's. */
function apply({ flags: known }: Command, values: Values, env: Env): Pick<Invocation, 'env' | 'flags'> {
  const overridden: Record<string, string | undefined> = { ...env }
  const flags: Record<string, string | boolean> = {}
  for (const [name, value] of Object.entries(values)) {
    const flag: Flag | undefined = known[name]
    if (flag === undefined || value === undefined) continue
    if ('doc' in flag) flags[name] = value
    else overridden[SETTINGS[flag.setting].env] = checked(name, String(value), SETTINGS[flag.setting])
  }
  return { env: overridden, flags }
}

function checked(flag: string, value: string, setting: Setting): string {
  if (setting.kind.parse(value) === undefined) throw new UsageError(invalid(`--${flag}`, value, setting))
  return value
}
