import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { it } from 'node:test'
import { DEFAULT_LIMITS, decode, type Endpoint, errorStatus, parseJson } from '@vox/protocol'
import { ENDPOINTS } from '@vox/protocol/endpoints'

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

/** A page of `docs`. */
export function docsPage(name: string): string {
  return readFileSync(new URL(`../../../../docs/${name}`, import.meta.url), 'utf8')
}

/** Tests that every request on a page, and its answer, are as the endpoint is declared. */
export function testExamples(page: string): void {
  const examples = [...page.matchAll(EXAMPLE)].map(({ groups }) => ({ ...groups }) as unknown as Example)

  it('has its examples where this test sees them', () => {
    assert.equal(examples.length, page.match(/^```http$/gm)?.length)
  })

  for (const example of examples)
    it(`says the truth of ${example.method} ${example.path} ${example.answer}`, () => testExample(example))
}

function testExample(example: Example): void {
  const endpoint = endpointOf(example)
  const [status, code] = example.answer.split(' ')
  if (endpoint.body) assertWhole(endpoint.body, example.request)
  else assert.equal(example.request, '')
  if (code) {
    assert.ok(endpoint.errors.map(errorStatus).some((error) => error.code === code && error.status === Number(status)))
    return
  }
  assert.equal(Number(status), endpoint.status)
  if (endpoint.reply) assertWhole(endpoint.reply, example.reply)
  else assert.equal(example.reply, '')
}

function endpointOf({ method, path: pathAndQuery }: Example): Endpoint {
  const [path = ''] = pathAndQuery.split('?')
  const found = endpoints.find(
    (endpoint) =>
      endpoint.method === method && new RegExp(`^${endpoint.path.replaceAll(/:\w+/g, '[^/]+')}$`).test(path),
  )
  assert.ok(found, `${method} ${path}`)
  return found
}

/** Nothing is missing, and decoding drops nothing. */
function assertWhole(schema: Parameters<typeof decode>[0], text: string): void {
  const value = parseJson(text)
  assert.deepEqual(decode(schema, value, DEFAULT_LIMITS), value)
}
