#!/usr/bin/env node
import { enableCompileCache } from 'node:module'

// Keeps what Node makes of the sources, which is most of the time a start takes; so the rest is imported after it.
enableCompileCache()
const { runCommandLine } = await import('./cli/command-line.ts')

// Node would write them to standard error between the lines of the log.
process.removeAllListeners('warning')

const { stdin, stdout, stderr } = process
const status = await runCommandLine(process.argv.slice(2), process.env, { in: stdin, out: stdout, err: stderr })
// Whatever may still be open, such as an idle connection, must not keep a finished command alive.
process.exit(status)
