import { Progress } from '../backup/progress.ts'
import { Config } from '../config/config.ts'
import { createLog, logFormat } from '../log.ts'
import type { Command, Invocation } from './command.ts'
import { SERVER_FLAGS } from './operator.ts'

export const backup: Command = {
  name: 'backup',
  summary: 'Write database and uploaded files to one tar file, also while the server runs.',
  operands: 'FILE',
  flags: SERVER_FLAGS,
  examples: [['vox backup /var/backups/vox/$(date +%F).tar', 'Once a day from cron or a systemd timer.']],
  async run(invocation) {
    const [file = ''] = invocation.operands
    const context = contextOf(invocation)
    const { backUp } = await import('../backup/backup.ts')
    await backUp(file, context)
    invocation.out.write(`${file} is complete: database, ${context.progress.files}.\n`)
  },
}

export const restore: Command = {
  name: 'restore',
  summary: 'Put a backup in the place of database and uploaded files, while the server is stopped.',
  operands: 'FILE',
  flags: {
    force: { doc: 'Replace what is there. Without it only an empty place is filled.' },
    ...SERVER_FLAGS,
  },
  examples: [
    ['vox restore /var/backups/vox/2026-11-23.tar', 'On a new machine, with the settings of the old one.'],
    ['vox restore --force /var/backups/vox/2026-11-23.tar', 'Go back to an earlier state. What came later is lost.'],
  ],
  async run(invocation) {
    const [file = ''] = invocation.operands
    const { restore } = await import('../backup/restore.ts')
    const { created_at } = await restore(file, { ...contextOf(invocation), force: invocation.flags.force === true })
    invocation.out.write(`The server is as it was at ${created_at}. Start it.\n`)
  },
}

function contextOf({ env, err }: Invocation) {
  const config = new Config(env, createLog(logFormat(env, err.isTTY ?? false)))
  return { config, env, progress: new Progress((line) => err.write(`${line}\n`)) }
}
