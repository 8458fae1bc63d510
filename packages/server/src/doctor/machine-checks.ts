import { check } from './check.ts'
import { LiveServer } from './deployment.ts'
import { error, ok, skipped, warning } from './finding.ts'
import type { Machine } from './machine.ts'
import { publicUrl, send } from './public-url.ts'

/** Codes of authenticator apps hold for 30 seconds. */
const TOLERANCE_SECONDS = 10

/** Files that a server has open beside its gateway connections: database, log, uploads, requests. */
const OTHER_FILES = 500

export const clockIsRight = check('clock', async ({ machine, gateway }) => {
  const cure = 'Keep the clock with systemd-timesyncd, chrony or ntpd.'
  const synchronized = await machine.run('timedatectl', 'show', '--property=NTPSynchronized', '--value')
  if (synchronized === 'yes') return ok('The clock is synchronized.')
  if (synchronized === 'no') return warning('The clock is not synchronized.', cure)
  const answer = gateway && (await send(publicUrl(gateway, '/health'), { mark: 'clock' }).catch(() => undefined))
  const elsewhere = Date.parse(String(answer?.headers.date))
  if (Number.isNaN(elsewhere)) return skipped('There is no other clock to compare with.')
  const seconds = Math.round(Math.abs(Date.now() - elsewhere) / 1000)
  return seconds <= TOLERANCE_SECONDS
    ? ok(`The clock agrees with the one at ${gateway?.host}.`)
    : error(
        `The clock differs by ${seconds} s from the one at ${gateway?.host}: codes of authenticator apps fail.`,
        cure,
      )
})

export const logIsForMachines = check('log format', ({ config }) => {
  const format = config.get('log.format')?.trim().toLowerCase()
  if (format === 'json') return ok('The log is written as JSON.')
  if (!format) return ok('The log is written as JSON wherever it is not read at a terminal.')
  return warning('The log is written as plain text, which programs cannot search.', 'Set VOX_LOG_FORMAT=json.')
})

export const isRestarted = check('restart', async ({ server, machine }) => {
  if (!(server instanceof LiveServer)) return skipped('No server is running.')
  const groups = await machine.read(`/proc/${server.status.pid}/cgroup`)
  if (groups === undefined) return skipped('This system does not say what started the server.')
  if (await isInContainer(machine, groups))
    return ok('The server is in a container, whose own restart policy starts it again (unless-stopped, always).')
  const unit = /\/([^/\n]+\.service)$/m.exec(groups)?.[1]
  const cure = 'Run it as a service that is started again (docs/operations.md), such as deploy/vox.service.'
  if (!unit || unit.startsWith('user@')) return warning('Nothing starts the server again if it ends.', cure)
  const policy = await machine.run('systemctl', 'show', '--property=Restart', '--value', unit)
  if (policy === 'no') return warning(`${unit} is not started again if it ends.`, 'Set Restart=always in the unit.')
  return ok(`${unit} is started again by systemd${policy ? ` (Restart=${policy})` : ''}.`)
})

async function isInContainer(machine: Machine, groups: string): Promise<boolean> {
  if (/docker|kubepods|containerd|libpod|lxc/.test(groups)) return true
  const marks = await Promise.all(['/.dockerenv', '/run/.containerenv'].map((mark) => machine.read(mark)))
  return marks.some((mark) => mark !== undefined)
}

export const filesSuffice = check('open files', async ({ server, machine, config }) => {
  const pid = server instanceof LiveServer ? server.status.pid : 'self'
  const limits = await machine.read(`/proc/${pid}/limits`)
  const [, allowed] = /^Max open files\s+(\d+)/m.exec(limits ?? '') ?? []
  if (!allowed) return skipped('This system does not say how many files a process may open.')
  const connections = config.limits.max_total_connections
  const needed = connections + OTHER_FILES
  if (Number(allowed) >= needed)
    return ok(`The server may open ${allowed} files; ${connections} connections need ${needed}.`)
  return error(
    `The server may open ${allowed} files, but ${connections} gateway connections need ${needed}.`,
    `Set LimitNOFILE=${needed} in the systemd unit ("ulimits: nofile" in Compose), or lower VOX_LIMIT_MAX_TOTAL_CONNECTIONS.`,
  )
})

export const processIsAlone = check('processes', ({ server, database }) => {
  if (database.state === 'unknown') return skipped('The database cannot be read.')
  if (server instanceof LiveServer) return ok('One process serves this database; a second one would not start.')
  return skipped(`${server.reason} One that is started while another has this database refuses to run.`)
})
