import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { describe, it } from 'node:test'
import { DEFAULT_LIMITS, decode, type Endpoint, errorStatus, parseJson } from '@vox/protocol'
import { ENDPOINTS } from '@vox/protocol/endpoints'

const PAGE = readFileSync(new URL('../../../../../docs/authentication.md', import.meta.url), 'utf8')

const endpoints = Object.values(ENDPOINTS).flatMap((section) => Object.values(section))

interface Example {
  method: string
  path: string
  request: string
  /** Status, and the code of an error. */
  answer: string
  reply: string
}

const EXAMPLE =
  /^```http\n(?<method>[A-Z]+) (?<path>\S+)\n(?<request>.*?)\n?(?<answer>\d{3}(?: \w+)?)\n(?<reply>.*?)```$/gms

const examples = [...PAGE.matchAll(EXAMPLE)].map(({ groups }) => ({ ...groups }) as unknown as Example)

function endpointOf({ method, path }: Example): Endpoint {
  const found = endpoints.find(
    (endpoint) =>
      endpoint.method === method && new RegExp(`^${endpoint.path.replaceAll(/:\w+/g, '[^/]+')}$`).test(path),
  )
  assert.ok(found, `${method} ${path}`)
  return found
}

describe('docs/authentication.md', () => {
  it('has its examples where this test sees them', () => {
    assert.equal(examples.length, PAGE.match(/^```http$/gm)?.length)
  })

  for (const example of examples)
    it(`says the truth of ${example.method} ${example.path} ${example.answer}`, () => {
      const endpoint = endpointOf(example)
      const [status, code] = example.answer.split(' ')
      if (endpoint.body) assertWhole(endpoint.body, example.request)
      else assert.equal(example.request, '')
      if (code) {
        assert.ok(
          endpoint.errors.map(errorStatus).some((error) => error.code === code && error.status === Number(status)),
        )
        return
      }
      assert.equal(Number(status), endpoint.status)
      if (endpoint.reply) assertWhole(endpoint.reply, example.reply)
      else assert.equal(example.reply, '')
    })

  it('leaves none of the endpoints out', () => {
    const { auth, logins, second_factor } = ENDPOINTS
    for (const { path } of Object.values({ ...auth, ...logins, ...second_factor })) {
      if (path === '/auth/mfa') continue // the older name of another one
      assert.ok(PAGE.includes(path.replace(/:\w+$/, '')), path)
    }
  })
})

/** Nothing is missing, and decoding drops nothing. */
function assertWhole(schema: Parameters<typeof decode>[0], text: string): void {
  const value = parseJson(text)
  assert.deepEqual(decode(schema, value, DEFAULT_LIMITS), value)
}
