import assert from 'node:assert/strict'
import { DatabaseSync } from 'node:sqlite'
import { describe, it } from 'node:test'
import { type Endpoint, ERRORS, stringifyJson, type TSchema } from '@vox/protocol'
import { ENDPOINTS } from '@vox/protocol/endpoints'
import { TestClock } from '../support/clock.ts'
import { sqlite } from '../support/engines.ts'
import { type Answer, Client, PASSWORD, startTestServer, type TestServer } from '../support/server.ts'

const DEEP = `${'['.repeat(5000)}${']'.repeat(5000)}`

/** Values that no field expects, and some that only look as if they were what it expects. */
const HOSTILE: readonly unknown[] = [
  true,
  0,
  -1,
  1.5,
  2 ** 32,
  2n ** 63n,
  2n ** 64n,
  -(2n ** 63n),
  '',
  ' ',
  '9'.repeat(400),
  'x'.repeat(100_000),
  '\ud800',
  'a\0b',
  '../../etc/passwd',
  "'; drop table users; --",
  '__proto__',
  [],
  [[[[]]]],
  [null],
  {},
  { __proto__: null, constructor: 1 },
]

/** Bodies that are no JSON object at all. */
const HOSTILE_BODIES: readonly (string | Uint8Array<ArrayBuffer>)[] = [
  '',
  'null',
  '[]',
  '"text"',
  '17',
  '{',
  '{"a":1e400}',
  '{"a":NaN}',
  `{"a":${'9'.repeat(100_000)}}`,
  `{"a":${DEEP}}`,
  DEEP,
  Uint8Array.from([0x7b, 0x22, 0xff, 0xfe, 0x22, 0x3a, 0x31, 0x7d]),
  Uint8Array.from([0, 0, 0, 0]),
]

const HOSTILE_SEGMENTS = ['0', '-1', 'abc', '1.5', '18446744073709551616', '%00', '%ff', '%F0%9F%91%8D', '..%2f', "'"]

/** Answers that may write although they refuse: they count failures. */
const COUNTS_FAILURES = /^\/auth\//

describe('hostile input', () => {
  for (const [section, endpoints] of Object.entries(ENDPOINTS))
    for (const [name, endpoint] of Object.entries(endpoints))
      it(`${section}.${name} answers it in the envelope and changes nothing`, async () => {
        // The time stands still, so that nothing but the requests can commit anything.
        await using server = await startTestServer(sqlite, { clock: new TestClock() })
        const watch = new ChangeWatch(server.databaseUrl)
        const founder = await server.register('ada')
        await founder.post('/feeds', { name: 'general', type: 'text' })
        let client = await freshSession(server)
        for (const attempt of attemptsOn(endpoint)) {
          const before = watch.version()
          const answer = await client.raw(endpoint.method, attempt.path, attempt.body, attempt.headers)
          assertCalm(answer, `${endpoint.method} ${attempt.path.slice(0, 200)} ${String(attempt.body).slice(0, 200)}`)
          if (answer.status >= 400 && !COUNTS_FAILURES.test(endpoint.path)) assert.equal(watch.version(), before)
          else client = await freshSession(server)
        }
      })
})

interface Attempt {
  path: string
  body?: string | Uint8Array<ArrayBuffer>
  headers?: Record<string, string>
}

function* attemptsOn(endpoint: Endpoint): Generator<Attempt> {
  const path = `/api/v1${endpoint.path.replaceAll(/:\w+/g, '1')}`
  const json = { 'content-type': 'application/json' }
  for (const segment of HOSTILE_SEGMENTS)
    if (endpoint.path.includes(':')) yield { path: `/api/v1${endpoint.path.replaceAll(/:\w+/g, segment)}` }
  for (const name of Object.keys(endpoint.query.properties))
    for (const value of HOSTILE) yield { path: `${path}?${name}=${encodeURIComponent(textOf(value))}` }
  if (endpoint.method === 'GET') return
  for (const body of HOSTILE_BODIES) yield { path, body, headers: json }
  const properties = endpoint.body?.properties ?? {}
  const sample = Object.fromEntries(Object.entries(properties).map(([name, schema]) => [name, sampleOf(schema)]))
  for (const name of Object.keys(properties))
    for (const value of HOSTILE) yield { path, body: stringifyJson({ ...sample, [name]: value }), headers: json }
}

/** A value as a query string can carry it. */
function textOf(value: unknown): string {
  const text = typeof value === 'object' ? stringifyJson(value) : String(value)
  return text.toWellFormed().slice(0, 2000)
}

/** Something a schema accepts at first sight. */
function sampleOf(schema: TSchema): unknown {
  const { type, enum: words } = schema as { type?: string; enum?: string[] }
  if (words) return words[0]
  return { string: 'sample', integer: 1, boolean: true, array: [], object: {} }[type ?? 'object']
}

/** A new one follows every attempt that may have ended the session. */
async function freshSession(server: TestServer): Promise<Client> {
  const { body } = await server.visitor.post('/auth/login', { username: 'ada', password: PASSWORD })
  return new Client(server.url, body.token)
}

function assertCalm({ status, body, headers }: Answer, attempt: string): void {
  // A server without a key for GIFs says so with a 503.
  const isCalm = status < 500 || body.error.code === 'GIF_PROVIDER_UNAVAILABLE'
  assert.ok(isCalm, `${status} to ${attempt}: ${stringifyJson(body)}`)
  if (status < 400) return
  assert.match(headers.get('content-type') ?? '', /^application\/json/, attempt)
  assert.ok(Object.hasOwn(ERRORS, body.error.code), attempt)
  assert.ok(body.error.message.length > 0, attempt)
}

/** Sees whether anything was committed to an SQLite database. */
class ChangeWatch {
  readonly #db: DatabaseSync

  constructor(url: string) {
    this.#db = new DatabaseSync(url.replace(/^.*:\/\/\//, ''), { readOnly: true })
  }

  version(): unknown {
    return this.#db.prepare('pragma data_version').get()?.data_version
  }
}
