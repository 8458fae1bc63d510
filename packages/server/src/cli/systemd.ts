import { execFile } from 'node:child_process'
import { promisify } from 'node:util'
import type { Logger } from 'pino'
import type { Env } from '../config/environment.ts'

const PATIENCE_MS = 5_000

/**
 * Tells systemd how far the server is, if systemd asked to be told (`Type=notify`). Node has no datagram sockets of the
 * Unix kind, so systemd's own program does the talking; for its sake the unit has `NotifyAccess=all`.
 */
export async function notifySystemd(env: Env, log: Logger, ...state: string[]): Promise<void> {
  if (!env.NOTIFY_SOCKET) return
  try {
    await promisify(execFile)('systemd-notify', state, { env: { ...env }, timeout: PATIENCE_MS })
  } catch (err) {
    log.warn({ err }, 'systemd waits to be told of the start, but systemd-notify failed')
  }
}
