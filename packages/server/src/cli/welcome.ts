import { resolve } from 'node:path'
import type { Config } from '../config/config.ts'
import { maskPassword, parseDatabaseUrl } from '../db/url.ts'
import type { RunningServer } from '../server.ts'
import { VERSION } from '../version.ts'

/** What somebody who has just started a server wants to know. */
export function welcome({ url, config }: RunningServer): string {
  return `
  ${config.get('server.name')} is running: Vox ${VERSION} at ${url}

    data      ${dataPlace(config)}
    uploads   ${uploadsPlace(config)}
    API       ${url}/docs
    guide     docs/quick-start.md

  The first account becomes the administrator. To create it, choose a name and a password:

    curl ${url}/api/v1/auth/register -H 'Content-Type: application/json' \\
      -d '{"username": "NAME", "password": "PASSWORD"}'

  Ctrl-C stops the server.

`
}

/** Where the database is; never shows its password. */
export function dataPlace(config: Config): string {
  const url = config.get('database.url')
  const target = parseDatabaseUrl(url)
  if (target.engine === 'postgres') return maskPassword(url)
  return target.path === null ? 'in memory, gone when the server stops' : resolve(target.path)
}

function uploadsPlace(config: Config): string {
  return config.get('storage.backend') === 's3'
    ? `S3 bucket ${config.get('storage.s3_bucket')}`
    : resolve(config.get('storage.path'))
}
