import assert from 'node:assert/strict'
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { text } from 'node:stream/consumers'
import { after } from 'node:test'
import { fileURLToPath } from 'node:url'

const MAIN = fileURLToPath(new URL('../../src/main.ts', import.meta.url))

export type Variables = Readonly<Record<string, string>>

/** The program as a shell in an empty folder would run it, with the same variables each time. */
export class Program {
  readonly folder: string
  readonly #variables: Variables

  constructor(variables: Variables = {}, folder = mkdtempSync(join(tmpdir(), 'vox-main-'))) {
    this.folder = folder
    this.#variables = variables
    process.on('exit', () => rmSync(folder, { recursive: true, force: true }))
  }

  /** Its command line, for other programs to run. */
  static command(...args: string[]): string[] {
    return [process.execPath, MAIN, ...args]
  }

  /** The environment it runs in: that of the tests without what would configure it. */
  environment(variables: Variables = {}): NodeJS.ProcessEnv {
    const inherited = Object.entries(process.env).filter(([name]) => !/^(vox|node)_/i.test(name))
    return { ...Object.fromEntries(inherited), ...this.#variables, ...variables }
  }

  start(args: readonly string[], variables?: Variables) {
    const [node = '', ...rest] = Program.command(...args)
    return spawn(node, rest, {
      cwd: this.folder,
      env: this.environment(variables),
      stdio: ['pipe', 'pipe', 'pipe'],
      detached: true, // a process group of its own, which can be ended whole
    })
  }

  /** Runs until it ends, with this on its standard input. */
  async run(args: readonly string[], { input = '', variables }: { input?: string; variables?: Variables } = {}) {
    const child = this.start(args, variables)
    child.stdin.on('error', () => {}) // not every command reads it
    child.stdin.end(input)
    const [out, err, [status]] = await Promise.all([text(child.stdout), text(child.stderr), once(child, 'close')])
    return { status: status as number | null, out, err }
  }

  /** Starts a server on a free port; resolves when it is ready, with the records it logs. */
  async serve(args: readonly string[] = [], variables?: Variables) {
    const child = this.start(['--port', '0', ...args], variables)
    after(() => endGroup(child))
    const records: Record<string, unknown>[] = []
    for await (const line of createInterface(child.stderr)) {
      const record = JSON.parse(line)
      records.push(record)
      if (record.message === 'ready') return { child, records, url: String(record.url) }
    }
    return assert.fail(`it ended: ${JSON.stringify(records)}`)
  }
}

/** Ends a process with those it started: one that outlives a failed test keeps the test file from ending. */
function endGroup({ pid }: ChildProcess): void {
  try {
    if (pid) process.kill(-pid, 'SIGKILL')
  } catch {
    // They have all ended by themselves.
  }
}

export async function stop(child: ChildProcess, signal: NodeJS.Signals): Promise<number | null> {
  child.kill(signal)
  const [status] = await once(child, 'exit')
  return status
}
