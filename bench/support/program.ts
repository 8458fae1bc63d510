import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'

const TICKS_PER_SECOND = 100
const MAIN = fileURLToPath(new URL('../../packages/server/src/main.ts', import.meta.url))

/** A program under measurement: it listens on a port, and the kernel counts what it costs. */
export class Program implements AsyncDisposable {
  readonly port: number
  readonly #child: ChildProcess
  readonly #folder: string | undefined

  constructor(child: ChildProcess, port: number, folder?: string) {
    this.#child = child
    this.port = port
    this.#folder = folder
  }

  /** Processor time used so far, all threads, seconds. */
  cpuSeconds(): number {
    const fields = readFileSync(`/proc/${this.#child.pid}/stat`, 'utf8').split(') ')[1]?.split(' ') ?? []
    return (Number(fields[11]) + Number(fields[12])) / TICKS_PER_SECOND
  }

  /** Memory in use, bytes. */
  residentBytes(): number {
    const kilobytes = /VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${this.#child.pid}/status`, 'utf8'))?.[1]
    return Number(kilobytes) * 1024
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#child.exitCode === null) {
      this.#child.kill()
      await once(this.#child, 'exit')
    }
    if (this.#folder) await rm(this.#folder, { recursive: true, force: true })
  }
}

/** Asks a program on this machine for something; the answer is JSON. */
export async function ask<T>({ port }: Program, path: string): Promise<T> {
  const response = await fetch(`http://127.0.0.1:${port}${path}`)
  return (await response.json()) as T
}

/** Starts a program of this folder, which prints its port as its first line. */
export async function startProgram(file: URL, ...args: string[]): Promise<Program> {
  const child = spawn(process.execPath, [fileURLToPath(file), ...args], { stdio: ['ignore', 'pipe', 'inherit'] })
  const [line] = await once(createInterface(child.stdout), 'line')
  return new Program(child, Number(line))
}

/** Starts the server, with rate limits off and an empty database unless `env` names one. */
export async function startVox(env: Record<string, string> = {}): Promise<Program> {
  const folder = await mkdtemp(join(tmpdir(), 'vox-bench-'))
  const child = spawn(process.execPath, [MAIN], {
    cwd: folder,
    env: {
      PATH: process.env.PATH,
      VOX_PORT: '0',
      VOX_RATELIMIT_ENABLED: 'false',
      VOX_LIMIT_CONNECTIONS_PER_IP: '0',
      VOX_LIMIT_SESSIONS_PER_USER: '0',
      ...env,
    },
    stdio: ['ignore', 'ignore', 'pipe'],
  })
  // The stream has to stay open: a server that cannot write its log stops.
  const port = await new Promise<number>((resolve, reject) => {
    createInterface(child.stderr).on('line', (line) => {
      const url = /"url":"http:\/\/[^"]+:(\d+)"/.exec(line)
      if (url) resolve(Number(url[1]))
    })
    child.on('exit', () => reject(new Error('the server did not start')))
  })
  return new Program(child, port, folder)
}
