import type { ClientConfig } from 'pg'

/** How a PostgreSQL connection uses TLS; the meanings are those of libpq. */
export type SslMode = 'disable' | 'allow' | 'prefer' | 'require' | 'verify-ca' | 'verify-full'

const SSL_MODES: readonly string[] = [
  'disable',
  'allow',
  'prefer',
  'require',
  'verify-ca',
  'verify-full',
] satisfies SslMode[]

export interface SqliteTarget {
  engine: 'sqlite'
  /** The database file; null for a database in memory. */
  path: string | null
}

export interface PostgresTarget {
  engine: 'postgres'
  sslMode: SslMode
  /** Paths of files in PEM format. */
  certificates: { ca?: string; cert?: string; key?: string }
  /** Everything else, as `pg` takes it. */
  config: ClientConfig
}

/**
 * Reads `VOX_DATABASE_URL` (spec 01, section 12).
 *
 * @throws Error whose message shows the URL without its password.
 */
export function parseDatabaseUrl(url: string): SqliteTarget | PostgresTarget {
  const scheme = url.slice(0, url.indexOf(':') + 1).toLowerCase()
  const rest = url.slice(scheme.length)
  switch (scheme) {
    case 'sqlite:':
    case 'sqlite+aiosqlite:':
      return { engine: 'sqlite', path: sqlitePath(url, rest) }
    case 'file:':
      return { engine: 'sqlite', path: fileOrMemory(decode(withoutQuery(rest).replace(/^\/\/(localhost)?(?=\/)/, ''))) }
    case 'postgresql:':
    case 'postgresql+asyncpg:':
    case 'postgres:':
      return postgresTarget(url)
    default:
      throw invalid(url, 'it must begin with sqlite+aiosqlite:// or postgresql+asyncpg://')
  }
}

/** The URL as it may be logged. */
export function maskPassword(url: string): string {
  return url.replace(/^([^:]*:(?:\/\/)?[^:/?#@]*):.*@/s, '$1:***@').replace(/([?&](?:ssl)?password=)[^&#]*/gi, '$1***')
}

/** Three slashes and a relative path, four and an absolute one; nothing at all is a database in memory. */
function sqlitePath(url: string, rest: string): string | null {
  const path = /^\/\/(?:\/(.*))?$/s.exec(withoutQuery(rest))
  if (!path) throw invalid(url, 'a relative path follows three slashes, an absolute path four')
  return fileOrMemory(path[1] ?? '')
}

const fileOrMemory = (path: string): string | null => (path === '' || path === ':memory:' ? null : path)

/** The options behind the question mark are for other drivers. */
const withoutQuery = (path: string): string => path.replace(/\?.*$/s, '')

function postgresTarget(url: string): PostgresTarget {
  const parsed = URL.parse(url.replace(/^[^:]*/, 'postgresql'))
  if (!parsed) throw invalid(url, 'it does not have the form postgresql+asyncpg://user:password@host:port/name')
  const { ssl, sslmode, sslrootcert, sslcert, sslkey, ...options } = Object.fromEntries(parsed.searchParams)
  const sslMode = sslmode ?? ssl ?? 'prefer'
  if (!isSslMode(sslMode)) throw invalid(url, `sslmode is one of ${SSL_MODES.join(', ')}`)
  return {
    engine: 'postgres',
    sslMode,
    certificates: {
      ...(sslrootcert && { ca: sslrootcert }),
      ...(sslcert && { cert: sslcert }),
      ...(sslkey && { key: sslkey }),
    },
    config: {
      ...present('user', decode(parsed.username)),
      ...present('password', decode(parsed.password)),
      ...present('host', decode(parsed.hostname).replace(/^\[(.*)\]$/, '$1')),
      ...(parsed.port !== '' && { port: Number(parsed.port) }),
      ...present('database', decode(parsed.pathname.slice(1))),
      ...options,
    },
  }
}

const isSslMode = (mode: string): mode is SslMode => SSL_MODES.includes(mode)

/** Leaves out what the URL leaves out, so that the usual `PG…` variables apply. */
const present = <K extends string>(key: K, value: string): { [P in K]?: string } =>
  value === '' ? {} : ({ [key]: value } as { [P in K]: string })

/** Percent-decodes whatever is percent-encoded UTF-8 and leaves the rest as it is. */
function decode(text: string): string {
  return text.replace(/(?:%[0-9a-f]{2})+/gi, (encoded) => {
    try {
      return decodeURIComponent(encoded)
    } catch {
      return encoded
    }
  })
}

const invalid = (url: string, why: string): Error =>
  new Error(`The database URL ${JSON.stringify(maskPassword(url))} is not valid: ${why}.`)
