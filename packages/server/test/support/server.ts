import { parseJson, stringifyJson } from '@vox/protocol'
import pino, { type Logger } from 'pino'
import { type Clock, systemClock } from '../../src/clock.ts'
import type { Resolver } from '../../src/outbound/target.ts'
import { type RunningServer, startServer } from '../../src/server.ts'
import { verifyAnsweredErrors } from './answered-errors.ts'
import { CheckedBus } from './checked-bus.ts'
import type { Engine } from './engines.ts'
import { freshPath } from './folder.ts'

/** What came back, with the body parsed so that 64-bit integers keep their digits. */
export interface Answer {
  status: number
  headers: Headers
  // biome-ignore lint/suspicious/noExplicitAny: tests look into bodies of every shape
  body: any
}

/** Hashing as cheap as it gets, so that tests may register accounts freely. */
const TEST_PASSWORD_COST = { memory: 8, passes: 1, parallelism: 1 }

export const PASSWORD = 'correct horse'

export interface TestOptions {
  env?: Record<string, string>
  clock?: Clock
  log?: Logger
  resolve?: Resolver
  gifOrigin?: string
}

/** A real server on a free port, with a database that nothing is in. */
export async function startTestServer(
  engine: Pick<Engine, 'migratedUrl'>,
  options: TestOptions = {},
): Promise<TestServer> {
  const databaseUrl = options.env?.VOX_DATABASE_URL ?? (await engine.migratedUrl())
  const storagePath = options.env?.VOX_STORAGE_PATH ?? freshPath()
  const clock = options.clock ?? systemClock
  const bus = new CheckedBus(() => clock.now())
  const running = await startServer({
    env: {
      VOX_HOST: '127.0.0.1',
      VOX_PORT: '0',
      VOX_RATELIMIT_ENABLED: 'false',
      VOX_LIMIT_CONNECTIONS_PER_IP: '0',
      VOX_DATABASE_URL: databaseUrl,
      VOX_STORAGE_PATH: storagePath,
      ...options.env,
    },
    log: options.log ?? pino({ level: 'silent' }),
    passwordCost: TEST_PASSWORD_COST,
    ...(options.resolve && { resolve: options.resolve }),
    clock,
    bus,
    ...(options.gifOrigin && { gifOrigin: options.gifOrigin }),
  })
  return new TestServer(running, bus, databaseUrl, storagePath)
}

/** A running server and its clients. */
export class TestServer {
  readonly url: string
  readonly databaseUrl: string
  readonly storagePath: string
  readonly bus: CheckedBus
  readonly #running: RunningServer

  constructor(running: RunningServer, bus: CheckedBus, databaseUrl: string, storagePath: string) {
    this.#running = running
    this.bus = bus
    this.url = running.url
    this.databaseUrl = databaseUrl
    this.storagePath = storagePath
  }

  /** A client without an account. */
  get visitor(): Client {
    return new Client(this.url)
  }

  /** Registers an account; the first one is the administrator. */
  async register(username: string): Promise<Client & { userId: number }> {
    const answer = await this.visitor.post('/auth/register', { username, password: PASSWORD })
    if (answer.status !== 201) throw new Error(`registering ${username}: ${stringifyJson(answer.body)}`)
    return Object.assign(new Client(this.url, answer.body.token), { userId: answer.body.user_id as number })
  }

  /** Stops the server; fails if it has published an event, or answered an error, that is not declared so. */
  async close(): Promise<void> {
    await this.#running.close()
    await this.bus.verify(this.databaseUrl)
    verifyAnsweredErrors()
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close()
  }
}

/** Speaks REST, with or without a token. */
export class Client {
  readonly url: string
  readonly token: string | undefined

  constructor(url: string, token?: string) {
    this.url = url
    this.token = token
  }

  get(path: string, headers?: Record<string, string>): Promise<Answer> {
    return this.request('GET', path, undefined, headers)
  }
  post(path: string, body?: unknown, headers?: Record<string, string>): Promise<Answer> {
    return this.request('POST', path, body, headers)
  }
  put(path: string, body?: unknown): Promise<Answer> {
    return this.request('PUT', path, body)
  }
  patch(path: string, body?: unknown): Promise<Answer> {
    return this.request('PATCH', path, body)
  }
  delete(path: string, body?: unknown): Promise<Answer> {
    return this.request('DELETE', path, body)
  }

  request(method: string, path: string, body?: unknown, headers: Record<string, string> = {}): Promise<Answer> {
    return this.raw(method, `/api/v1${path}`, body === undefined ? undefined : stringifyJson(body), {
      ...(body !== undefined && { 'content-type': 'application/json' }),
      ...headers,
    })
  }

  /** A request with a path from the root and a body as it is. */
  async raw(
    method: string,
    path: string,
    body?: string | Uint8Array<ArrayBuffer>,
    headers: Record<string, string> = {},
  ): Promise<Answer> {
    const response = await fetch(this.url + path, {
      method,
      headers: { ...(this.token && { authorization: `Bearer ${this.token}` }), ...headers },
      ...(body !== undefined && { body }),
    })
    const text = await response.text()
    const isJson = response.headers.get('content-type')?.startsWith('application/json')
    return { status: response.status, headers: response.headers, body: isJson && text ? parseJson(text) : text }
  }
}

/** Checks an answer's status and error code in one line. */
export function failure({ status, body }: Answer): string {
  return `${status} ${body?.error?.code}`
}
