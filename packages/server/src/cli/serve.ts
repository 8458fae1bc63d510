import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { setTimeout as delay } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import type { Logger } from 'pino'
import type { Env } from '../config/environment.ts'
import { createLog, logFormat } from '../log.ts'
import { VERSION } from '../version.ts'
import type { Command, Invocation } from './command.ts'
import { notifySystemd } from './systemd.ts'
import { welcome } from './welcome.ts'

/** How long a shutdown may take (spec 01, section 13.5). */
const SHUTDOWN_MS = 10_000

/** One Ctrl-C reaches a server under npm twice: from the terminal and passed on by npm. */
const SAME_SIGNAL_MS = 100

const SIGNALS = ['SIGTERM', 'SIGINT'] as const

export const serve: Command = {
  name: 'serve',
  summary: 'Run the server until it is told to stop (Ctrl-C, SIGTERM).',
  flags: {
    host: { setting: 'network.host', value: 'ADDRESS' },
    port: { setting: 'network.port', value: 'PORT' },
    'database-url': { setting: 'database.url', value: 'URL' },
    reload: { doc: 'For development: start again whenever a source file changes.' },
  },
  examples: [
    ['vox', 'Run at http://127.0.0.1:8000 with the data in vox.db.'],
    ['vox --port 9000 --database-url postgresql://vox:secret@localhost/vox', 'Run on another port, on PostgreSQL.'],
  ],
  run: (invocation) => (invocation.flags.reload ? runWatched(invocation.env) : run(invocation)),
}

async function run({ env, out, err }: Invocation): Promise<void> {
  const format = logFormat(env, err.isTTY ?? false)
  const log = createLog(format)
  logWhatNodeSays(log)
  // Loaded here, so that help and typing errors are answered without it.
  const { startServer } = await import('../server.ts')
  const server = await startServer({ env, log })
  const signalled = firstSignal()
  log.info({ url: server.url, version: VERSION }, 'ready')
  void notifySystemd(env, log, 'READY=1', `STATUS=Vox ${VERSION} at ${server.url}`)
  if (out.isTTY || format === 'text') out.write(welcome(server))

  log.info({ signal: await signalled }, 'stopping')
  void notifySystemd(env, log, 'STOPPING=1')
  exitAtNextSignal()
  const inTime = await Promise.race([server.close().then(() => true), delay(SHUTDOWN_MS, false)])
  if (!inTime) log.warn('some requests did not finish in time')
}

function logWhatNodeSays(log: Logger): void {
  process.on('warning', (warning) => {
    // We know and pin the Node whose newer parts we use.
    if (warning.name !== 'ExperimentalWarning') log.warn({ err: warning }, 'Node warns')
  })
  process.on('uncaughtException', (error) => {
    log.fatal({ err: error }, 'the server has crashed')
    process.exit(1)
  })
}

async function firstSignal(): Promise<string> {
  const { promise, resolve } = Promise.withResolvers<string>()
  for (const signal of SIGNALS) process.once(signal, resolve)
  return promise
}

function exitAtNextSignal(): void {
  const since = Date.now()
  for (const signal of SIGNALS)
    process.on(signal, () => {
      if (Date.now() - since > SAME_SIGNAL_MS) process.exit(1)
    })
}

/** Runs `serve` again under Node's own watcher; the flags are in the environment by now. */
async function runWatched(env: Env): Promise<void> {
  const main = fileURLToPath(new URL('../main.ts', import.meta.url))
  const child = spawn(process.execPath, ['--watch', main, 'serve'], { env: { ...env }, stdio: 'inherit' })
  for (const signal of SIGNALS) process.on(signal, () => child.kill(signal))
  await once(child, 'exit')
}
