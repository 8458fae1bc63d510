import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'

const MAIN = fileURLToPath(new URL('../../src/main.ts', import.meta.url))

/** A server in a process of its own, as an operator runs it. */
export interface ServerProcess {
  url: string
  child: ChildProcess
  /** Everything it wrote to its log so far. */
  log: string[]
}

/** Starts the program; resolves once it answers requests. */
export async function spawnServer(env: Record<string, string>): Promise<ServerProcess> {
  const child = spawn(process.execPath, [MAIN], {
    env: { PATH: process.env.PATH, VOX_PORT: '0', VOX_RATELIMIT_ENABLED: 'false', ...env },
    stdio: ['ignore', 'ignore', 'pipe'],
  })
  const log: string[] = []
  const url = await new Promise<string>((resolve, reject) => {
    createInterface(child.stderr).on('line', (line) => {
      log.push(line)
      const ready = /"url":"(http:[^"]+)".*"message":"ready"/.exec(line)
      if (ready?.[1]) resolve(ready[1])
    })
    child.on('exit', (code) => reject(new Error(`the server exited with ${code}:\n${log.join('\n')}`)))
  })
  return { url, child, log }
}

/** Ends a process with a signal and waits for its end. */
export async function stop({ child }: ServerProcess, signal: NodeJS.Signals): Promise<void> {
  const ended = once(child, 'exit')
  child.kill(signal)
  await ended
}
