import { ConfigError } from '../config/config.ts'
import { DatabaseInUse } from '../db/lock.ts'
import { SchemaRefused } from '../db/migrate.ts'
import { Refusal } from '../refusal.ts'

/** Failures that say themselves what is wrong, with what the operator can do about it. */
const EXPLAINED = [
  { kind: ConfigError, cure: '' },
  { kind: DatabaseInUse, cure: '' },
  {
    kind: SchemaRefused,
    cure: ' Nothing was changed. Choose another database with --database-url or VOX_DATABASE_URL.',
  },
]

/** What Node adds to the errors of the system, SQLite and itself. */
interface CodedError extends Error {
  code: string
  syscall?: string
  address?: string
  hostname?: string
  path?: string
  port?: number
}

/** What the operator reads when a command fails: a sentence for what can be expected, the stack for a defect. */
export function describeFailure(error: unknown): string {
  if (!(error instanceof Error)) return String(error)
  if (error instanceof Refusal) return error.message
  const explained = EXPLAINED.find(({ kind }) => error instanceof kind)
  if (explained) return sentence(error.message) + explained.cure
  if (isCoded(error)) return codedFailure(error) ?? String(error.stack)
  // Whoever wraps an error in another one does so to explain it.
  return error.cause === undefined ? String(error.stack) : sentence(error.message)
}

const sentence = (text: string): string => text.charAt(0).toUpperCase() + text.slice(1).replace(/[^.]$/, '$&.')

const isCoded = (error: Error): error is CodedError => 'code' in error && typeof error.code === 'string'

function codedFailure({ code, syscall, message, address, hostname, port, path }: CodedError): string | undefined {
  switch (`${syscall ?? ''} ${code}`) {
    case 'listen EADDRINUSE':
      return `Port ${port} at ${address} is taken by another program, perhaps another Vox server. ${OTHER_PORT}`
    case 'listen EACCES':
      return `Port ${port} is reserved for the system. ${OTHER_PORT}`
    case 'listen EADDRNOTAVAIL':
      return `This machine has no address ${address}. Choose one of its own with --host or VOX_HOST.`
    case 'getaddrinfo ENOTFOUND':
      return `The host name ${hostname} is not known. Choose another one with --host or VOX_HOST.`
    case 'open ENOENT':
      return `There is no file ${path}.`
    case ' ERR_SQLITE_ERROR':
      return `The database file cannot be used (${message}). Check the path in VOX_DATABASE_URL and who may write there.`
    default:
      return syscall === undefined ? undefined : sentence(message)
  }
}

const OTHER_PORT = 'Choose another one with --port or VOX_PORT.'
