import { parseJson, stringifyJson } from '@vox/protocol'
import { type DestinationStream, destination, type Logger, type LoggerOptions, pino } from 'pino'
import { type Env, variable } from './config/environment.ts'

/** One JSON object per line for machines, or plain lines for people. */
export type LogFormat = 'json' | 'text'

/** The format that `VOX_LOG_FORMAT` asks for. Unset, it depends on who reads: people sit at terminals. */
export function logFormat(env: Env, isTerminal: boolean): LogFormat {
  const wanted = variable(env, 'VOX_LOG_FORMAT')?.trim().toLowerCase()
  if (!wanted) return isTerminal ? 'text' : 'json'
  return wanted === 'json' ? 'json' : 'text'
}

/**
 * The root logger. Parts of the server take a child each, `log.child({ logger: 'http' })`; what the root itself logs
 * comes from `vox`. Standard error is written synchronously, so that the last words before a crash are not lost.
 */
export function createLog(format: LogFormat, stream: DestinationStream = destination({ dest: 2, sync: true })): Logger {
  return pino(OPTIONS, format === 'json' ? stream : { write: (line) => stream.write(plainText(line)) })
}

/** Children that have a name of their own. */
const named = new WeakSet<Logger>()

const OPTIONS: LoggerOptions = {
  base: null,
  messageKey: 'message',
  errorKey: 'exception',
  timestamp: () => `,"timestamp":"${new Date().toISOString()}"`,
  formatters: {
    level: (level) => ({ level }),
    log: ({ err, ...fields }) => (err === undefined ? fields : { ...fields, exception: err }),
  },
  serializers: { exception: stackOf },
  mixin: (_fields, _level, logger) => (named.has(logger as Logger) ? {} : { logger: 'vox' }),
  onChild(child) {
    if ('logger' in child.bindings()) named.add(child)
  },
}

/** The stack with those of its causes. Other properties of an error may hold what must not be logged. */
function stackOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error)
  const stack = error.stack ?? String(error)
  return error.cause === undefined ? stack : `${stack}\nCaused by: ${stackOf(error.cause)}`
}

/** Turns a JSON line into `2026-11-23 08:00:00 INFO  http  message key=value`, an exception's stack below it. */
export function plainText(line: string): string {
  const { timestamp, level, logger, message = '', exception, ...fields } = parseJson(line) as Record<string, unknown>
  const head = `${localTime(new Date(String(timestamp)))} ${String(level).toUpperCase().padEnd(5)} ${logger}  ${oneLine(String(message))}`
  const pairs = Object.entries(fields).map(([key, value]) => ` ${key}=${plainValue(value)}`)
  const stack = exception === undefined ? [] : String(exception).split('\n')
  return [head + pairs.join(''), ...stack.map((frame) => `    ${oneLine(frame)}`), ''].join('\n')
}

function localTime(date: Date): string {
  const minutes = date.getTimezoneOffset()
  return new Date(date.getTime() - minutes * 60_000).toISOString().slice(0, 19).replace('T', ' ')
}

/** Bare where that is unambiguous, JSON elsewhere. */
function plainValue(value: unknown): string {
  const bare = typeof value === 'string' && /^[^\s"=\p{C}]+$/u.test(value)
  return bare ? value : oneLine(stringifyJson(value))
}

/** Escapes control characters, so that logged input can neither begin a line of its own nor steer a terminal. */
function oneLine(text: string): string {
  return text.replace(/\p{Cc}/gu, (char) => `\\u${char.charCodeAt(0).toString(16).padStart(4, '0')}`)
}

/** A request's path as it may be logged: without the token of a webhook and without the query string. */
export function maskUrl(url: string): string {
  // The router takes letters that are percent-encoded, too.
  const path = url.replace(/\?.*$/s, '').replace(/%[4-7][0-9a-f]/gi, decodeURIComponent)
  // Also where the path is mistyped, so that no endpoint takes it: the token is good all the same.
  return path.replace(/(\/webhooks\/[^/]+\/)[^/]+/, '$1***').replace(/whk_[\w%-]+/g, 'whk_***')
}
