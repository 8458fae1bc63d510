import { type SettingEntry, type Shown, settingNamed } from '../config/config.ts'
import { SETTINGS, type Setting, type SettingName } from '../config/settings.ts'
import { Refusal } from '../refusal.ts'
import type { Command, Invocation } from './command.ts'
import { JSON_FLAG, SERVER_FLAGS, withOperator } from './operator.ts'
import { readSecret } from './password.ts'
import { columns, json } from './table.ts'

const get: Command = {
  name: 'config get',
  summary: 'Print the value of a setting, and on standard error where it comes from.',
  operands: 'NAME',
  flags: { ...JSON_FLAG, ...SERVER_FLAGS },
  examples: [
    ['vox config get server.name', 'Print the name of the community.'],
    ['vox config get VOX_SERVER_NAME', 'The same by the name of its variable.'],
  ],
  async run(invocation) {
    const { operands, flags, out, err } = invocation
    const name = demandSetting(operands[0])
    const entries = await withOperator(invocation, (perform) => perform('config/list', {}))
    const entry = entries.find((candidate) => candidate.name === name)
    if (!entry) throw new Refusal(`The running server does not know ${name}. Restart it.`)
    if (flags.json) return void out.write(json(entry))
    out.write(`${shown(entry.value)}\n`)
    err.write(`(${origin(entry)})\n`)
  },
}

const set: Command = {
  name: 'config set',
  summary: 'Change a setting in the database; a running server takes it over at once.',
  operands: 'NAME [VALUE]',
  flags: SERVER_FLAGS,
  examples: [
    ['vox config set server.name "Our place"', 'Rename the community.'],
    ['vox config set gifs.api_key', 'Ask for a secret without showing it; in a script, read it from standard input.'],
  ],
  async run(invocation) {
    const name = demandSetting(invocation.operands[0])
    await change(invocation, name, await newValue(invocation, name))
  },
}

const unset: Command = {
  name: 'config unset',
  summary: 'Take a setting out of the database, so that its default holds again.',
  operands: 'NAME',
  flags: SERVER_FLAGS,
  examples: [['vox config unset limits.message_body_max', 'Go back to 4000 characters.']],
  run: (invocation) => change(invocation, demandSetting(invocation.operands[0]), null),
}

const list: Command = {
  name: 'config list',
  summary: 'List every setting with its value and where that comes from. Secrets are masked.',
  flags: { ...JSON_FLAG, ...SERVER_FLAGS },
  examples: [
    ['vox config list', 'Print name, value and origin of every setting.'],
    ['vox config list --json', 'Print [{"name", "variable", "value", "source"}, …].'],
  ],
  async run(invocation) {
    const { flags, out } = invocation
    const entries = await withOperator(invocation, (perform) => perform('config/list', {}))
    if (flags.json) out.write(json(entries))
    else out.write(columns(entries.map((entry) => [entry.name, origin(entry), shown(entry.value)])))
  },
}

/** What `vox config` can do. */
export const CONFIG: readonly Command[] = [get, set, unset, list]

function demandSetting(text = ''): SettingName {
  const name = settingNamed(text)
  if (name === undefined) throw new Refusal(`There is no setting ${text}. "vox config list" shows all.`)
  return name
}

async function change(invocation: Invocation, name: SettingName, value: string | null): Promise<void> {
  const entry = await withOperator(invocation, (perform) => perform('config/change', { name, value }), {
    mayCreate: value !== null,
  })
  invocation.out.write(`${entry.name} is ${shown(entry.value)} (${origin(entry)}).\n`)
  if (entry.source === 'environment')
    invocation.err.write(`The change has no effect until ${entry.variable} is removed and the server restarted.\n`)
}

/** The new value; one that is secret must not stand in the shell's history. */
async function newValue(invocation: Invocation, name: SettingName): Promise<string> {
  const [, value] = invocation.operands
  const { secret }: Setting = SETTINGS[name]
  if (value !== undefined && secret)
    throw new Refusal(
      `${name} is a secret. Leave the value out and type it when asked, or hand it over on standard input.`,
    )
  return value ?? readSecret(invocation)
}

function origin({ source, variable }: SettingEntry): string {
  return source === 'environment' ? variable : source
}

const shown = (value: Shown): string => (value === null ? 'unset' : String(value))
