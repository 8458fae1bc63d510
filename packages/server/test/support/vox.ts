import { Readable } from 'node:stream'
import { runCommandLine } from '../../src/cli/command-line.ts'
import type { Env } from '../../src/config/environment.ts'

/** Runs `vox` inside this process, with this on its standard input. */
export async function vox(args: string | readonly string[], env: Env = {}, input = '') {
  const output = { out: '', err: '' }
  const argv = typeof args === 'string' ? args.split(' ').filter((arg) => arg !== '') : args
  const status = await runCommandLine(argv, env, {
    in: Readable.from(input === '' ? [] : [input]),
    out: { write: (text) => (output.out += text) },
    err: { write: (text) => (output.err += text) },
  })
  return { status, ...output }
}
