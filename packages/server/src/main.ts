#!/usr/bin/env node
import { runCommandLine } from './cli/command-line.ts'

// Node would write them to standard error between the lines of the log.
process.removeAllListeners('warning')

const { stdin, stdout, stderr } = process
const status = await runCommandLine(process.argv.slice(2), process.env, { in: stdin, out: stdout, err: stderr })
// Whatever may still be open, such as an idle connection, must not keep a finished command alive.
process.exit(status)
