import type { Level } from '../doctor/finding.ts'
import { Refusal } from '../refusal.ts'
import type { Command, Invocation } from './command.ts'
import { JSON_FLAG, SERVER_FLAGS } from './operator.ts'
import { columns, json } from './table.ts'

const LEVELS: readonly Level[] = ['ok', 'warning', 'error', 'skipped']

export const doctor: Command = {
  name: 'doctor',
  summary:
    'Check a deployment from the settings to the way clients come, and say what to do about each problem. Changes nothing.',
  flags: {
    backups: { doc: 'Folder of your backups, to check the age of the newest one.', value: 'DIR' },
    ...JSON_FLAG,
    ...SERVER_FLAGS,
  },
  examples: [
    ['vox doctor', 'On the machine of the server, with its variables, while it runs.'],
    ['vox doctor --backups /var/backups/vox', 'Look at the backups, too.'],
    ['vox doctor --json', 'Print {"findings": [{"check", "level", "text", "cure"}, …], "ok", "warning", …}.'],
  ],
  run,
}

async function run({ env, flags, out }: Invocation): Promise<void> {
  const { examine } = await import('../doctor/doctor.ts')
  const findings = await examine(env, typeof flags.backups === 'string' ? { backups: flags.backups } : {})
  const counts = LEVELS.map((level) => [level, findings.filter((finding) => finding.level === level).length] as const)
  if (flags.json) out.write(json({ findings, ...Object.fromEntries(counts) }))
  else {
    const rows = findings.flatMap(({ check, level, text, cure }) => [
      [level, check, text],
      ...(cure === undefined ? [] : [['', '', `→ ${cure}`]]),
    ])
    out.write(columns(rows))
    out.write(`\n${counts.map(([level, count]) => told(count, level)).join(', ')}\n`)
  }
  const errors = findings.filter(({ level }) => level === 'error').length
  if (errors > 0) throw new Refusal(`The doctor found ${told(errors, 'error')}.`)
}

function told(count: number, level: Level): string {
  const isNoun = level === 'error' || level === 'warning'
  return `${count} ${level}${isNoun && count !== 1 ? 's' : ''}`
}
