import { readEnvironment } from '../config/environment.ts'
import { VERSION } from '../version.ts'
import { check } from './check.ts'
import { LiveServer } from './deployment.ts'
import { error, ok, skipped, warning } from './finding.ts'

/** Settings that no other one can contradict, because every process has its own. */
const OWN = new Set(['network.port', 'log.format'])

export const variables = check('variables', ({ env }) => {
  const { warnings } = readEnvironment(env)
  if (warnings.length === 0) return ok('Every variable is known and valid.')
  return warning(warnings.join(' '), 'Correct the names; docs/configuration.md lists all.')
})

export const serverRuns = check('server', ({ server }) => {
  if (!(server instanceof LiveServer))
    return warning(
      `${server.reason} What only a running server shows is not checked.`,
      'Start the server, and run this again as its user.',
    )
  const { version, pid, uid, url } = server.status
  if (version !== VERSION)
    return warning(
      `Vox ${version} is running, and this is Vox ${VERSION}.`,
      'Restart the server to finish the upgrade.',
    )
  if (uid !== (process.getuid?.() ?? null))
    return warning(
      `The server runs as another user than this command: whether it may write its files is not checked.`,
      `Run this as user ${uid}, for example with "sudo -u".`,
    )
  return ok(`Vox ${version} listens at ${url} (process ${pid}).`)
})

/** The doctor is often called from a shell that does not have the server's variables. */
export const sameSettings = check('environment', async ({ server, config }) => {
  if (!(server instanceof LiveServer)) return skipped('No server to compare with.')
  const here = new Map(config.entries().map(({ name, value }) => [name, value]))
  const different = (await server.settings()).filter(({ name, value }) => !OWN.has(name) && here.get(name) !== value)
  if (different.length === 0) return ok('The server runs with the settings seen here.')
  const names = different.map(({ variable }) => variable).join(', ')
  return error(
    `The server runs with other settings than those seen here: ${names}.`,
    'Give this command the variables of the server (for example "set -a; . /etc/vox/vox.env"), or restart the server.',
  )
})
